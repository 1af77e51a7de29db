"""Signing in: the passphrase, the limits of trying, the session and its end."""

from pathlib import Path

import pytest

from commonsnode.errors import Conflict, NotAllowed, NotSignedIn, TooOften
from commonsnode.people import People
from commonsnode.people.accounts import Accounts
from commonsnode.people.attempts import FREE, OVERALL_FREE, OVERALL_PAUSE_S_MAX, PAUSE_S_MAX, Attempts
from commonsnode.people.sealing import Cost
from commonsnode.people.sessions import (
    IDLE_S_MAX,
    SESSION_S_MAX,
    SESSIONS_PER_PERSON_MAX,
    TOKEN_BYTES,
    Sessions,
)
from running_node import CHEAP, NOW

PASSPHRASE = "four words of hers"
KEY, SEED = b"k" * 32, b"s" * 32


class Clock:
    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def people(tmp_path: Path, clock: Clock) -> People:
    return People(Accounts(tmp_path / "people.json"), lambda: NOW, clock=clock, cost=CHEAP)


async def test_the_passphrase_signs_in_and_the_token_is_the_session(people: People) -> None:
    account, seed = await people.add("Rosa", PASSPHRASE)
    token, session = await people.sign_in("ROSA", PASSPHRASE)
    assert (session.person, session.name, session.seed) == (account.id, "Rosa", seed)
    assert people.sessions.of(token) is session
    assert people.sessions.of(token[:-1]) is None
    assert seed.hex() not in repr(session)
    assert len(token) >= TOKEN_BYTES


async def test_an_unknown_name_is_answered_like_a_wrong_passphrase_and_costs_as_much(
    people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    await people.add("Rosa", PASSPHRASE)
    said: list[str] = []
    worked: list[tuple[int, Cost]] = []

    def work(passphrase: str, salt: bytes, cost: Cost) -> bytes:
        worked.append((len(salt), cost))
        return bytes(32)

    monkeypatch.setattr("commonsnode.people.sealing._key", work)
    for name in ("Rosa", "Nobody"):
        with pytest.raises(NotSignedIn) as refused:
            await people.sign_in(name, "another passphrase")
        said.append(str(refused.value))
    assert said[0] == said[1]
    assert worked[0] == worked[1]


async def test_who_is_locked_is_signed_out_at_once_and_does_not_come_in(people: People) -> None:
    await people.add("Rosa", PASSPHRASE)
    token, _ = await people.sign_in("Rosa", PASSPHRASE)
    await people.lock("rosa")
    assert people.sessions.of(token) is None
    with pytest.raises(NotAllowed, match="locked"):
        await people.sign_in("Rosa", PASSPHRASE)
    with pytest.raises(NotSignedIn):  # that it is locked is told to who knows the passphrase only
        await people.sign_in("Rosa", "another passphrase")
    await people.unlock("Rosa")
    await people.sign_in("Rosa", PASSPHRASE)


async def test_a_new_passphrase_ends_the_other_sessions(people: People) -> None:
    await people.add("Rosa", PASSPHRASE)
    mine, session = await people.sign_in("Rosa", PASSPHRASE)
    other, _ = await people.sign_in("Rosa", PASSPHRASE)
    with pytest.raises(NotSignedIn):
        await people.change_passphrase(session, "not the old one", "quite another one")
    await people.change_passphrase(session, PASSPHRASE, "quite another one")
    assert people.sessions.of(mine) is session
    assert people.sessions.of(other) is None
    with pytest.raises(NotSignedIn):
        await people.sign_in("Rosa", PASSPHRASE)
    assert (await people.sign_in("Rosa", "quite another one"))[1].seed == session.seed


async def test_wrong_passphrases_bring_a_growing_pause_also_for_the_right_one(
    people: People, clock: Clock
) -> None:
    await people.add("Rosa", PASSPHRASE)
    for _ in range(FREE):
        with pytest.raises(NotSignedIn):
            await people.sign_in("Rosa", "another passphrase")
    with pytest.raises(TooOften) as refused:
        await people.sign_in("Rosa", PASSPHRASE)
    clock.now += refused.value.retry_s
    await people.sign_in("Rosa", PASSPHRASE)


@pytest.mark.parametrize("name", ["rosa", "nobody"])
def test_a_pause_doubles_up_to_a_limit_and_is_forgotten(clock: Clock, name: str) -> None:
    attempts = Attempts(clock)
    waits = []
    for _ in range(FREE + 15):
        try:
            attempts.begin(name)
        except TooOften as refused:
            waits.append(refused.retry_s)
            clock.now += refused.retry_s
            attempts.begin(name)
    assert waits[:3] == [2, 3, 5]
    assert waits == sorted(waits)
    assert waits[-1] == PAUSE_S_MAX + 1
    clock.now += 3_601
    attempts.begin(name)


def test_many_names_are_limited_together_and_never_for_long(clock: Clock) -> None:
    attempts = Attempts(clock)
    for number in range(OVERALL_FREE):
        attempts.begin(str(number))
    for number in range(20):
        with pytest.raises(TooOften) as refused:
            attempts.begin(f"another {number}")
        assert refused.value.retry_s <= OVERALL_PAUSE_S_MAX + 1
        clock.now += refused.value.retry_s
        attempts.begin(f"yet another {number}")


def test_a_session_ends_when_it_is_idle_and_after_a_day_of_work_in_any_case(clock: Clock) -> None:
    sessions = Sessions(clock, lambda: NOW)
    token, session = sessions.begin(KEY, "Rosa", SEED)
    began = clock.now
    while clock.now + IDLE_S_MAX / 2 < began + SESSION_S_MAX:
        clock.now += IDLE_S_MAX / 2
        assert sessions.of(token) is session
    clock.now = began + SESSION_S_MAX
    assert sessions.of(token) is None
    token, _ = sessions.begin(KEY, "Rosa", SEED)
    clock.now += IDLE_S_MAX
    assert sessions.of(token) is None
    assert list(sessions) == []


def test_one_person_has_some_sessions_and_the_idlest_gives_way(clock: Clock) -> None:
    sessions = Sessions(clock, lambda: NOW)
    tokens = [sessions.begin(KEY, "Rosa", SEED)[0] for _ in range(SESSIONS_PER_PERSON_MAX)]
    clock.now += 1
    assert sessions.of(tokens[0]) is not None
    sessions.begin(KEY, "Rosa", SEED)
    assert sessions.of(tokens[0]) is not None
    assert sessions.of(tokens[1]) is None


async def test_who_has_the_key_sets_a_forgotten_passphrase_and_nobody_else_does(people: People) -> None:
    account, seed = await people.add("Rosa", PASSPHRASE)
    token, _ = await people.sign_in("Rosa", PASSPHRASE)
    await people.bring("rosa", "quite another one", seed)
    assert people.sessions.of(token) is None
    assert (await people.sign_in("Rosa", "quite another one"))[1].person == account.id
    with pytest.raises(NotSignedIn):
        await people.sign_in("Rosa", PASSPHRASE)
    for name, whose in (("Rosa", SEED), ("Another name", seed)):
        with pytest.raises(Conflict):
            await people.bring(name, PASSPHRASE, whose)
    await people.lock("Rosa")
    await people.bring("Rosa", PASSPHRASE, seed)
    with pytest.raises(NotAllowed):
        await people.sign_in("Rosa", PASSPHRASE)
