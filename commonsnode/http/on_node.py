"""The API on the node itself: status, peers, sync, check."""

import asyncio
from collections.abc import Mapping
from typing import Any

from aiohttp import web

from commonsnode import __version__, halves
from commonsnode.errors import Conflict, Unknown, WrongField
from commonsnode.http import documents, problems
from commonsnode.http.calls import Call
from commonsnode.http.lines import Lines
from commonsnode.http.reservation_notices import notices
from commonsnode_store.answers import Problem
from commonsnode_store.store import Store

SYNC_S = 60.0
PROGRESS_S = 0.2
EXPOSED_SHOWN = 5  # titles, of places that everybody sees exactly


async def status(call: Call) -> Mapping[str, Any]:
    node = call.node
    addresses = node.addresses()
    communities = await node.writer.read(lambda store: documents.communities(store, addresses))
    return {
        "node": node.id.hex(),
        "name": node.config.name,
        "version": __version__,
        "addresses": addresses,
        "lan": node.lan.web_address if node.lan is not None else None,
        "communities": communities,
        "peers": documents.peers(
            node.peers.status(), {entry["id"] for entry in communities}, by_operator=call.by_operator
        ),
        "notices": await notices(call),
    }


async def own_id(call: Call) -> Mapping[str, Any]:
    return {"id": call.node.id.hex()}


async def peers(call: Call) -> Mapping[str, Any]:
    return {"peers": documents.peers(call.node.peers.status(), (), by_operator=True)}


async def add_peer(call: Call) -> Mapping[str, Any]:
    address = call.body["address"].strip()
    try:
        await call.node.peers.add(address)
    except ValueError as error:
        raise WrongField("address", str(error)) from error
    state = next((row["state"] for row in call.node.peers.status() if row["address"] == address), "waiting")
    return {"address": address, "state": state}


async def remove_peer(call: Call) -> Mapping[str, Any]:
    address = call.query.get("address", "")
    if not await call.node.peers.remove(address):
        raise Unknown(f"this node knows no peer at {address[:200]!r}")
    return {"address": address}


async def sync(call: Call) -> Mapping[str, Any]:
    """Without `wait` the peers are asked, and the answer is how things stand at this moment."""
    seconds = float(call.body.get("timeout", SYNC_S)) if call.body.get("wait", True) else 0.0
    result = await call.node.peers.sync(seconds)
    rows = documents.peers(call.node.peers.status(), (), by_operator=True)
    return {"in_step": result.in_step, "reason": result.reason, "peers": rows}


async def check(call: Call) -> web.StreamResponse:
    """Progress as it goes, and at the end what is wrong."""
    node = call.node
    if node.checking.locked():
        raise Conflict("this node is being checked already")
    async with node.checking:
        said: dict[str, list[int]] = {}

        def progress(done: int, total: int) -> None:
            said["progress"] = [done, total]

        def run(store: Store) -> list[Problem]:
            return store.rebuild(progress) if call.body.get("rebuild", False) else store.check(progress)

        rebuild = call.body.get("rebuild", False)
        work = asyncio.ensure_future(node.writer.run(run) if rebuild else node.writer.read(run))
        lines = Lines(call.request)
        await lines.begin()
        while not work.done():
            await asyncio.wait([work], timeout=PROGRESS_S)
            if said and not work.done():
                await lines.write(dict(said))
        try:
            found = work.result()
        except Exception as error:  # noqa: BLE001 - the answer has begun: it says so itself
            node.log.error("check-failed", cause=error)
            await lines.write({"problem": problems.document(error)})
        else:
            node.log.info("checked", rebuild=rebuild, problems=len(found))
            listed = [{"what": problem.what, "detail": problem.detail} for problem in found]
            notices = await node.writer.read(_exposed) if not found else []
            await lines.write({"result": {"ok": not found, "problems": listed, "notices": notices}})
        return await lines.end()


def _exposed(store: Store) -> list[str]:
    """What one should know of places that were written before they were blurred, or on purpose. Nothing is changed by it."""
    found = []
    for info in store.communities():
        views = halves.exposed(store, info.id)
        if views:
            titles = ", ".join(f"{view.title} ({view.record.hex()[:8]})" for view in views[:EXPOSED_SHOWN])
            more = f" and {len(views) - EXPOSED_SHOWN} more" if len(views) > EXPOSED_SHOWN else ""
            found.append(
                f"{info.name or info.id.hex()[:8]}: everybody sees exactly where these are kept: {titles}{more}."
                " `edit ID --at LAT,LON` blurs one from now on"
            )
    return found
