"""Short words for what people do with a thing that is lent: asks, what its keeper says, hand-overs of its keeping."""

from collections.abc import Mapping, Sequence
from hashlib import blake2b

from commonsnode_protocol.canonical import Value
from commonsnode_protocol.changeset import PUBLIC
from commonsnode_protocol.commitments import KIND
from commonsnode_protocol.intake import Checked
from commonsnode_protocol.record import typed_id
from store_people import ANA, BEN, COMMUNITY, FOUNDER, NOW, Author

CAT = Author("cat")
GRANTS = [FOUNDER.grant(COMMUNITY, each.key) for each in (ANA, BEN, CAT)]
NONCE = bytes(16)
DRILL = typed_id(COMMUNITY, ANA.key, NONCE)
HOUR = 3_600_000


def writes(
    author: Author,
    record: bytes,
    kind: str,
    fields: Mapping[str, Value],
    *refs: Checked,
    time: int = NOW,
    lane: str = PUBLIC,
    over: Sequence[Checked] = (),
) -> Checked:
    ids = tuple(each.id for each in over)
    return author.write(
        COMMUNITY,
        {(record, kind): {name: (value, ids) for name, value in fields.items()}},
        refs=[each.id for each in refs],
        time=time,
        lane=lane,
    )


def thing(author: Author = ANA, nonce: bytes = NONCE, lane: str = PUBLIC, **fields: Value) -> Checked:
    """A thing of which the author is the creator, so its keeper."""
    record = typed_id(COMMUNITY, author.key, nonce)
    return writes(author, record, "resource", {"nonce": nonce, "title": "Drill", **fields}, lane=lane)


def ask(
    author: Author,
    begin: int,
    end: int,
    *refs: Checked,
    time: int = NOW,
    name: str = "",
    of: bytes = DRILL,
    lane: str = PUBLIC,
    **more: Value,
) -> Checked:
    """An ask for some hours after NOW."""
    nonce = blake2b(f"{author.name} {begin} {end} {time} {name}".encode(), digest_size=16).digest()
    said = {"action": "use", "resource": of, "nonce": nonce, **more}
    said |= {"from": NOW + begin * HOUR, "until": NOW + end * HOUR}
    return writes(author, typed_id(COMMUNITY, author.key, nonce), KIND, said, *refs, time=time, lane=lane)


def act(
    author: Author, of: Checked, field: str, *refs: Checked, time: int = NOW + 1, value: Value = True
) -> Checked:
    record = next(record for record, kind, _ in of.changeset.changes if kind == KIND)
    lane = of.changeset.lane
    return writes(author, record, KIND, {field: value}, of, *refs, time=time, lane=lane)


def hand(
    author: Author, keeper: Author, *refs: Checked, over: Sequence[Checked] = (), time: int = NOW
) -> Checked:
    return writes(author, DRILL, "resource", {"keeper": keeper.key}, *refs, over=over, time=time)
