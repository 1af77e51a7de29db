"""A key as words on paper: the 24 words of BIP39 (English) for the 32 bytes that an Ed25519 key is made from.

What is typed in from paper is read kindly: capitals, accents, numbers and commas between the words make no difference.
"""

import re
import unicodedata
from typing import TYPE_CHECKING

from commonsnode.errors import WrongField

if TYPE_CHECKING:
    from mnemonic import Mnemonic

SEED_BYTES = 32
WORDS = 24
TYPED_MAX = 1_000  # characters; 24 words of 8 letters, numbered, are fewer than 300
FIELD = "words"
_APART = re.compile(r"[^a-z]+")


def words_of(seed: bytes) -> list[str]:
    """The words that say this seed. Raises ValueError where it is not 32 bytes."""
    if len(seed) != SEED_BYTES:
        raise ValueError(f"a seed has {SEED_BYTES} bytes, not {len(seed)}")
    return _english().to_mnemonic(seed).split()


def seed_of(words: str) -> bytes:
    """The seed that these words say. Raises WrongField, which never repeats a word: they are a secret."""
    if len(words) > TYPED_MAX:
        raise WrongField(FIELD, f"there are {WORDS} of them, and this is longer than they can be")
    # NFKD takes accents and wide letters apart; the marks themselves must not part the word they stand in
    plain = "".join(c for c in unicodedata.normalize("NFKD", words).lower() if not unicodedata.combining(c))
    typed = [word for word in _APART.split(plain) if word]
    if len(typed) != WORDS:
        raise WrongField(FIELD, f"there are {WORDS} of them, not {len(typed)}")
    english = _english()
    known = set(english.wordlist)
    wrong = [str(at) for at, word in enumerate(typed, 1) if word not in known]
    if wrong:
        raise WrongField(FIELD, f"not a word of the list at place {', '.join(wrong)}: look at the spelling")
    try:
        return bytes(english.to_entropy(typed))
    except ValueError:
        raise WrongField(
            FIELD, "they do not fit together: one of them is another word, or two are in another order"
        ) from None


def _english() -> "Mnemonic":
    # here, not above: the list of words is a file, and few commands need it
    from mnemonic import Mnemonic

    return Mnemonic("english")
