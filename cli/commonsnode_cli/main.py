"""The command `commonsnode`: loads what the command needs, and turns its end into an exit code.

0 done; 1 refused or failed, with one line on stderr and nothing on stdout; 2 wrong usage.
"""

import os
import signal
import sys
from typing import NoReturn

from commonsnode_cli.catalogue import overview
from commonsnode_cli.failures import Failure, ReaderGone
from commonsnode_cli.output import fail_line

COMPLETION_VARIABLE = "_COMMONSNODE_COMPLETE"  # set by the shell when it asks what could come next
INTERRUPTED = 130


def main() -> NoReturn:
    """Run the command line of this process."""
    try:
        code = _run(sys.argv[1:])
        sys.stdout.flush()
    except Failure as failure:
        fail_line(str(failure), failure.items)
        code = failure.exit_code
    except (ReaderGone, BrokenPipeError):
        _end_by(signal.SIGPIPE)
    except KeyboardInterrupt:
        _end_by(signal.SIGINT)
    sys.exit(code)


def _run(words: list[str]) -> int:
    if COMPLETION_VARIABLE not in os.environ:
        if not words:
            sys.stderr.write(overview())
            return 2
        if words in (["--help"], ["help"]):  # the page that the application shows too, without loading that
            sys.stdout.write(overview())
            return 0
        if words[0] == "help":
            words = [*words[1:], "--help"]
        elif words == ["--version"]:
            words = ["version"]
    from commonsnode_cli.application import application, is_abort, usage_error

    try:
        code = application()(args=words, prog_name="commonsnode", standalone_mode=False)
    except Exception as error:
        if is_abort(error):
            raise KeyboardInterrupt from error
        problem = usage_error(error)
        if problem is None:
            raise
        raise problem from error
    if code == INTERRUPTED:
        raise KeyboardInterrupt
    return code if isinstance(code, int) else 0


def _end_by(number: signal.Signals) -> NoReturn:
    # Ended by the signal itself, a shell script that called us sees what happened, and stops as well.
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)
    sys.exit(128 + number)
