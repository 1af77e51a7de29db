"""Columns that say who keeps a thing and on which terms it is lent: they are kept as they are, and say it to programs too.

So a keeper's name becomes `keeper_name` beside `x:Owner`; it gives nobody a right. Fees and days become rules of `lending`.
"""

import re
from collections.abc import Sequence

from commonsnode.tables import headings as words
from commonsnode.tables.columns import Choice
from commonsnode.tables.model import Grid
from commonsnode.tables.numbers import is_number
from commonsnode.tables.survey import Column, Survey
from commonsnode_protocol.canonical import Value
from commonsnode_protocol.kinds.lending import FEE_CHARS_MAX
from commonsnode_protocol.kinds.values import MINUTES_MAX

DAY_MINUTES = 24 * 60
DAYS_CHARS_MAX = 40  # of a cell that says how long a loan may be

_KEEPERS = frozenset(
    (
        *("keeper", "owner", "lender", "current owner", "custodian", "owned by", "kept by"),
        *("dueno", "propietario", "propietaria", "responsable", "encargado", "encargada"),
        *("proprietario", "proprietaria", "dono", "responsavel", "proprietaire", "gestionnaire"),
        *("besitzer", "eigentumer", "verantwortlich", "ansprechpartner"),
    )
)
_FEES = frozenset(
    (
        *("loan fee", "rental fee", "hire fee", "daily fee", "fee", "usage fee", "price per day"),
        *("tarifa", "precio por dia", "taxa", "taxa de uso", "tarif", "prix par jour"),
        *("leihgebuhr", "gebuhr", "preis pro tag"),
    )
)
_DAYS = frozenset(
    (
        *("loan period", "loan period days", "loan length", "loan days", "max loan days"),
        *("maximum loan days", "checkout period", "dias de prestamo", "plazo de prestamo"),
        *("dias de emprestimo", "duree de pret", "leihdauer", "leihfrist"),
    )
)
_FREE = frozenset(("0", "free", "gratis", "gratuito", "gratuit", "kostenlos", "none", "-"))
_LENGTH = re.compile(r"(\d{1,4})\s*[- ]?\s*([a-z]*)")
_LENGTHS = {
    "h": ("h", "hour", "hours", "hora", "horas", "heure", "heures", "stunde", "stunden"),
    "d": ("", "d", "day", "days", "dia", "dias", "jour", "jours", "tag", "tage"),
    "w": ("w", "week", "weeks", "semana", "semanas", "semaine", "semaines", "woche", "wochen"),
}
_MINUTES = {
    word: minutes
    for unit, minutes in (("h", 60), ("d", DAY_MINUTES), ("w", 7 * DAY_MINUTES))
    for word in _LENGTHS[unit]
}


class LendingColumns:
    """The columns of one table that say who keeps a thing and how it is lent. fields: those that they can set."""

    def __init__(self, grid: Grid, found: Survey, choice: Choice) -> None:
        kept = [
            column
            for column in found.columns
            if choice.targets.get(column.index) == "x" and grid.has_headings and not grid.means_what_it_says
        ]
        self._keeper = _column(kept, _KEEPERS) if choice.column("keeper_name") is None else None
        if self._keeper is not None and not _are_names(found.columns[self._keeper].sample):
            self._keeper = None
        self._fee = _column(kept, _FEES)
        self._days = _column(kept, _DAYS)
        lent = self._fee is not None or self._days is not None
        self.fields = (
            *(("keeper_name",) if self._keeper is not None else ()),
            *(("lending",) if lent else ()),
        )

    def add(self, cells: Sequence[str], fields: dict[str, Value]) -> None:
        """Add what the cells of a row say to its fields."""
        if self._keeper is not None and (name := cells[self._keeper].strip()):
            fields["keeper_name"] = name
        lending: dict[str, Value] = {}
        if self._fee is not None and (fee := cells[self._fee].strip()):
            lending["terms"] = {"person": _term(fee)}
        if self._days is not None and (minutes := _minutes(cells[self._days])):
            lending["longest_minutes"] = minutes
        if lending:
            fields["lending"] = lending


def _column(kept: Sequence[Column], known: frozenset[str]) -> int | None:
    return next((c.index for c in kept if c.sample and words.fold(c.heading) in known), None)


def _are_names(sample: Sequence[str]) -> bool:
    return not any(is_number(cell) or "@" in cell for cell in sample)


def _term(fee: str) -> Value:
    if fee.casefold() in _FREE or (is_number(fee) and not fee.strip("0.,")):
        return {"use": "free"}
    return {"use": "fee", "fee": fee[:FEE_CHARS_MAX]}


def _minutes(text: str) -> int | None:
    """How long `7`, `7 days`, `2 weeks` is; None for anything else, and for no time at all."""
    match = _LENGTH.fullmatch(words.fold(text[:DAYS_CHARS_MAX]))
    unit = _MINUTES.get(match[2]) if match else None
    if match is None or unit is None:
        return None
    return min(int(match[1]) * unit, MINUTES_MAX) or None
