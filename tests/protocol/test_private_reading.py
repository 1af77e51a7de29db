"""Private communities: whatever the schedule, tags and data go to admitted nodes only, and these all end with all of it."""

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from commonsnode_protocol import admission, batch, frames, intake, serving
from commonsnode_protocol import session_events as events
from commonsnode_protocol.authority import Evaluator, Settings, evaluate, writing
from commonsnode_protocol.changeset import (
    AUTHORITY,
    KEYS,
    MEMBERS,
    PUBLIC,
    Changeset,
    Signed,
    build,
    decode,
    public_key,
    sign,
)
from commonsnode_protocol.errors import PeerError, Reason
from commonsnode_protocol.limits import FAREWELL_MS_MAX, SHOWS_MAX
from commonsnode_protocol.session import Session
from session_world import CHANNEL, LANES, End, Node, World
from session_world import signed as signed_with

STEWARD, MEMBER, MIRROR, JOINER, STRANGER, FORMER, INVITATION = (bytes([n]) * 32 for n in range(11, 18))
EVERYBODY = (STEWARD, MEMBER, MIRROR, JOINER, STRANGER, FORMER, INVITATION)
HELLO = frames.Hello((1,), 4 * 1024 * 1024, 0, "test")


def dated(draft: writing.Draft, seed: bytes, time: int) -> Signed:
    body = build(
        community=draft.community,
        lane=AUTHORITY,
        author=public_key(seed),
        time=time,
        refs=draft.refs,
        changes=list(draft.changes),
    )
    return sign(body, seed)


def nonce(number: int) -> bytes:
    return number.to_bytes(16, "big")


def founding(*, members_only: bool) -> Signed:
    key = public_key(STEWARD)
    return dated(writing.charter(key, nonce(1), "Valley", Settings(members_only=members_only)), STEWARD, 1)


CHARTER, PUBLIC_CHARTER = founding(members_only=True), founding(members_only=False)
COMMUNITY = CHARTER.id


class Private(Node):
    """A node with a key that may follow the private community."""

    community = COMMUNITY

    def __init__(self, seed: bytes) -> None:
        super().__init__()
        self.key = public_key(seed)
        self.knocks: list[tuple[bytes, Signed]] = []  # door of words, what is shown there

    @property
    def followed(self) -> serving.Followed:
        return serving.Followed(self.lanes, admission.Readers(self.authority))

    def evaluator(self) -> Evaluator:
        held = Evaluator(COMMUNITY)
        held.add(checked.changeset for checked in self.held[AUTHORITY].values())
        held.add(Private.read(signed) for signed in self.waiting)
        return held

    @staticmethod
    def read(signed: Signed) -> Changeset:
        checked = intake.check(COMMUNITY, AUTHORITY, signed)
        assert isinstance(checked, intake.Checked)
        return checked.changeset

    def proofs(self) -> list[tuple[bytes, int, bytes]]:
        held = self.evaluator()
        proofs = admission.proof_of_join(held, self.key)
        if held.chain is not None:
            proof = admission.proof_of_member(held, self.key)
            proofs = [proof] if proof is not None else []
        known = {each.id: each for each in self.waiting}
        known |= {id_: checked.signed for id_, checked in self.held[AUTHORITY].items()}
        shown = [(proof.door, *batch.pack([known[id_] for id_ in proof.ids])) for proof in proofs]
        return [*shown, *((door, *batch.pack([knock])) for door, knock in self.knocks)]


class Valley(World):
    """Sessions that are told what the rules of reading say, as the daemon tells them."""

    def __init__(self, seed: int, nodes: list[Private]) -> None:
        super().__init__(seed, 0)
        self.private = nodes
        self.nodes = list(nodes)
        self.told: dict[End, serving.Told] = {}
        self.said: list[tuple[int, int, frames.Frame]] = []  # who, to whom, what

    def connect(self, a: int, b: int) -> None:
        before = len(self.ends)
        super().connect(a, b)
        for end in self.ends[before:]:
            self.decide(end)

    def first(self, end: End) -> events.Event:
        node = self.private[end.node]
        told = self.told[end] = serving.Told(self.private[end.other.node].key)
        return events.Follow(
            tuple((key, node.state(key[1])) for key in told.begin({COMMUNITY: node.followed}))
        )

    def decide(self, end: End) -> None:
        node, told = self.private[end.node], self.told[end]
        decision = told.decide(COMMUNITY, node.followed)
        if decision.follow:
            end.events.append(events.Follow(tuple((key, node.state(key[1])) for key in decision.follow)))
        if decision.quiet:
            end.events.append(
                events.FollowQuietly(tuple((key, node.state(key[1])) for key in decision.quiet))
            )
        end.events.extend(events.Leave(key, grace) for key, grace in decision.leave)
        if serving.introduces_itself(node.key, told.peer, node.followed.readers):
            end.events.extend(events.Introduce(COMMUNITY, *proof) for proof in node.proofs())

    def write(self, node: int, lane: str, *changesets: Signed, via: End | None = None, hops: int = 1) -> int:
        refused = super().write(node, lane, *changesets, via=via, hops=hops)
        if lane == AUTHORITY:
            waiting, self.private[node].waiting = self.private[node].waiting, []
            if waiting:
                super().write(node, lane, *waiting)
                held = self.private[node].held[AUTHORITY]
                self.private[node].waiting = [each for each in waiting if each.id not in held]
            for end in self.ends:
                if end.node == node:
                    self.decide(end)
        return refused

    def saw(self, end: End, effect: events.Effect) -> None:
        if isinstance(effect, events.Send):
            self.said.append((end.node, end.other.node, frames.decode(effect.data)))
        elif isinstance(effect, events.Shown):
            end.pending.append(lambda: self.shown(end, effect))

    def shown(self, end: End, shown: events.Shown) -> None:
        node, peer = self.private[end.node], self.told[end].peer
        role = frames.RESPONDER if end.session.initiator else frames.INITIATOR
        doors = {*admission.doors(node.evaluator()), frames.door_of_key(COMMUNITY, peer)}
        known = node.followed.readers.known
        for words in admission.doors_of_words(node.evaluator()) if known else ():
            if shown.tag == frames.door_tag(CHANNEL, role, words):
                knocks = batch.unpack(shown.size, shown.packed, size_max=2**20)
                if any(
                    Private.read(each).author == words and admission.knocks_for(Private.read(each), peer)
                    for each in knocks
                ):
                    self.told[end].words[COMMUNITY] = words
                    self.decide(end)
                return
        if known and shown.tag in {frames.door_tag(CHANNEL, role, door) for door in doors}:
            self.write(end.node, AUTHORITY, *batch.unpack(shown.size, shown.packed, size_max=2**20))


class _Acts:
    """The acts of the steward, each knowing those before it."""

    def __init__(self) -> None:
        self.every = [CHARTER]
        self.held = Evaluator(COMMUNITY)
        self.held.add([Private.read(CHARTER)])

    def add(self, draft: writing.Draft) -> Signed:
        act = dated(draft, STEWARD, 10 + len(self.every))
        self.held.add([Private.read(act)])
        self.every.append(act)
        return act


BY = public_key(STEWARD)
ACTS = _Acts()
GRANT_FORMER = ACTS.add(writing.grant(ACTS.held, BY, nonce(3), public_key(FORMER), "member"))
OLD = tuple(ACTS.every)  # what the former member knows
REVOCATION = ACTS.add(
    writing.revocation(ACTS.held, BY, nonce(4), public_key(FORMER), {}, lambda id_: id_ in ACTS.held.standing)
)
KNEW = tuple(ACTS.every)  # or this, having learnt that it is one
INVITED = ACTS.add(writing.invitation(ACTS.held, BY, nonce(2), public_key(INVITATION), "member", 1))
EARLY = tuple(ACTS.every)  # what everybody knows
GRANT_MEMBER = ACTS.add(writing.grant(ACTS.held, BY, nonce(5), public_key(MEMBER), "member"))
GRANT_MIRROR = ACTS.add(writing.grant(ACTS.held, BY, nonce(6), public_key(MIRROR), "mirror"))
GRANT_AGAIN = ACTS.add(writing.grant(ACTS.held, BY, nonce(8), public_key(FORMER), "member"))
JOIN = dated(
    writing.join(COMMUNITY, public_key(JOINER), nonce(7), INVITATION, public_key(INVITATION)), JOINER, 50
)


def thing(seed: bytes, time: int) -> Signed:
    return signed_with(seed, COMMUNITY, PUBLIC, "resource", time, {"title": f"Thing {time}"})


def node(seed: bytes, *authority: Signed, things: tuple[Signed, ...] = ()) -> Private:
    found = Private(seed)
    if authority:
        found.take(AUTHORITY, authority)
    if things:
        found.take(PUBLIC, things)
    return found


def valley(seed: int, *, knows_of_revocation: bool) -> Valley:
    """Steward, member, mirror, joiner, stranger, former member. The member's grant is known to the member only, at first."""
    joiner = node(JOINER)
    joiner.waiting = [JOIN]
    old, new = thing(STEWARD, 1000), thing(STEWARD, 2000)
    former = node(FORMER, *(KNEW if knows_of_revocation else OLD), things=(old,))
    return Valley(
        seed,
        [
            node(STEWARD, *EARLY, GRANT_MIRROR, things=(old, new)),
            node(MEMBER, *EARLY, GRANT_MEMBER, things=(thing(STEWARD, 3000),)),
            node(MIRROR, *EARLY, GRANT_MIRROR),
            joiner,
            node(STRANGER),
            former,
        ],
    )


PAIRS = [(a, b) for a in range(6) for b in range(6) if a < b]


@settings(max_examples=15, deadline=None, phases=(Phase.generate,))
@given(
    st.integers(0, 2**32),
    st.permutations(PAIRS),
    st.lists(st.booleans(), min_size=15, max_size=15),
    st.booleans(),
)
def test_those_who_are_admitted_end_with_all_and_the_others_are_told_nothing(
    seed: int, pairs: list[tuple[int, int]], turned: list[bool], knows: bool
) -> None:
    world = valley(seed, knows_of_revocation=knows)
    for (a, b), other_way in zip(pairs, turned, strict=True):
        world.connect(*((b, a) if other_way else (a, b)))
        for _ in range(world.random.randrange(8)):
            busy = [end for end in world.ends if end.events or end.pending or end.wire]
            if busy:
                world.random.choice(busy).step()
    world.run()
    assert all(end.error is None for end in world.ends)
    states = {tuple(each.state(lane) for lane in LANES) for each in world.private[:4]}
    assert len(states) == 1
    assert len(world.private[0].held[PUBLIC]) == 3
    assert JOIN.id in world.private[0].held[AUTHORITY]
    stranger, former = world.private[4:]
    assert not stranger.held[AUTHORITY]
    assert set(former.held[PUBLIC]) == {thing(STEWARD, 1000).id}
    for who, to, frame in world.said:
        if to == 4 or (to == 5 and who != 4):
            # Of the community nobody says a word to them; the joiner knocks at a door that they do not know.
            assert frame == frames.Lanes(()) or (who == 3 and isinstance(frame, frames.Show))


def test_a_revoked_peer_learns_of_it_and_is_told_nothing_that_comes_after() -> None:
    world = Valley(1, [node(STEWARD, *OLD, things=(thing(STEWARD, 1000),)), node(FORMER, *OLD)])
    world.connect(1, 0)
    world.run()
    assert thing(STEWARD, 1000).id in world.private[1].held[PUBLIC]
    began = world.now_ms
    world.write(0, AUTHORITY, REVOCATION)
    world.write(0, PUBLIC, thing(STEWARD, 2000))
    world.run(lambda: not any(end.session.shared() for end in world.ends))
    assert world.now_ms - began <= FAREWELL_MS_MAX
    assert REVOCATION.id in world.private[1].held[AUTHORITY]
    assert thing(STEWARD, 2000).id not in world.private[1].held[PUBLIC]
    world.run()
    assert thing(STEWARD, 2000).id not in world.private[1].held[PUBLIC]
    assert all(end.session.shared() == {} and end.error is None for end in world.ends)


def test_who_is_admitted_again_on_the_same_link_catches_up() -> None:
    for first, second in ((0, 1), (1, 0)):
        world = Valley(1, [node(STEWARD, *EARLY[:-2]), node(FORMER, *EARLY[:-2])])
        world.connect(first, second)
        world.run()
        world.write(0, AUTHORITY, *EARLY)
        world.write(0, PUBLIC, thing(STEWARD, 2000))
        world.run()
        assert not world.private[1].held[PUBLIC]
        world.write(0, AUTHORITY, *ACTS.every)
        world.run()
        assert world.equal()
        assert all(
            len(end.session.shared()) == 2 and all(end.session.shared().values()) for end in world.ends
        )


def test_who_is_admitted_on_a_live_link_hears_of_the_community_at_once() -> None:
    world = Valley(1, [node(STEWARD, *EARLY, things=(thing(STEWARD, 1000),)), node(MEMBER)])
    world.connect(1, 0)
    world.run()
    assert {frame for _, _, frame in world.said} == {frames.Lanes(())}
    world.write(0, AUTHORITY, GRANT_MEMBER)
    world.run()
    assert world.equal()
    assert len(world.private[1].held[PUBLIC]) == 1


def test_sealed_lanes_are_for_admitted_nodes_in_public_communities_too() -> None:
    open_to_all = evaluate(PUBLIC_CHARTER.id, [decode(PUBLIC_CHARTER.body)])
    readers = admission.Readers(open_to_all)
    for lane in (MEMBERS, KEYS):
        assert readers.may_read(lane, public_key(STEWARD))
        assert not readers.may_read(lane, public_key(STRANGER))
    assert readers.may_read(PUBLIC, public_key(STRANGER))


def test_who_is_admitted_is_who_has_a_role_by_a_key_that_was_not_cut() -> None:
    """A mirror is admitted and reads nothing that is sealed; a former member is neither."""
    authority = ACTS.held.authority
    assert {seed for seed in EVERYBODY if authority.admits(public_key(seed))} == {
        STEWARD,
        MEMBER,
        MIRROR,
        FORMER,
    }
    assert {seed for seed in EVERYBODY if authority.reads(public_key(seed))} == {STEWARD, MEMBER, FORMER}
    assert {public_key(seed) for seed in EVERYBODY if authority.reads(public_key(seed))} == ACTS.held.readers
    former = evaluate(COMMUNITY, [decode(signed.body) for signed in KNEW])
    assert not former.admits(public_key(FORMER))
    assert not former.reads(public_key(FORMER))


def test_a_session_takes_so_many_shows_whatever_they_are() -> None:
    session = Session(initiator=False, channel_hash=CHANNEL, peer_hello=HELLO)
    session.handle(events.Follow(()), 0)
    show = events.Received(frames.encode(frames.Show(bytes(16), 5, b"none at all")))
    for _ in range(SHOWS_MAX):
        session.handle(show, 0)
    with pytest.raises(PeerError) as caught:
        session.handle(show, 0)
    assert caught.value.reason is Reason.FLOOD


WORDS, BROUGHT_BACK, THIEF = (bytes([n]) * 32 for n in (21, 22, 23))


def knock(words: bytes, key: bytes) -> Signed:
    return dated(admission.knock(COMMUNITY, public_key(words), nonce(30), key), words, 60)


def with_words(*, revoked: bool) -> tuple[Signed, ...]:
    """The steward has words; or had, and revoked them by others."""
    held = Evaluator(COMMUNITY)
    acts: list[Signed] = []

    def add(draft: writing.Draft, seed: bytes) -> None:
        acts.append(dated(draft, seed, 10 + len(acts)))
        held.add([Private.read(acts[-1])])

    held.add([Private.read(CHARTER)])
    for words in (WORDS, WORDS[:31] + b"2"):
        agreement = writing.key_agreement(COMMUNITY, BY, words, recovery=True)
        draft = writing.key_added(held, BY, nonce(len(acts)), BY, public_key(words), agreement, recovery=True)
        add(draft, STEWARD)
    if revoked:
        others = WORDS[:31] + b"2"
        draft = writing.key_revocation(
            held, public_key(others), nonce(9), BY, public_key(WORDS), {}, lambda _: True
        )
        add(draft, others)
    return CHARTER, *acts


@pytest.mark.parametrize(
    ("words", "named", "revoked", "let_in"),
    [
        (WORDS, BROUGHT_BACK, False, True),
        (WORDS, THIEF, False, False),  # shown by a node for which it was not made
        (THIEF, BROUGHT_BACK, False, False),  # at the door of the words, and signed by another key
        (WORDS, BROUGHT_BACK, True, False),
    ],
    ids=["words", "for another node", "by another key", "revoked"],
)
def test_words_let_in_the_node_that_they_name(
    words: bytes, named: bytes, revoked: bool, let_in: bool
) -> None:
    steward = node(STEWARD, *with_words(revoked=revoked), things=(thing(STEWARD, 1000),))
    brought_back = node(BROUGHT_BACK)
    brought_back.knocks = [(public_key(WORDS), knock(words, public_key(named)))]
    world = Valley(1, [steward, brought_back])
    world.connect(0, 1)
    world.run()
    assert (brought_back.followed.readers.known, bool(brought_back.held[PUBLIC])) == (let_in, let_in)
    assert len(steward.held[AUTHORITY]) == len(with_words(revoked=revoked))  # the knock is kept by nobody
    said = [frame for who, _, frame in world.said if who == 0 and isinstance(frame, frames.Lanes)]
    assert any(frame.entries for frame in said) == let_in
