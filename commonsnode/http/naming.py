"""The names of people beside their keys, in what is answered to who may read them."""

from collections.abc import Iterable, Mapping
from typing import Any

from commonsnode import names
from commonsnode.http.calls import Call


async def names_for(call: Call, community: bytes, keys: Iterable[bytes]) -> dict[str, str]:
    """key (hex) → how the person is called, of those of these keys that have a name which who calls may read."""
    if call.session is None and not call.by_operator:
        return {}
    wanted = {*keys}
    # Who made which invitation is known to the evaluator, which is the writer thread's; all else is read beside it.
    known = await call.node.writer.run(lambda store: names.inviting(store.evaluator(community), wanted))
    found = await call.node.writer.read(lambda store: names.names_of_keys(store, community, known, wanted))
    return {key.hex(): name for key, name in found.items()}


async def with_names(
    call: Call, community: bytes, rows: Iterable[Mapping[str, Any]], key: str = "id", name: str = "name"
) -> list[dict[str, Any]]:
    """The same rows, each with the name of who stands under `key`."""
    every = list(rows)
    found = await names_for(call, community, (bytes.fromhex(row[key]) for row in every))
    return [{**row, name: found.get(row[key])} for row in every]
