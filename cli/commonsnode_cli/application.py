"""The Typer application. A command's module is imported when that command is called, not before."""

from importlib import import_module
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from commonsnode_cli.catalogue import ENTRIES, overview
from commonsnode_cli.failures import WrongUsage
from commonsnode_cli.invocation import Invocation

OF_PERSONS = (  # what --as goes with
    *("find", "add", "edit", "show", "list", "remove", "restore", "history", "join"),
    *("reserve", "reservation", "calendar", "care", "want", "offer"),
    *("invite", "member", "steward", "device", "recovery", "community"),
)


class _Catalogue(TyperGroup):
    """The commands of the catalogue, each loaded by its name."""

    def list_commands(self, ctx: Any) -> list[str]:
        return list(ENTRIES)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        entry = ENTRIES.get(cmd_name)
        if entry is None:
            return None
        module = import_module(f"commonsnode_cli.commands.{entry.module}")
        loaded: Any = typer.main.get_command(module.app)
        return getattr(loaded, "commands", {}).get(cmd_name, loaded)

    def format_help(self, ctx: Any, formatter: Any) -> None:
        formatter.write(overview())


def application() -> Any:
    """The click command of everything. Its call does what a command line says."""
    app = typer.Typer(name="commonsnode", cls=_Catalogue)
    app.callback()(_before_the_command)
    return typer.main.get_command(app)


def _before_the_command(
    context: typer.Context,
    home: Annotated[str | None, typer.Option("--home", metavar="DIR")] = None,
    as_json: Annotated[bool, typer.Option("--json")] = False,
    person: Annotated[str | None, typer.Option("--as", metavar="NAME")] = None,
    passphrase_file: Annotated[Path | None, typer.Option("--passphrase-file", metavar="FILE")] = None,
) -> None:
    if person is not None and context.invoked_subcommand not in OF_PERSONS:
        raise WrongUsage(f"--as goes with {', '.join(OF_PERSONS)} only")
    if passphrase_file is not None and person is None:
        raise WrongUsage("--passphrase-file stands before the command with --as NAME only")
    invocation = Invocation(home or None, as_json, person, passphrase_file)
    context.obj = invocation
    context.call_on_close(invocation.end)


def usage_error(error: Exception) -> WrongUsage | None:
    """Typer's own error of usage as ours; None for any other exception.

    Typer has taken these classes from click, and later from a copy of its own: their form is what stayed.
    """
    format_message = getattr(error, "format_message", None)
    if format_message is None or getattr(error, "exit_code", 2) != 2:
        return None
    context = getattr(error, "ctx", None)
    path = getattr(context, "command_path", None) or "commonsnode"
    message = " ".join(str(format_message()).split()).rstrip(".")
    return WrongUsage(f"{message[:1].lower()}{message[1:]} (see {path} --help)")


def is_abort(error: Exception) -> bool:
    """Whether a question was answered with Ctrl-C or an end of input."""
    return isinstance(error, typer.Abort)
