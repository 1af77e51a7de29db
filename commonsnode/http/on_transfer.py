"""The API for whole files: import and export, as JSON Lines in bounded memory."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any

from aiohttp import web

from commonsnode.errors import Busy
from commonsnode.http import problems
from commonsnode.http.calls import Call, Malformed, check_body
from commonsnode.http.lines import Lines, parts
from commonsnode.http.on_communities import community_of
from commonsnode.import_rows import Head
from commonsnode.importing import Import
from commonsnode.names import OF_PEOPLE
from commonsnode.tables.jsonl import encode_line
from commonsnode.tables.model import Record
from commonsnode_protocol.changeset import MEMBERS
from commonsnode_store.answers import RecordView
from commonsnode_store.store import Store

EXPORT_S_MAX = (
    600.0  # for those who ask on TCP: a snapshot that is held open keeps the disk from being tidied
)


async def import_rows(call: Call) -> web.StreamResponse:
    """Take all rows in first; what cannot be taken at all is refused with its own status. Then write, and say how far."""
    node = call.node
    community = await community_of(call)
    if node.imports.locked():
        raise Busy("this node does as many imports as it can at a time; try again when one is done")
    async with node.imports:
        body = parts(call.request)
        said, rows = await _first(body)
        head = _head(said)
        work = Import(community, head, node.id, node.home.path)
        try:
            await node.writer.read(lambda store: work.take(store, rows))
            async for more in body:
                await node.writer.read(lambda store, more=more: work.take(store, more))  # type: ignore[misc]
            lines = Lines(call.request)
            await lines.begin()
            try:
                while await (node.writer.read(work.compare) if head.dry_run else node.sign(work.step)):
                    await lines.write({"progress": work.done, "of": work.rows})
                await (node.writer.read(work.find_gone) if head.dry_run else node.sign(work.finish))
            except ConnectionError:
                raise
            except Exception as error:  # noqa: BLE001 - the answer has begun: it says so itself
                found = problems.document(error)
                node.log.error(
                    "import-failed", cause=error if problems.is_ours(found) else None, why=found["detail"]
                )
                await lines.write({"problem": found})
            else:
                result = _result(work, said.get("mapping", {}))
                node.log.info(
                    "imported", community=community.hex()[:8], **_numbers(work), dry_run=head.dry_run
                )
                await lines.write({"result": result})
            return await lines.end()
        finally:
            await asyncio.to_thread(work.close)


async def export(call: Call) -> web.StreamResponse:
    """All that stands in a community. A stream that breaks off was not all of it.

    whole: for tables of things, which people pass on: so how members are called and reached is not in it.
    """
    community = await community_of(call)
    whole = call.query.get("whole", False)

    def read(store: Store) -> Iterator[str]:
        every = store.export(community, whole=whole)
        return (
            _line(view) for view in every if not (whole and view.lane == MEMBERS and view.kind in OF_PEOPLE)
        )

    async with call.node.writer.stream(read) as chunks:
        lines = Lines(call.request)
        await lines.begin()
        try:
            async with asyncio.timeout(None if call.by_operator else EXPORT_S_MAX):
                async for chunk in chunks:
                    await lines.write_text(chunk)
        except ConnectionError:
            raise
        except Exception as error:
            call.node.log.error("export-failed", cause=error)
            lines.abort()
            raise ConnectionResetError("the export broke off") from error
        return await lines.end()


async def _first(body: AsyncIterator[list[bytes]]) -> tuple[dict[str, Any], list[bytes]]:
    async for lines in body:
        return check_body(lines[0], "ImportHead"), lines[1:]
    raise Malformed("the first line says what the file is: at least its source")


def _head(said: dict[str, Any]) -> Head:
    return Head(
        source=said["source"],
        kind=said.get("kind"),
        lane=said.get("lane", "public"),
        dry_run=said.get("dry_run", False),
        columns=tuple(said.get("columns", ())),
        exact_places=said.get("exact_places"),
        source_given=said.get("source_given", False),
    )


def _result(work: Import, mapping: Any) -> dict[str, Any]:
    return {
        **_numbers(work),
        "waiting": work.result.waiting,
        "rejected": [{"line": bad.line, "reason": bad.reason} for bad in work.result.rejected],
        "gone": [{"id": view.record.hex(), "title": view.title} for view in work.result.gone],
        "mapping": mapping,
        "blurred": work.result.places.blurred,
        "notices": work.result.notices,
    }


def _numbers(work: Import) -> dict[str, int]:
    result = work.result
    return {"added": result.added, "changed": result.changed, "unchanged": result.unchanged}


def _line(view: RecordView) -> str:
    return encode_line(Record(view.record, view.values, view.kind, view.lane))
