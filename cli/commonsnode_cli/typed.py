"""Secrets that a person types: from a prompt, or from a file or a pipe for scripts. Never from the command line itself.

Other users of a machine see command lines, and shells keep them.
"""

import sys
from pathlib import Path
from typing import Annotated

import typer

from commonsnode_cli.failures import Refused, WrongUsage

SECRET_BYTES_MAX = 4_096

PassphraseFile = Annotated[
    Path | None,
    typer.Option(
        "--passphrase-file",
        metavar="FILE",
        help="The passphrase is the first line of this file, as /dev/fd/3; `-`: of stdin. Else a prompt asks.",
    ),
]


def secret(what: str, file: Path | None, option: str, *, twice: bool = False) -> str:
    """One line that is a secret. what: its name for people. option: that names the file. Raises WrongUsage, Refused."""
    if file is None:
        if not sys.stdin.isatty():
            raise WrongUsage(
                f"there is no terminal to ask for the {what}: give {option} FILE, or - for stdin"
            )
        return str(typer.prompt(what, hide_input=True, err=True, confirmation_prompt=twice))
    if str(file) == "-":
        data = sys.stdin.buffer.readline(SECRET_BYTES_MAX)
    else:
        try:
            with file.open("rb") as opened:
                data = opened.readline(SECRET_BYTES_MAX)
        except OSError as error:
            raise Refused(f"{file} cannot be read: {error.strerror}") from error
    try:
        said = data.decode().rstrip("\r\n")
    except UnicodeDecodeError:
        raise Refused(f"the {what} is no text in UTF-8") from None
    if not said:
        raise Refused(f"there is no {what} in {'stdin' if str(file) == '-' else file}")
    return said


def passphrase(file: Path | None, *, twice: bool = False, of: str = "passphrase") -> str:
    return secret(of, file, "--passphrase-file", twice=twice)
