"""What kind of record the rows of a table are: things, unless the table shows that they are places, models, events or designs.

Told by headings, shapes, the file's name and categories. Without such a sign a row is a thing; a person says otherwise with
`--kind`.
"""

from collections.abc import Iterable

from commonsnode.tables import headings as words
from commonsnode.tables.columns import Choice
from commonsnode.tables.model import Grid
from commonsnode.tables.survey import Survey
from commonsnode_protocol.canonical import Value
from commonsnode_protocol.kinds import category_number, category_of, category_range

RESOURCE, PLACE, SPECIFICATION, EVENT, DESIGN = "resource", "place", "specification", "event", "design"

TOOL_SHARE_MIN = 0.2  # of the titles of a table with addresses, for it to be one of things

_MODELS = frozenset(("model", "models", "model name", "modell", "modelo", "modele", "make and model"))
_OF_MODELS = frozenset(("model number", "brand", "manufacturer", "marke", "marca", "marque", "hersteller"))
_OF_THINGS = frozenset(
    (
        "serial",
        "serial number",
        "asset tag",
        "item code",
        "barcode",
        "owner",
        "keeper",
        "condition",
        "purchase date",
        "purchase cost",
        "loan fee",
        "deposit",
        "checked out to",
        "current owner",
    )
)
_OF_EVENTS = frozenset(("event date", "repair status", "fecha del evento", "date of event"))
_OF_DESIGNS = frozenset(("okhv", "licensor", "documentation home", "documentation readiness level", "tsdc"))
_OF_PLACES = frozenset(
    (
        "amenity",
        "boundary",
        "building",
        "feira",
        "horaires",
        "horarios",
        "landuse",
        "markt",
        "office",
        "opening",
        "population",
        "setcens",
        "shop",
        "station",
        "stationnement",
        "typologie",
        "offnungszeiten",
    )
)
"""Words of headings; single ones, since they stand beside others (`opening_hours`, `NOME_FEIRA`)."""
_STANDS = frozenset(("espacios totales", "bicis disponibles", "capacite", "available bikes", "free bikes"))
_ADDRESS_ROLES = frozenset(("street", "postcode", "city", "number", "quarter"))
_SURFACES = ("Polygon", "MultiPolygon")


class KindOfRows:
    """Says of each row of one table what kind it is."""

    def __init__(self, grid: Grid, found: Survey, choice: Choice, file_name: str) -> None:
        headings = {words.fold(column.heading) for column in found.columns if column.heading}
        self._sheet = grid.kind or (
            RESOURCE if grid.means_what_it_says else _of_sheet(grid, found, choice, headings, file_name)
        )
        self._by_category = choice.column("category") is not None and choice.column("amount") is None
        self._things = bool(_OF_THINGS & headings)

    def of(self, fields: dict[str, Value]) -> str:
        """The kind of a row that became these fields."""
        if self._sheet != RESOURCE or self._things:
            return self._sheet
        place = fields.get("place")
        if isinstance(place, dict):
            shape = place.get("geometry")
            if isinstance(shape, dict) and shape.get("type") in _SURFACES:
                return PLACE
        if not self._by_category:
            return RESOURCE
        located = isinstance(place, dict) and "lat" in place
        return PLACE if located and _is_place(fields.get("category")) else RESOURCE


def _of_sheet(grid: Grid, found: Survey, choice: Choice, headings: set[str], file_name: str) -> str:
    if len(_OF_DESIGNS & headings) >= 2:
        return DESIGN
    if len(_OF_EVENTS & headings) >= 2:
        return EVENT
    if _OF_THINGS & headings or any(choice.column(name) is not None for name in ("amount", "unit")):
        return RESOURCE
    title = choice.column("title")
    heading = words.fold(found.columns[title].heading) if title is not None else ""
    whereabouts = choice.roles or any(choice.column(name) is not None for name in ("lat", "latlon", "lonlat"))
    if not whereabouts and (heading in _MODELS or "model number" in headings) and _OF_MODELS & headings:
        return SPECIFICATION
    located = grid.geometries or any(choice.column(name) is not None for name in ("lat", "latlon", "lonlat"))
    addressed = len(_ADDRESS_ROLES & set(choice.roles.values())) >= 2
    if heading and "venue" in words.meanings(heading) and choice.roles:
        return PLACE  # a directory: what would be the place of a thing is the title
    if grid.name and choice.roles and _names_places(words.fold(grid.name)):
        return PLACE
    if located and (_signs(headings) or _is_place(file_name)):
        return PLACE
    if addressed and (located or title is not None) and not _name_tools(found, title):
        return PLACE
    return RESOURCE


def _names_places(name: str) -> bool:
    """Whether a table is called `libraries`, or `workshops`; `items by library` is another matter."""
    one = f"{name[:-3]}y" if name.endswith("ies") else name.removesuffix("s")
    return " " not in name and (_is_place(one) or "venue" in words.meanings(one))


def _name_tools(found: Survey, title: int | None) -> bool:
    sample = found.columns[title].sample if title is not None else []
    tools = sum(map(_is_tool, sample))
    return bool(sample) and tools >= TOOL_SHARE_MIN * len(sample)


def _signs(headings: Iterable[str]) -> bool:
    return any(heading in _STANDS or not _OF_PLACES.isdisjoint(heading.split()) for heading in headings)


def _in(root: str, category: str | None) -> bool:
    around, number = category_range(root), category_number(category or "")
    return around is not None and number is not None and around[0] <= number <= around[1]


def _is_place(text: Value) -> bool:
    return _in("places", category_of(text))


def _is_tool(title: Value) -> bool:
    found = category_of(None, title)
    return _in("tools", found) or _in("machines", found)
