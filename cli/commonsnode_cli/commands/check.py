"""`check [--rebuild]`: is what lies on the disk whole and true?"""

import json
from typing import Annotated, Any

import typer

from commonsnode_cli.client import Document, problem_of
from commonsnode_cli.failures import Refused
from commonsnode_cli.invocation import Invocation, Json
from commonsnode_cli.progress import Step, progress

app = typer.Typer(add_completion=False)


@app.command()
def check(
    context: typer.Context,
    rebuild: Annotated[
        bool,
        typer.Option(
            "--rebuild", help="Compute everything anew from the changesets, and set damaged ones aside."
        ),
    ] = False,
    as_json: Json = False,
) -> None:
    """Verify every id and signature, compute the state anew and compare, and check the database itself.

    Through the running node where there is one, else on the files: so it also works on a damaged node that `up` refuses.
    Exit code 0 and `ok` when all is well; otherwise 1, with a line on stderr for each problem.
    """
    call = Invocation.of(context, as_json)
    with progress("rebuilding" if rebuild else "checking", show=not call.as_json) as step:
        if call.node.running():
            problems, notices = _by_the_node(call, rebuild, step)
        else:
            problems, notices = _on_the_files(call, rebuild, step), []
    if problems:
        raise Refused(
            _summary(call, problems, rebuild), [f"{one['what']}: {one['detail']}" for one in problems]
        )
    if call.as_json:
        call.out.document({"ok": True, "problems": [], **({"notices": notices} if notices else {})})
        return
    call.out.line("rebuilt: " if rebuild else "checked: ", "all is well")
    for notice in notices:
        call.out.say(f"  {notice}")


def _by_the_node(call: Invocation, rebuild: bool, step: Step) -> tuple[list[Document], list[str]]:
    """Problems, and what one should know beside them."""
    for line in call.node.lines("POST", "/check", {"rebuild": rebuild}):
        answer: Document = json.loads(line)
        if "progress" in answer:
            step(*answer["progress"])
        elif "result" in answer:
            return answer["result"]["problems"], answer["result"]["notices"]
        elif "problem" in answer:
            raise problem_of(answer["problem"])
    raise Refused("the node ended its check without a result; its log says why")


def _on_the_files(call: Invocation, rebuild: bool, step: Step) -> list[Document]:
    from commonsnode.errors import NodeError
    from commonsnode.home import locked, open_home
    from commonsnode_store.errors import Damaged, StoreError
    from commonsnode_store.store import Store

    try:
        home = open_home(call.home)
        with locked(home):  # no daemon may start meanwhile
            # Not by opening it first: what is too damaged to be opened is what people come here with.
            work = Store.rebuild_file if rebuild else Store.check_file
            found = work(home.database_path, step)
    except Damaged as damage:
        return [{"what": damage.what, "detail": damage.detail}]
    except StoreError as error:
        raise Refused(str(error)) from error
    except NodeError as error:
        raise Refused(error.what + (f". {error.hint}" if error.hint else "")) from error
    return [{"what": one.what, "detail": one.detail} for one in found]


def _summary(call: Invocation, problems: list[Any], rebuild: bool) -> str:
    number = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
    if rebuild:
        return f"rebuilt; {number} could not be mended here. Meet a peer to get back what was set aside: {call.command} up"
    return f"{number} found. Mend what can be computed anew: {call.command} check --rebuild"
