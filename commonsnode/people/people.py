"""What a node does for its people: make an account, sign in, lock, move a key. Only a passphrase, or words, open a seed.

Argon2 takes a second and 256 MiB, so it runs in a thread of its own, one at a time, and few wait for it.
"""

import asyncio
import os
import time
from collections.abc import Callable, Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any, TypeVar

from commonsnode.errors import Busy, NotAllowed, NotSignedIn, WrongField
from commonsnode.people import sealing
from commonsnode.people.accounts import Account, Accounts, check_name, from_file, key_of_name
from commonsnode.people.attempts import Attempts
from commonsnode.people.sealing import MODERATE, SEED_BYTES, Cost
from commonsnode.people.sessions import Session, Sessions
from commonsnode_protocol.changeset import public_key

PASSPHRASE_CHARS_MIN = 10
PASSPHRASE_CHARS_MAX = 1_024
HASHES_MAX = 1  # Argon2 at the same time: 256 MiB each
HASHES_QUEUED_MAX = 8

WRONG = "the name or the passphrase is wrong"

T = TypeVar("T")


class People:
    """Used in the event loop. `stop` before it ends."""

    def __init__(
        self,
        accounts: Accounts,
        now_ms: Callable[[], int],
        *,
        clock: Callable[[], float] = time.monotonic,
        cost: Cost = MODERATE,
        random_bytes: Callable[[int], bytes] = os.urandom,
    ) -> None:
        """cost: of one guess at a passphrase."""
        self.accounts = accounts
        self.sessions = Sessions(clock, now_ms)
        self._attempts = Attempts(clock)
        self._now_ms = now_ms
        self._cost = cost
        self._random_bytes = random_bytes
        self._hashing = 0
        self._threads = ThreadPoolExecutor(HASHES_MAX, "passphrase")
        self._subscribers: list[Callable[[], None]] = []

    def subscribe(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Call `callback` whenever somebody has signed in, or named this node for their duties; returns how to end it."""
        self._subscribers.append(callback)
        return lambda: self._subscribers.remove(callback)

    async def add(self, name: str, passphrase: str, seed: bytes | None = None) -> tuple[Account, bytes]:
        """A new account, with a new key unless one is moved here; and its seed. Raises WrongField, Conflict, Busy."""
        kept = check_name(name)
        check_passphrase(passphrase)
        own = seed if seed is not None else self._random_bytes(SEED_BYTES)
        person = public_key(own)
        self.accounts.check_new(person, kept)
        sealed = await self._hash(
            lambda: sealing.seal(own, passphrase, person, self._cost, self._random_bytes)
        )
        account = Account(person, kept, self._now_ms(), sealed)
        await self.accounts.add(account)
        return account, own

    async def bring(self, name: str, passphrase: str, seed: bytes) -> Account:
        """The account of whoever has this seed: a new one; or where the same person has one of this name, its new passphrase.

        Who has the seed is that person, so a forgotten passphrase is no end. A lock stays. Raises as `add`.
        """
        person, found = public_key(seed), self.accounts.find(name)
        if found is None or found.id != person:
            return (await self.add(name, passphrase, seed))[0]
        check_passphrase(passphrase)
        sealed = await self._hash(
            lambda: sealing.seal(seed, passphrase, person, self._cost, self._random_bytes)
        )
        changed = await self.accounts.change(name, lambda account: replace(account, sealed=sealed))
        self.sessions.end_all(person)
        self._attempts.forget(key_of_name(name))
        return changed

    async def import_file(self, said: Mapping[str, Any], passphrase: str, name: str | None) -> Account:
        """A person whom another node exported; sealed anew, at this node's cost. Raises as `add`; WrongField, NotSignedIn."""
        found = from_file(said)
        kept = check_name(name if name is not None else found.name)
        self.accounts.check_new(found.id, kept)
        seed = await self._hash(lambda: sealing.unseal(found.sealed, passphrase, found.id))
        if seed is None:
            raise NotSignedIn("the passphrase is not the one of this file")
        if public_key(seed) != found.id:
            raise WrongField("file", "its key is not the one that it names")
        account, _ = await self.add(kept, passphrase, seed)
        return account

    async def sign_in(self, name: str, passphrase: str) -> tuple[str, Session]:
        """The token of a new session, and the session. Raises NotSignedIn, NotAllowed where it is locked, TooOften, Busy."""
        seed = await self.open(name, passphrase)
        account = self.accounts.find(name)
        if account is None or account.locked:  # locked while the passphrase was looked at
            raise NotAllowed("this account is locked; ask who runs this node")
        begun = self.sessions.begin(account.id, account.name, seed)
        self._tell()
        return begun

    async def open(self, name: str, passphrase: str) -> bytes:
        """The seed of an account that is not locked. Raises as `sign_in`."""
        tried = key_of_name(name)
        if len(passphrase) > PASSPHRASE_CHARS_MAX:
            raise NotSignedIn(WRONG)
        self._attempts.begin(tried)
        account = self.accounts.find(name)
        sealed = account.sealed if account is not None else sealing.nobody(self._cost, self._random_bytes)
        person = account.id if account is not None else bytes(32)
        seed = await self._hash(lambda: sealing.unseal(sealed, passphrase, person))
        if seed is None or account is None:
            raise NotSignedIn(WRONG)
        self._attempts.succeeded(tried)
        if account.locked:
            raise NotAllowed("this account is locked; ask who runs this node")
        return seed

    async def change_passphrase(self, session: Session, old: str, new: str) -> None:
        """Seal the key anew, and end the person's other sessions. Raises WrongField, NotSignedIn, NotAllowed, TooOften, Busy."""
        check_passphrase(new, "new")
        seed = await self.open(session.name, old)
        sealed = await self._hash(
            lambda: sealing.seal(seed, new, session.person, self._cost, self._random_bytes)
        )
        await self.accounts.change(session.name, lambda account: replace(account, sealed=sealed))
        self.sessions.end_all(session.person, but=session)

    async def lock(self, name: str) -> Account:
        """Nobody signs in to it, and who is signed in is so no more. Raises Unknown."""
        account = await self.accounts.change(name, lambda account: replace(account, locked=True))
        self.sessions.end_all(account.id)
        return account

    async def unlock(self, name: str) -> Account:
        """Also ends a pause after wrong passphrases. Raises Unknown."""
        account = await self.accounts.change(name, lambda account: replace(account, locked=False))
        self._attempts.forget(key_of_name(name))
        return account

    async def keep_warrants(self, session: Session, warrants: Mapping[bytes, bytes]) -> None:
        await self.accounts.change(
            session.name, lambda account: replace(account, warrants={**account.warrants, **warrants})
        )
        self._tell()

    async def drop_warrants(self, session: Session, communities: Collection[bytes]) -> bool:
        """Whether there were any."""
        before = self.accounts.named(session.name).warrants
        kept = {of: warrant for of, warrant in before.items() if of not in communities}
        if len(kept) < len(before):
            await self.accounts.change(session.name, lambda account: replace(account, warrants=kept))
        return len(kept) < len(before)

    async def stop(self) -> None:
        self.sessions = Sessions(time.monotonic, self._now_ms)
        await asyncio.to_thread(self._threads.shutdown, True, cancel_futures=True)

    async def _hash(self, fn: Callable[[], T]) -> T:
        if self._hashing >= HASHES_QUEUED_MAX:
            raise Busy("many people are signing in at once; try again in a few seconds")
        self._hashing += 1
        # Counted until the thread is done, also where nobody waits for it any more.
        work = self._threads.submit(fn)
        loop = asyncio.get_running_loop()
        work.add_done_callback(lambda _: loop.call_soon_threadsafe(self._done))
        return await asyncio.wrap_future(work)

    def _tell(self) -> None:
        for callback in tuple(self._subscribers):
            callback()

    def _done(self) -> None:
        self._hashing -= 1


def check_passphrase(passphrase: str, field: str = "passphrase") -> None:
    """Raises WrongField, in words that do not repeat it."""
    if not PASSPHRASE_CHARS_MIN <= len(passphrase) <= PASSPHRASE_CHARS_MAX:
        raise WrongField(
            field, f"{PASSPHRASE_CHARS_MIN} characters at least; four words are easy to keep in mind"
        )
    try:
        passphrase.encode()
    except UnicodeEncodeError:
        raise WrongField(field, "is no valid Unicode") from None
