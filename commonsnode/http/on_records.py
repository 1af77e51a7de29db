"""The API on single things, and on lists of them."""

from collections.abc import Callable, Mapping
from typing import Any

from commonsnode import communities, halves, intents, inventory, members, names
from commonsnode.authoring import Author
from commonsnode.errors import WrongField
from commonsnode.http import documents, on_care
from commonsnode.http.calls import Call, fields_of
from commonsnode.http.naming import names_for, with_names
from commonsnode.http.on_communities import community_of
from commonsnode.inventory import Done
from commonsnode_protocol.changeset import MEMBERS
from commonsnode_store.answers import RecordRef
from commonsnode_store.store import Store

PAGE_RECORDS = 50


async def listed(call: Call) -> Mapping[str, Any]:
    """The records of one community where the path names one, else of all."""
    query = call.query
    name = call.path.get("community")
    apart = () if query.get("kind") in names.OF_PEOPLE else names.OF_PEOPLE
    beside = () if query.get("kind") in documents.ABOUT_THINGS else documents.ABOUT_THINGS

    def read(store: Store) -> dict[str, Any]:
        try:
            page = store.page(
                community=communities.resolve(store, name).id if name is not None else None,
                kind=query.get("kind"),
                text=query.get("text", ""),
                deleted=query.get("deleted", False),
                cursor=query.get("cursor"),
                limit=query.get("limit", PAGE_RECORDS),
                without=apart,
                beside=beside,
            )
        except ValueError as error:
            raise WrongField("cursor", str(error)) from error
        halves_held = halves.held(store, page.records)
        rows = [
            documents.record(view)
            if view.ref not in halves_held
            else documents.with_held_half(documents.record(view), halves_held[view.ref])
            for view in page.records
        ]
        if page.cursor is None and not query.get("deleted", False):  # the last page
            community = communities.resolve(store, name).id if name is not None else None
            held = documents.held_only(store, community, query.get("kind"), query.get("text", ""))
            rows += [row for row in held if row["kind"] not in (*apart, *beside)]
        return {"records": rows, "cursor": page.cursor}

    return await call.node.writer.read(read)


async def add(call: Call) -> Mapping[str, Any]:
    community = await community_of(call)
    fields = fields_of(call.body)
    kind, lane = call.body.get("kind", inventory.KIND), call.body.get("lane", "public")
    exact = call.body.get("exact_place", False)

    def write(author: Author) -> Done:
        if lane == MEMBERS:
            call.check_member(author.store, community)
        return inventory.add(author, community, fields, kind=kind, lane=lane, exact_place=exact)

    done = await call.sign(write)
    return {**_written(done), "blurred": done.blurred_m, "community": community.hex()}


async def intend(call: Call) -> Mapping[str, Any]:
    """Offer something, or say that it is needed."""
    community, body = await community_of(call), call.body
    fields = fields_of(body)
    lane = body.get("lane", "public")

    def write(author: Author) -> Done:
        if lane == MEMBERS:
            call.check_member(author.store, community)
        return intents.say(
            author,
            community,
            body["direction"],
            fields,
            since=body.get("from"),
            until=body.get("until"),
            lane=lane,
            exact_place=body.get("exact_place", False),
        )

    done = await call.sign(write)
    return {**_written(done), "blurred": done.blurred_m, "community": community.hex()}


async def shown(call: Call) -> Mapping[str, Any]:
    now_ms = call.node.clock.now_ms()

    def read(store: Store) -> dict[str, Any]:
        ref = _resolve(store, call, void=True)
        view, held = store.whole(ref), inventory.held_values(store, ref)
        found = documents.record_full(store, view) if view is not None else documents.record_void(store, ref)
        found = {**found, "care": on_care.summary(store, view, now_ms) if view is not None else None}
        if view is not None and (half := halves.held(store, [view]).get(ref)) is not None:
            return documents.with_held_half(found, half)
        return found if held is None else documents.with_held(found, held)

    found = await call.node.writer.read(read)
    last = found["care"]["last"] if found["care"] is not None else None
    if last is not None:
        named = await names_for(call, bytes.fromhex(found["community"]), [bytes.fromhex(last["by"])])
        last["by_name"] = named.get(last["by"])
    return found


async def history(call: Call) -> Mapping[str, Any]:
    def read(store: Store) -> tuple[bytes, list[dict[str, Any]]]:
        ref = _resolve(store, call, void=True)
        return ref.community, documents.history(halves.whole_history(store, ref))

    community, rows = await call.node.writer.read(read)
    return {"history": await with_names(call, community, rows, "author", "author_name")}


async def edit(call: Call) -> Mapping[str, Any]:
    fields = fields_of(call.body)
    lane, exact = call.body.get("lane"), call.body.get("exact_place", False)

    def write(author: Author, ref: RecordRef) -> Done:
        if lane == MEMBERS:
            call.check_member(author.store, ref.community)
        return inventory.edit(author, ref, fields, lane=lane, exact_place=exact)

    done = await _change(call, write)
    return {**_written(done), "blurred": done.blurred_m, "changed": sorted(done.changed)}


async def remove(call: Call) -> Mapping[str, Any]:
    return _written(await _change(call, inventory.remove))


async def restore(call: Call) -> Mapping[str, Any]:
    return _written(await _change(call, inventory.restore))


async def adopt(call: Call) -> Mapping[str, Any]:
    adopted = await call.sign(lambda author: members.adopt(author, _resolve(author.store, call, void=True)))
    call.node.log.info("adopted", record=adopted.record.hex(), changesets=len(adopted.adopted))
    return {
        "id": adopted.record.hex(),
        "adopted": [id_.hex() for id_ in adopted.adopted],
        "changesets": [id_.hex() for id_ in adopted.changesets],
    }


async def _change(call: Call, act: Callable[[Author, RecordRef], Done]) -> Done:
    # Found in the writer thread: what is acted on is what is here at that moment.
    return await call.sign(lambda author: act(author, _resolve(author.store, call)))


def _resolve(store: Store, call: Call, *, void: bool = False) -> RecordRef:
    name = call.query.get("community")
    return inventory.resolve(
        store,
        call.path["id"],
        community=communities.resolve(store, name).id if name is not None else None,
        kind=call.query.get("kind"),
        lane=call.query.get("lane"),
        void=void,
    )


def _written(done: Done) -> dict[str, Any]:
    return {
        "id": done.record.hex(),
        "changeset": done.changeset.hex() if done.changeset is not None else None,
        "waiting": done.waiting,
        "why": done.why,
    }
