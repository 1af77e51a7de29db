"""What a heading may mean: fold it, and look it up in the vocabulary.  Exact phrases go before words."""

import re
import unicodedata
from functools import cache

from commonsnode.tables import vocabulary

COMPOSED = 92  # a word of the target beside words for a thing: `Tool description`
LOOSE = 40  # a word of the target beside unknown words
STEM_LETTERS_MIN = 6
LOOSE_WORDS_MAX = 6  # of a heading; a longer one is a sentence about something
PART_LOSS = 4  # for matching only a part: before a parenthesis, one language of two
PLACE_ROLES = tuple(vocabulary.PLACE)

_CAMEL = re.compile(r"(?<=[a-zß-öø-ÿ])(?=[A-ZÀ-ÖØ-Þ])")
_NO_WORD = re.compile(r"[\W_]+")
_PARENTHESES = re.compile(r"\([^()]*\)|\[[^\[\]]*\]")
_LANGUAGE_SUFFIX = re.compile(r"^(.+) (?:en|es|pt|fr|de|eng|esp|por|fra|deu|ger|english|deutsch)$")
_ADDRESS_PREFIX = re.compile(r"^(?:addr|address|adresse|adr) (?=.)")
_NUMBER_SIGN = re.compile("[#№]")
_UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue"})


def fold(text: str) -> str:
    """A heading as it is compared: no accents, case or punctuation; words apart."""
    text = unicodedata.normalize("NFKD", _CAMEL.sub(" ", text)).casefold()
    return _NO_WORD.sub(" ", "".join(c for c in text if not unicodedata.combining(c))).strip()


def _phrases(text: str) -> set[str]:
    """Folded phrases of a list with commas, those with umlauts in both spellings."""
    found = set()
    for phrase in text.split(","):
        found |= {fold(phrase), fold(phrase.strip().lower().translate(_UMLAUTS))}
    return found - {""}


def _table(entries: dict[str, dict[int, str]]) -> dict[str, dict[str, int]]:
    table: dict[str, dict[str, int]] = {}
    for target, by_score in entries.items():
        for score, text in by_score.items():
            for phrase in _phrases(text):
                table.setdefault(phrase, {}).setdefault(target, score)
    return table


@cache
def _exact() -> dict[str, dict[str, int]]:
    table = _table(vocabulary.EXACT)
    for phrase, roles in _table(vocabulary.PLACE).items():
        table.setdefault(phrase, {}).update(roles)
    for phrase, keys in _table({"key": vocabulary.KEY}).items():
        table.setdefault(phrase, {}).update(keys)
    return table


@cache
def _words(which: str) -> frozenset[str]:
    return frozenset(_phrases(getattr(vocabulary, which)))


@cache
def _heads() -> dict[str, frozenset[str]]:
    return {target: frozenset(_phrases(text)) for target, text in vocabulary.HEADS.items()}


@cache
def _loose() -> dict[str, frozenset[str]]:
    return {target: frozenset(_phrases(text)) for target, text in vocabulary.LOOSE.items()}


@cache
def _compounds() -> re.Pattern[str]:
    """German words glued together: `Werkzeugname`, `Gerätetyp`."""
    heads = set().union(*_heads().values()) | {"zahl", "menge", "ort"}
    things = "|".join(sorted(_words("THINGS"), key=len, reverse=True))
    return re.compile(rf"({things})(?:s|n|e|en|es)?({'|'.join(sorted(heads, key=len, reverse=True))})")


@cache
def value_words(which: str) -> frozenset[str]:
    """One of the lists of folded values of the vocabulary."""
    return _words(which)


@cache
def meanings(heading: str) -> dict[str, int]:
    """Target (or part of an address, or `key`, or `pair`) -> how plainly the heading means it, 0 to 110."""
    found: dict[str, int] = {}
    heading = _NUMBER_SIGN.sub(" no ", heading)
    variants = [(heading, 0)]
    bare = _PARENTHESES.sub(" ", heading)
    if bare != heading:
        variants.append((bare, PART_LOSS))
    variants += [(part, PART_LOSS) for part in re.split(r"[/|\n]| - ", bare) if part != bare]
    for text, loss in variants:
        for target, score in _of_phrase(fold(text)).items():
            found[target] = max(found.get(target, 0), score - loss)
    return found


def _of_phrase(phrase: str) -> dict[str, int]:
    if not phrase:
        return {}
    exact = _exact()
    found = dict(exact.get(phrase, {}))
    stripped = _ADDRESS_PREFIX.sub("", phrase)
    if not found and stripped != phrase:
        found = {t: s for t, s in exact.get(stripped, {}).items() if t in PLACE_ROLES}
    suffixed = _LANGUAGE_SUFFIX.match(phrase)
    if not found and suffixed:
        found = {t: s - 3 * PART_LOSS for t, s in exact.get(suffixed[1], {}).items() if t in vocabulary.EXACT}
    if found:
        return found
    tokens = [t for t in phrase.split() if t not in _words("STOPWORDS")] or phrase.split()
    joined = " ".join(tokens)
    if joined != phrase and joined in exact:
        return dict(exact[joined])
    compound = _compounds().fullmatch(joined)
    if compound:
        tokens = [compound[1], compound[2]]
    return _composed(tokens) or _loosely(tokens)


def _composed(tokens: list[str]) -> dict[str, int]:
    things = _words("THINGS")
    found = {}
    for target, heads in _heads().items():
        if (
            any(t in heads for t in tokens)
            and all(t in heads or t in things for t in tokens)
            and len(tokens) > 1
        ):
            plain = max(_exact().get(t, {}).get(target, 0) for t in tokens)
            found[target] = min(COMPOSED, plain - 2) if plain and target != "key" else COMPOSED
    return found


def _loosely(tokens: list[str]) -> dict[str, int]:
    found: dict[str, int] = {}
    if len(tokens) > LOOSE_WORDS_MAX:
        return found
    for target, words in _loose().items():
        others = [t for t in tokens if t not in words]
        if len(others) < len(tokens) and not any(map(_blocks, others)):
            found[target] = LOOSE
    if len(found) > 1:
        found.pop("title", None)  # `Location name` names no thing
    if len(tokens) > 1 and tokens[-1] in _words("LAST_WORDS_OF_CATEGORIES") and not any(map(_blocks, tokens)):
        found["category"] = LOOSE
    return found


def _blocks(token: str) -> bool:
    """Whether a word gives a heading another meaning; long ones with any ending (`Besitzers`)."""
    block = _words("BLOCK")
    return token in block or any(token.startswith(word) for word in block if len(word) >= STEM_LETTERS_MIN)


def is_known(cell: str) -> float:
    """How much a cell looks like a heading by its words alone: 1 known, 0.25 in part, 0 not."""
    if meanings(cell):
        return 1.0
    phrase = fold(cell)
    others = _words("OTHER_HEADINGS")
    if phrase in others:
        return 1.0
    tokens = [t for t in phrase.split() if t not in _words("STOPWORDS")]
    known = sum(t in others or t in _exact() or t in _words("BLOCK") for t in tokens)
    if tokens and known == len(tokens):
        return 1.0
    return 0.25 if known and len(tokens) <= 6 else 0.0
