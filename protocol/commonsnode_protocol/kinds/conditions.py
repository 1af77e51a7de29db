"""What condition words mean: a thing may say in any language how it is, and programs must know whether it works."""

from functools import lru_cache
from types import MappingProxyType

from commonsnode_protocol.canonical import Value
from commonsnode_protocol.kinds.categories import category_words
from commonsnode_protocol.kinds.declared import CONDITIONS, IN_WORKING_ORDER

CACHED = 1_024

_TABLE = {
    "new": "like new, as new, as good as new, brand new, neu, neuwertig, nuevo, nueva, como nuevo, novo, nova, neuf, neuve",
    "good": "very good, excellent, ok, okay, working, in working order, gut, sehr gut, funktioniert, bueno, buena, buen estado, "
    "muy bueno, excelente, operativo, bom, boa, bom estado, otimo, otima, funcionando, bon, bonne, bon etat, tres bon, "
    "fonctionnel, available, ready to deploy, deployed, repaired, fixed",
    "worn": "used, fair, mittel, gebraucht, regular, usado, usada, usage, moyen, correct, poor, schlecht, malo, mala, ruim, mauvais",
    "needs-repair": "needs repair, to repair, reparaturbedurftig, en reparacion, em reparo, needs fixing, needs maintenance, "
    "out for repair, repairable, damaged, beschadigt, danado, danificado, averiado, en reparation, a reparer",
    "broken": "not working, defekt, kaputt, roto, rota, quebrado, quebrada, casse, en panne, out of order, unusable, end of life",
}


def _read() -> dict[str, str]:
    found = {word: word for word in CONDITIONS}
    for condition, words in _TABLE.items():
        for phrase in (condition, *words.split(",")):
            found[" ".join(category_words(phrase))] = condition
    return found


_BY_WORDS = MappingProxyType(_read())


@lru_cache(maxsize=CACHED)
def _of_text(text: str) -> str | None:
    return _BY_WORDS.get(" ".join(category_words(text)))


def condition_of(value: Value) -> str | None:
    """Which of the known conditions a value means; None where it says nothing that programs know."""
    return _of_text(value) if isinstance(value, str) else None


def works(value: Value) -> bool:
    """Whether a thing of this condition is in working order. One that says nothing, or in unknown words, is."""
    condition = condition_of(value)
    return condition is None or condition in IN_WORKING_ORDER
