"""Digests of a set of ids that nobody can forge: what stands behind "in step".  SPEC.md, "Set digests".

The fingerprints of negentropy.py are sums of ids mod 2**256, and whoever may choose ids can build two sets
with equal sums. LtHash16 sums 1,024 words of 16 bits in place of one of 256: finding two sets of one sum is
then a lattice problem, with an estimated security of at least 200 bits, and the sum is still kept up to
date id by id.

Source: Lewi, Kim, Maykov and Weis, "Securing Update Propagation with Homomorphic Hashing" (2019), LtHash
with n = 16 and d = 1024; an id is expanded by SHAKE-128 (FIPS 202).
"""

import hashlib
from collections.abc import Iterable
from itertools import islice

ID_BYTES = 32
WORDS = 1024
STATE_BYTES = 2 * WORDS
DIGEST_BYTES = 32

# Words are added as lanes of one big integer. The even words lie in cells of 32 bits, so 2**16 of them can be
# added before one spills into its neighbour.
_BATCH_MAX = 2**16
_EVEN = int.from_bytes(b"\xff\xff\x00\x00" * (WORDS // 2), "little")
_CELL_TOPS = int.from_bytes(b"\x00\x00\x01\x00" * (WORDS // 2), "little")


class LtHash:
    """The LtHash16 of a set of ids: the same for the same set, however it came about.

    The caller keeps the set: an id added twice counts twice, and one removed that is not there counts as
    minus one.
    """

    __slots__ = ("_even", "_odd")

    def __init__(self) -> None:
        self._even = 0  # words 0, 2, 4 … in cells of 32 bits
        self._odd = 0  # words 1, 3, 5 … likewise

    @classmethod
    def from_state(cls, state: bytes) -> "LtHash":
        """state: the 2,048 bytes that `state()` gave. Raises ValueError at any other length."""
        if len(state) != STATE_BYTES:
            raise ValueError(f"a state has {STATE_BYTES} bytes, not {len(state)}")
        words = int.from_bytes(state, "little")
        digest = cls()
        digest._even, digest._odd = words & _EVEN, (words >> 16) & _EVEN
        return digest

    def add(self, ids: Iterable[bytes]) -> None:
        """Add ids of 32 bytes each, none of which is in the set. Raises ValueError at any other length."""
        even, odd = _sum(ids)
        self._even = (self._even + even) & _EVEN
        self._odd = (self._odd + odd) & _EVEN

    def remove(self, ids: Iterable[bytes]) -> None:
        """Remove ids of 32 bytes each, all of which are in the set. Raises ValueError at any other length."""
        even, odd = _sum(ids)
        self._even = ((self._even | _CELL_TOPS) - even) & _EVEN
        self._odd = ((self._odd | _CELL_TOPS) - odd) & _EVEN

    def state(self) -> bytes:
        """The 1,024 words, each of 2 bytes with the low byte first."""
        return (self._even | self._odd << 16).to_bytes(STATE_BYTES, "little")

    def digest(self) -> bytes:
        """32 bytes for the wire: BLAKE2b-256 of the state."""
        return hashlib.blake2b(self.state(), digest_size=DIGEST_BYTES).digest()


def authority_digest(ids: Iterable[bytes]) -> bytes:
    """32 bytes: BLAKE2b-256 over the ids, each once, in ascending order. For the small lane `authority`.

    Raises ValueError at an id that has not 32 bytes.
    """
    digest = hashlib.blake2b(digest_size=DIGEST_BYTES)
    for id_ in sorted(set(ids)):
        _check(id_)
        digest.update(id_)
    return digest.digest()


def _check(id_: bytes) -> None:
    if len(id_) != ID_BYTES:
        raise ValueError(f"an id has {ID_BYTES} bytes, not {len(id_)}")


def _sum(ids: Iterable[bytes]) -> tuple[int, int]:
    """The sums of the even and of the odd words of all ids, mod 2**16, in cells of 32 bits."""
    even = odd = 0
    remaining = iter(ids)
    while batch := list(islice(remaining, _BATCH_MAX)):
        batch_even, batch_odd = _sum_batch(batch)
        even = (even + batch_even) & _EVEN
        odd = (odd + batch_odd) & _EVEN
    return even, odd


def _sum_batch(ids: list[bytes]) -> tuple[int, int]:
    """At most 2**16 ids. Only even words are masked for each id; the odd ones are the rest of the sum."""
    shake, from_bytes, even_mask = hashlib.shake_128, int.from_bytes, _EVEN
    total = even = 0
    for id_ in ids:
        _check(id_)
        words = from_bytes(shake(id_).digest(STATE_BYTES), "little")
        total += words
        even += words & even_mask
    return even & even_mask, ((total - even) >> 16) & even_mask
