"""One call of the command: which node is meant, and how to answer.

The options of every command that are the same everywhere stand here, too.
"""

import os
import shlex
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Annotated

import typer

from commonsnode_cli.client import Client, Document, segment
from commonsnode_cli.failures import Failure, Refused
from commonsnode_cli.output import Output


def _communities_to_complete(context: typer.Context) -> list[tuple[str, str]]:
    # What Tab offers; a name that a shell would have to quote is offered by its id.
    home = context.find_root().params.get("home")
    try:
        found = Invocation(home_given=home).node.get("/communities")["communities"]
    except Failure:
        return []
    names = [(str(one["name"] or ""), str(one["id"])) for one in found]
    return [(name if name and name.replace("-", "").isalnum() else key[:12], name) for name, key in names]


Json = Annotated[bool, typer.Option("--json", help="Print one JSON document and nothing else.")]
CommunityOption = Annotated[
    str | None,
    typer.Option(
        "--community",
        metavar="C",
        autocompletion=_communities_to_complete,
        help="Id, beginning of an id, or name. May be left out where only one community is followed.",
    ),
]
CommunitiesOption = Annotated[
    list[str] | None,
    typer.Option(
        "--community",
        metavar="C",
        autocompletion=_communities_to_complete,
        help="Only of this community; may be repeated.",
    ),
]
KindOption = Annotated[str | None, typer.Option("--kind", metavar="K", help="Only this kind of record.")]
ThingId = Annotated[
    str, typer.Argument(metavar="ID", help="The id of a thing, or an unambiguous beginning of it.")
]


@dataclass
class Invocation:
    """What was given before the command; the command's own --json is added by `of`."""

    home_given: str | None = None
    as_json: bool = False
    person: str | None = None  # --as
    passphrase_file: Path | None = None

    @staticmethod
    def of(context: typer.Context, as_json: bool = False) -> "Invocation":
        invocation = context.ensure_object(Invocation)
        invocation.as_json = invocation.as_json or as_json
        return invocation

    @cached_property
    def home(self) -> Path:
        """The folder of the node: --home, else COMMONSNODE_HOME, else the platform's folder for data."""
        from commonsnode.home import default_home

        if self.home_given:
            return Path(self.home_given).expanduser()
        return default_home(os.environ)

    @property
    def command(self) -> str:
        """The beginning of a command line that reaches this node from any folder."""
        words = [program()]
        if self.home_given:
            words += ["--home", str(self.home.absolute())]
        return shlex.join(words)

    @property
    def me(self) -> str:
        """How who acts is called in lists."""
        return "this node" if self.person is None else "you"

    @cached_property
    def out(self) -> Output:
        return Output(as_json=self.as_json)

    @cached_property
    def node(self) -> Client:
        """The running daemon. Whether it runs shows at the first question; with --as this signs in."""
        client = self._client()
        if self.person is not None:
            from commonsnode_cli.typed import passphrase

            client.sign_in(self.person, passphrase(self.passphrase_file))
        return client

    @contextmanager
    def signed_in(self, name: str, passphrase: str) -> Iterator[Client]:
        """The daemon as this person, for a while."""
        client = self._client()
        client.sign_in(name, passphrase)
        try:
            yield client
        finally:
            sign_out(client)

    def end(self) -> None:
        """At the end of the command: who signed in by --as is signed out."""
        if self.person is not None and "node" in self.__dict__:
            sign_out(self.node)

    def _client(self) -> Client:
        from commonsnode.home import Home

        home = Home(self.home)
        if not home.is_node():
            raise Refused(f"there is no node at {self.home}. Make one: {self.command} init")
        return Client(self.home, home.socket_path, self.command)

    def community(self, given: str | None) -> Document:
        """The community that is meant: the entry of the daemon's list. Raises Refused where that is not clear."""
        if given is not None:
            return self.node.get(f"/communities/{segment(given)}")
        found: list[Document] = self.node.get("/communities")["communities"]
        if not found:
            raise Refused(
                "this node follows no community yet. Begin one: commonsnode community create NAME; "
                "or join one: commonsnode community follow LINK"
            )
        if len(found) > 1:
            names = ", ".join(str(one["name"] or one["id"][:8]) for one in found)
            raise Refused(f"this node follows {len(found)} communities ({names}): say which with --community")
        return found[0]


def sign_out(client: Client) -> None:
    # What was done is done: a daemon that stopped meanwhile has no session any more, and an idle one ends by itself.
    with suppress(Failure):
        client.sign_out()


def program() -> str:
    """This program as a shell finds it from any folder."""
    called = Path(sys.argv[0])
    if called.name == "__main__.py":
        return shlex.join([sys.executable, "-m", "commonsnode_cli"])
    found = shutil.which(called.name)
    if found is not None and os.path.realpath(found) == os.path.realpath(called):
        return called.name
    return str(called.absolute())
