"""A key goes to paper as 24 words and comes back whole; what was misread is said without repeating the secret."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commonsnode.errors import WrongField
from commonsnode.recovery_words import TYPED_MAX, seed_of, words_of

SEED = bytes(range(32))


@given(seed=st.binary(min_size=32, max_size=32))
def test_every_seed_comes_back_from_its_words(seed: bytes) -> None:
    words = words_of(seed)
    assert len(words) == 24
    assert seed_of(" ".join(words)) == seed


def test_words_are_those_of_bip39() -> None:
    assert words_of(bytes(32)) == ["abandon"] * 23 + ["art"]  # from the vectors of the BIP
    assert words_of(b"\xff" * 32) == ["zoo"] * 23 + ["vote"]


def test_the_way_they_are_typed_makes_no_difference() -> None:
    words = words_of(SEED)
    numbered = "\n".join(f"{at}. {word.upper()}," for at, word in enumerate(words, 1))
    accented = " ".join(words).replace("a", "á").replace("o", "o\u0308")
    assert seed_of(numbered) == seed_of(accented) == seed_of("  " + "\t\n".join(words) + "\r\n") == SEED


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("", "not 0"),
        ("abandon abandon art", "not 3"),
        ("abandon " * 24 + "art", "not 25"),
        ("abandon " * 6 + "abandom " + "abandon " * 16 + "art", "place 7"),
        ("abandon " * 23 + "zoo", "do not fit together"),
        ("a" * (TYPED_MAX + 1), "longer"),
    ],
)
def test_what_is_wrong_is_said_without_a_word_of_it(typed: str, said: str) -> None:
    with pytest.raises(WrongField) as refused:
        seed_of(typed)
    assert said in refused.value.detail
    assert not any(len(word) > 1 and word in refused.value.detail for word in typed.split())
    assert refused.value.__cause__ is None
    assert refused.value.__suppress_context__ or refused.value.__context__ is None


def test_only_a_whole_seed_has_words() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        words_of(bytes(16))
