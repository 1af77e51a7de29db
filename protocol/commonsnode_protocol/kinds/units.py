"""The units of amounts, by the codes that Valueflows takes: names of the Ontology of units of Measure (om2).

Source: valueflows/valueflows at 4a28edf, units/units-en-useful.csv (CC BY-SA 4.0), of whose 1,417 units these are used here.
Another text in `unit` is kept, and means nothing to programs.
"""

from dataclasses import dataclass
from types import MappingProxyType

ONTOLOGY = "http://www.ontology-of-units-of-measure.org/resource/om-2/"


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit of measure. words: how people write it, folded."""

    code: str
    label: str
    symbol: str
    dimension: str
    words: tuple[str, ...] = ()


_TABLE = """
one|one|1|one|unit units unidad unidades unite unites stuck stk pcs pc each ea
piece|piece||one|pieces pieza piezas peca pecas stuck
percent|percent|%|one|
millimetre|millimetre|mm|length|milimetro milimetros
centimetre|centimetre|cm|length|centimetro centimetros
metre|metre|m|length|meter meters metres metro metros metre
kilometre|kilometre|km|length|kilometro kilometros kilometer
inch-International|inch (international)|in|length|inch inches pulgada pulgadas polegada polegadas pouce zoll
foot-International|foot (international)|ft|length|foot feet pie pies
mile-Statute|mile (statute)|mi|length|mile miles milla millas
squareMetre|square metre|m2|area|m² sqm
are|are|a|area|
hectare|hectare|ha|area|hectares hectarea hectareas hektar
acre-International|acre (international)|ac|area|acre acres
millilitre|millilitre|ml|volume|
litre|litre|l|volume|liter liters litres litro litros
hectolitre|hectolitre|hl|volume|
cubicMetre|cubic metre|m3|volume|m³ cbm
gallon-US|gallon (US)|gal|volume|gallon gallons galon galones
gram|gram|g|mass|grams gramo gramos grama gramas gramm
kilogram|kilogram|kg|mass|kilo kilos kilogramo kilogramos
tonne|tonne|t|mass|ton tons tonelada toneladas tonnes tonnen
ounceAvoirdupois|ounce (avoirdupois)|oz|mass|ounce ounces onza onzas
poundAvoirdupois|pound (avoirdupois)|lb|mass|pound pounds lbs libra libras
second-Time|second|s|time|seconds segundo segundos
minute-Time|minute|min|time|minutes minuto minutos minuten
hour|hour|h|time|hours hora horas heure heures stunde stunden
day|day|d|time|days dia dias jour jours tag tage
week|week||time|weeks semana semanas semaine semaines woche wochen
month|month||time|months mes meses mois monat monate
year|year|a|time|years ano anos an annee jahr jahre
watt|watt|W|power|watts
kilowatt|kilowatt|kW|power|kw
wattHour|watt hour|W h|energy|wh
kilowattHour|kilowatt hour|kW h|energy|kwh
volt|volt|V|electricity|volts
ampere|ampere|A|electricity|amp amps
bar|bar|bar|pressure|
degreeCelsius|degree Celsius|°C|temperature|
"""


def _read() -> dict[str, Unit]:
    rows = (line.split("|") for line in _TABLE.strip().splitlines())
    return {
        code: Unit(code, label, symbol, dimension, tuple(words.split()))
        for code, label, symbol, dimension, words in rows
    }


UNITS = MappingProxyType(_read())


def _words() -> dict[str, str]:
    found: dict[str, str] = {}
    for unit in UNITS.values():
        for word in (unit.code, unit.label, unit.symbol):
            if word:
                found.setdefault(word, unit.code)
    for unit in UNITS.values():  # symbols first: `a` is an are, `A` an ampere
        for word in unit.words:
            found.setdefault(word, unit.code)
    return found


_BY_WORD = _words()


def unit_in(text: str) -> Unit | None:
    """The unit that a text means: its code, symbol or a usual word for it; None for any other."""
    text = text.strip().rstrip(".")
    code = _BY_WORD.get(text) or _BY_WORD.get(text.casefold())
    return UNITS[code] if code is not None else None
