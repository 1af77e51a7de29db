"""Short words for acts, so that a test reads as what people did. All are written from what a node holds, then taken in there."""

from collections.abc import Mapping, Sequence

from authority_world import Node, dated, founded, key_of, nonce, seed_of
from commonsnode_protocol.authority import MEMBER, Settings, writing
from commonsnode_protocol.authority.acts import Certificate
from commonsnode_protocol.canonical import Value
from commonsnode_protocol.changeset import Changeset

DEFAULT = Settings()


def village(*stewards: str, settings: Settings = DEFAULT, acked: bool = True) -> Node:
    """A community whose stewards were added one by one, by all signatures there are, and acked by all."""
    charter = founded(stewards[0], settings)
    node = Node(charter.id)
    node.write(charter)
    for n in range(1, len(stewards)):
        table(node, *stewards[:n], add=[stewards[n]])
        for steward in stewards[:n] if acked else ():
            ack(node, steward)
    return node


def copy(node: Node, lanes: Sequence[str] | None = None) -> Node:
    """Another node that holds the same."""
    other = Node(node.community, node.lanes if lanes is None else lanes)
    other.take("authority", node.held())
    for lane in other.lanes:
        other.take(lane, [*node.data.get(lane, {}).values()])
    return other


def draft_table(
    node: Node, *signers: str, add: Sequence[str] = (), remove: Sequence[str] = (), name: str = "Valley",
    settings: Settings | None = None, author: str | None = None,
) -> Changeset:  # fmt: skip
    """A certificate on the node's current table that the node does not hold yet."""
    fields = writing.next_table(
        node.evaluator, name=name, settings=settings, add=[*map(key_of, add)], remove=[*map(key_of, remove)],
        data=node.standing_data(), stands=node.stands,
    )  # fmt: skip
    signatures = {key_of(name): writing.sign_table(node.evaluator, fields, seed_of(name)) for name in signers}
    by = key_of(author or signers[0])
    return signed_table(node, fields, signatures, by)


def signed_table(
    node: Node, fields: Mapping[str, Value], signatures: Mapping[bytes, bytes], author: bytes
) -> Changeset:
    """A certificate, whether or not these signatures are enough."""
    signed: Value = [[key, signatures[key]] for key in sorted(signatures)]
    writes = {name: (value, ()) for name, value in {**fields, "signatures": signed}.items()}
    change: writing.DraftChange = (nonce(), "certificate", writes)
    return dated(writing.Draft((change,), (), node.community), author)


def table(
    node: Node, *signers: str, add: Sequence[str] = (), remove: Sequence[str] = (), name: str = "Valley",
    settings: Settings | None = None,
) -> Changeset:  # fmt: skip
    return node.write(draft_table(node, *signers, add=add, remove=remove, name=name, settings=settings))


def ack(node: Node, steward: str) -> None:
    """All that an honest node of this steward acks now."""
    for parent, child in writing.to_ack(node.evaluator, key_of(steward)):
        node.write(
            dated(writing.ack(node.evaluator, key_of(steward), nonce(), parent, child), key_of(steward))
        )


def draft_ack(node: Node, steward: str, parent: bytes, child: bytes) -> Changeset:
    return dated(writing.ack(node.evaluator, key_of(steward), nonce(), parent, child), key_of(steward))


def grant(node: Node, steward: str, person: str, role: str = MEMBER) -> Changeset:
    draft = writing.grant(node.evaluator, key_of(steward), nonce(), key_of(person), role)
    return node.write(dated(draft, key_of(steward)))


def revoke(node: Node, steward: str, person: str) -> Changeset:
    draft = writing.revocation(
        node.evaluator, key_of(steward), nonce(), key_of(person), node.standing_data(), node.stands
    )
    return node.write(dated(draft, key_of(steward)))


def invite(node: Node, steward: str, name: str = "I", uses: int = 1, role: str = MEMBER) -> Changeset:
    draft = writing.invitation(node.evaluator, key_of(steward), nonce(), key_of(name), role, uses)
    return node.write(dated(draft, key_of(steward)))


def withdraw(node: Node, steward: str, name: str = "I") -> Changeset:
    return node.write(
        dated(writing.withdrawal(node.evaluator, key_of(steward), nonce(), key_of(name)), key_of(steward))
    )


def draft_join(node: Node, person: str, name: str = "I") -> Changeset:
    draft = writing.join(node.community, key_of(person), nonce(), seed_of(name), key_of(name))
    return dated(draft, key_of(person))


def join(node: Node, person: str, name: str = "I") -> Changeset:
    return node.write(draft_join(node, person, name))


def pin(node: Node, steward: str) -> None:
    """All that an honest node of this steward pins now."""
    for id_ in writing.to_pin(node.evaluator):
        node.write(dated(writing.pin(node.evaluator, key_of(steward), nonce(), id_), key_of(steward)))


def device(
    node: Node, author: str, person: str, new: str, *, recovery: bool = False, only_node: bool = False
) -> Changeset:
    agreement = writing.key_agreement(node.community, key_of(person), seed_of(new), recovery=recovery)
    draft = writing.key_added(
        node.evaluator, key_of(author), nonce(), key_of(person), key_of(new), agreement, recovery=recovery, node=only_node
    )  # fmt: skip
    return node.write(dated(draft, key_of(author)))


def revoke_key(node: Node, author: str, person: str, key: str) -> Changeset:
    draft = writing.key_revocation(
        node.evaluator,
        key_of(author),
        nonce(),
        key_of(person),
        key_of(key),
        node.standing_data(),
        node.stands,
    )
    return node.write(dated(draft, key_of(author)))


def succession(
    node: Node, *signers: str, add: Sequence[str], roll: Sequence[bytes] | None = None
) -> Changeset:
    """A succession of the node's current table that the node does not hold yet."""
    fields = writing.next_by_succession(node.evaluator, [*map(key_of, add)])
    if roll is not None:
        fields["roll"] = [*sorted(roll)]
    signatures = {key_of(name): writing.sign_table(node.evaluator, fields, seed_of(name)) for name in signers}
    author = key_of(signers[0])
    return dated(writing.certificate(node.evaluator, author, nonce(), fields, signatures), author)


def object_to(node: Node, steward: str, succession_: Changeset) -> Changeset:
    entry = node.evaluator.entry(succession_.id)
    assert entry is not None
    act = entry.of_table
    assert isinstance(act, Certificate)
    return node.write(
        dated(
            writing.objection(node.evaluator, key_of(steward), nonce(), act.parent, act.id), key_of(steward)
        )
    )


def thing(node: Node, author: str, lane: str = "public") -> Changeset:
    return node.add_thing(key_of(author), lane)


def stewards(node: Node, names: str = "FBCDEXYZMN") -> str:
    """The stewards of the current table, by their letters."""
    letters = {key_of(name): name for name in names}
    return ",".join(letters[key] for key in node.authority.stewards)


def role(node: Node, person: str) -> str | None:
    member = node.authority.members.get(key_of(person))
    return member.role if member is not None else None
