"""`python -m commonsnode --home DIR`: the daemon alone, as services start it. The command `commonsnode` can do more."""

import argparse
import os
import sys
from pathlib import Path

from commonsnode import __version__
from commonsnode.errors import NodeError


def main() -> int:
    """Returns the exit code: 0 stopped as asked, 1 could not start."""
    parser = argparse.ArgumentParser(
        prog="python -m commonsnode", description="Serve a node in the foreground."
    )
    parser.add_argument("--home", type=Path, help="the node's folder (COMMONSNODE_HOME, else the platform's)")
    parser.add_argument("--port", type=int, help="0 takes a free one")
    parser.add_argument("--log-format", choices=("text", "json"))
    parser.add_argument("--log-level", choices=("debug", "info", "warning", "error"))
    parser.add_argument("--version", action="version", version=__version__)
    arguments = parser.parse_args()
    from commonsnode import config, daemon
    from commonsnode.home import default_home, open_home

    try:
        home = open_home(arguments.home or default_home(os.environ))
        settings = config.load(
            home.config_path,
            os.environ,
            {name: getattr(arguments, name) for name in ("port", "log_format", "log_level")},
        )
        daemon.run(settings, home)
    except NodeError as error:
        print(f"commonsnode: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
