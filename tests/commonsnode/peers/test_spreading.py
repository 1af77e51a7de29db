"""More came at once than is pushed: who is shut out by it is told why, all the same."""

from pathlib import Path

from authority_acts import copy as copied
from authority_acts import grant, table, village
from authority_world import key_of
from commonsnode.peers.spreading import PUSHED_IDS_MAX, pack_farewell
from commonsnode.writing import Landed
from commonsnode_protocol import batch
from commonsnode_protocol.changeset import AUTHORITY, PUBLIC, decode
from commonsnode_protocol.limits import LIVE_BYTES_MAX
from commonsnode_store.store import Store
from store_acts import NOW, signed


def test_a_steward_who_was_removed_gets_the_table_out_of_a_large_landing(tmp_path: Path) -> None:
    node = village("F", "B", "C")
    peer = copied(node)
    store = Store.open(tmp_path / "node.sqlite3", create=True)
    try:
        store.follow(node.community, [PUBLIC])
        store.apply(node.community, AUTHORITY, [signed(each) for each in node.held()], seen_ms=NOW)
        before = {each.id for each in node.held()}
        for n in range(PUSHED_IDS_MAX + 1):
            grant(node, "F", f"P{n}")
        table(node, "F", "B", remove=["C"])
        new = [signed(each) for each in node.held() if each.id not in before]
        applied = store.apply(node.community, AUTHORITY, new, seen_ms=NOW)
        landed = Landed(node.community, AUTHORITY, applied.new, None, True)
        assert len(landed.ids) > PUSHED_IDS_MAX
        size, packed = pack_farewell(store, landed, key_of("C"))
        told = batch.unpack(size, packed, size_max=LIVE_BYTES_MAX)
        peer.take(AUTHORITY, [decode(each.body) for each in told])
        assert not peer.authority.admits(key_of("C"))
        assert len(told) == 1
        assert pack_farewell(store, landed, key_of("P0")) == pack_farewell(store, landed, key_of("C"))
    finally:
        store.close()
