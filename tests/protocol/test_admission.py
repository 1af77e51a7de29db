"""Why a key is admitted no more: what tells its node so, where all else that came with it is too much to push."""

from collections.abc import Callable

import pytest

from authority_acts import (
    ack,
    copy,
    device,
    grant,
    invite,
    join,
    revoke,
    revoke_key,
    table,
    village,
)
from authority_world import Node, dated, key_of, nonce
from commonsnode_protocol import admission
from commonsnode_protocol.authority import writing
from commonsnode_protocol.changeset import AUTHORITY


def revoked(node: Node) -> None:
    revoke(node, "F", "M")


def removed_as_steward(node: Node) -> None:
    table(node, "F", "B", add=["M"])
    ack(node, "F")


def then_removed(node: Node) -> None:
    table(node, "F", "B", remove=["M"])
    ack(node, "B")


def device_revoked(node: Node) -> None:
    revoke_key(node, "M", "M", "M2")


def device_revoked_by_a_steward(node: Node) -> None:
    revoke_key(node, "F", "M", "M2")


def left(node: Node) -> None:
    node.write(dated(writing.leave(node.evaluator, key_of("M"), nonce(), key_of("M")), key_of("M")))


def withdrawn_unnamed(node: Node) -> None:
    node.write(
        dated(
            writing.Draft(
                ((nonce(), "withdrawal", {"invitation": (key_of("I"), ()), "joins": ([], ())}),),
                (),
                node.community,
            ),
            key_of("F"),
        )
    )


def joined(node: Node) -> None:
    join(node, "X")


def nothing(node: Node) -> None:
    """It was so from the beginning."""


@pytest.mark.parametrize(
    ("before", "shut_out", "name"),
    [
        (nothing, revoked, "M"),
        (removed_as_steward, then_removed, "M"),
        (nothing, device_revoked, "M2"),
        (nothing, device_revoked_by_a_steward, "M2"),
        (nothing, left, "M"),
        (joined, withdrawn_unnamed, "X"),
    ],
)
def test_who_is_shut_out_learns_it_from_few_of_all_that_came(
    before: Callable[[Node], None], shut_out: Callable[[Node], None], name: str
) -> None:
    node, key = village("F", "B"), key_of(name)
    grant(node, "F", "M")
    device(node, "M", "M", "M2")
    invite(node, "F")
    before(node)
    peer = copy(node)
    assert peer.authority.admits(key)
    for other in "CDNYZ":
        grant(node, "F", other)
    shut_out(node)
    assert not node.authority.admits(key)
    told = [each for each in node.held() if each.id in admission.shut_out_by(node.evaluator, key)]
    assert len(told) < len(node.held()) - 5
    peer.take(AUTHORITY, told)
    assert not peer.authority.admits(key)


def test_before_the_charter_is_here_nothing_shuts_out() -> None:
    assert admission.shut_out_by(Node(bytes(32)).evaluator, key_of("M")) == frozenset()
