"""Which column feeds which field: guessed from headings and values, or as a person said.

Single-valued fields get the one column that fits best; parts of an address all feed `place`; what fits nothing is kept as it is.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from commonsnode.tables import header, places
from commonsnode.tables import headings as words
from commonsnode.tables.declared import TEXTS
from commonsnode.tables.model import OUR_ID, Grid, TableError
from commonsnode.tables.numbers import is_number
from commonsnode.tables.survey import Column, Survey

SINGLE = ("title", "description", "category", "condition", "amount", "unit", "licence", "geometry")
PLAIN_TEXTS = tuple(name for name in TEXTS if name not in SINGLE)
"""Fields of kinds that take a cell as it is, and that hardly a heading is guessed to mean."""
SURE = ("landuse", "tenure", "website")  # of these, those whose names say nothing else in any table
TARGETS = (*SINGLE, *PLAIN_TEXTS, "place", "lat", "lon", "latlon", "lonlat", "tags", "x", "-")
"""What `--map` takes."""

EMPTY_LOSS = 20  # of a score, for a column that is empty throughout
NUMBER_SHARE_MIN = 2 / 3  # of the cells of an amount
PLAIN_NUMBER_SHARE_MIN = 0.5  # where the heading is plain
PLAIN = 90  # from here on a heading can hardly mean anything else
WEAK = 60  # up to here a heading alone does not do
UNIQUE_ROWS_MIN = 20  # that many different house numbers are none
TAG_CHARS_MAX = 50
UNIT_CHARS_MAX = 24
CATEGORY_CHARS_MAX = 80  # on average
NOTICE_LINES_MAX = 5

HELPER_TITLE = 45  # of words that are a title only where there is no other

_Candidate = tuple[float, int, Column, str]  # score, minus the index, the column, the target
_ANCHORS = frozenset(("venue", "spot", "address", "street", "city"))
_TEXT_ROLES = frozenset(("venue", "address", "street", "city", "quarter"))


@dataclass(slots=True)
class Choice:
    """targets: column index -> target. roles: of those that feed `place`. key: the column that names the rows."""

    targets: dict[int, str] = field(default_factory=dict)
    roles: dict[int, str] = field(default_factory=dict)
    key: Column | None = None
    key_said: bool = False
    said: set[int] = field(default_factory=set)
    scale: int = 1
    order: places.Order = "latlon"
    notices: list[str] = field(default_factory=list)

    def column(self, target: str) -> int | None:
        return next((index for index, name in self.targets.items() if name == target), None)


def check_targets(said: Mapping[str, str]) -> None:
    """Raise TableError for a target of `--map` that does not exist."""
    for heading, target in said.items():
        if target not in TARGETS:
            raise TableError(f"--map {heading}={target}: unknown field; possible are {', '.join(TARGETS)}")


def find_label(columns: Iterable[Column], name: str) -> Column | None:
    """The column that a person means: by its heading or number as shown, or folded where that is unambiguous."""
    columns = list(columns)
    exact = next((column for column in columns if column.label == name), None)
    if exact:
        return exact
    alike = [column for column in columns if words.fold(column.label) == words.fold(name)]
    return alike[0] if len(alike) == 1 else None


def choose(grid: Grid, found: Survey, said: Mapping[str, str], key: str | None) -> Choice:
    """Map the columns of one table. said: heading -> target of `--map`, for the headings that this table has."""
    mapping = Choice()
    _as_said(mapping, found, said)
    for column in found.columns:
        if column.heading.startswith("x:"):
            mapping.targets.setdefault(column.index, "x")
    if grid.ours or any(column.heading == OUR_ID for column in found.columns):
        _as_exported(mapping, found)
    else:
        _coordinates(mapping, grid, found)
        _sure(mapping, found)
        _fields(mapping, found)
        _tags(mapping, found)
    _key(mapping, grid, found, key)
    for column in found.columns:
        if column.heading == OUR_ID and mapping.key is column:
            mapping.targets.setdefault(column.index, "-")
        mapping.targets.setdefault(column.index, "x")
    _order(mapping, found)
    _notice_odd_cells(mapping, found)
    return mapping


def _as_said(mapping: Choice, found: Survey, said: Mapping[str, str]) -> None:
    for name, target in said.items():
        column = find_label(found.columns, name)
        if column is None:
            continue
        other = mapping.column(target)
        if (
            target in (*SINGLE, *PLAIN_TEXTS, "lat", "lon", "latlon", "lonlat")
            and other is not None
            and other != column.index
        ):
            raise TableError(
                f"--map: two columns for {target}: {found.columns[other].label!r} and {column.label!r}"
            )
        mapping.targets[column.index] = target
        mapping.said.add(column.index)
        if target == "place":
            roles = {role: score for role, score in column.meanings().items() if role in words.PLACE_ROLES}
            mapping.roles[column.index] = max(roles, key=lambda role: roles[role]) if roles else "venue"


def _sure(mapping: Choice, found: Survey) -> None:
    for column in _free(mapping, found):
        name = words.fold(column.heading)
        if name in SURE and mapping.column(name) is None:
            mapping.targets[column.index] = name


def _as_exported(mapping: Choice, found: Survey) -> None:
    """Headings of our own export mean what they say, and no other heading means anything."""
    names = {column.heading for column in found.columns}
    for column in found.columns:
        lone = column.heading in ("lat", "lon") and not {"lat", "lon"} <= names
        if column.heading in TARGETS and column.heading not in ("x", "-") and not lone:
            mapping.targets.setdefault(column.index, column.heading)
            if mapping.targets[column.index] == "place":
                mapping.roles.setdefault(column.index, "venue")


# Coordinates


def _coordinates(mapping: Choice, grid: Grid, found: Survey) -> None:
    if any(mapping.column(target) is not None for target in ("latlon", "lonlat")):
        return
    if grid.geometries and mapping.column("lat") is None and mapping.column("lon") is None:
        return
    if _two_columns(mapping, found) or grid.geometries:
        return
    best: tuple[float, Column, str] | None = None
    for column in _free(mapping, found):
        meanings = column.meanings()
        if "geometry" in meanings and _are_points(column):
            meanings = {"lonlat": meanings["geometry"]}
        for target in ("latlon", "lonlat", "pair"):
            score = meanings.get(target, 0) - _emptiness(column, found)
            if target in meanings and (best is None or score > best[0]) and _are_pairs(column):
                best = (score, column, target)
    if best is not None:
        _, column, target = best
        mapping.targets[column.index] = "pair" if target == "pair" else target


def _two_columns(mapping: Choice, found: Survey) -> bool:
    lat = _best_coordinate(mapping, found, "lat")
    lon = _best_coordinate(mapping, found, "lon")
    if lat is None or lon is None:
        for column in (lat, lon):
            if column is not None and column.index in mapping.said:
                raise TableError("--map: lat and lon go together; one of them is missing")
        return False
    told = lat.index in mapping.said
    weak = not told and min(lat.meanings().get("lat", 0), lon.meanings().get("lon", 0)) <= WEAK
    scale: int | None = 1
    if lat.cells is not None and lon.cells is not None:
        scale = places.find_scale(lat.cells, lon.cells, strict=weak) or (1 if told else None)
    if scale is None or (weak and scale == 1 and not _precise(lat.sample + lon.sample)):
        return False
    mapping.targets[lat.index], mapping.targets[lon.index] = "lat", "lon"
    mapping.scale = scale
    return True


def _best_coordinate(mapping: Choice, found: Survey, target: str) -> Column | None:
    told = mapping.column(target)
    if told is not None:
        return found.columns[told]
    candidates = [c for c in _free(mapping, found) if target in c.meanings() and c.cells is not None]
    return max(candidates, key=lambda c: c.meanings()[target] - _emptiness(c, found), default=None)


def _precise(sample: Sequence[str]) -> bool:
    precise = sum(len(cell.replace(",", ".").partition(".")[2]) >= 3 for cell in sample)
    return bool(sample) and precise >= places.SHARE_MIN * len(sample)


def _are_points(column: Column) -> bool:
    points = sum('"Point"' in cell or cell.upper().startswith("POINT") for cell in column.sample)
    return points > 0 and points == len(column.sample)


def _are_pairs(column: Column) -> bool:
    good = 0
    for cell in column.sample:
        try:
            good += places.parse_pair(cell, "latlon") is not None
        except ValueError:
            good += 1
    return good > 0 and good >= places.SHARE_MIN * len(column.sample)


def _order(mapping: Choice, found: Survey) -> None:
    """The order of the two coordinates in one cell; after this there is no `pair`."""
    index = mapping.column("pair")
    if index is not None:
        mapping.order = places.find_order(found.columns[index].sample)
        mapping.targets[index] = mapping.order
    elif mapping.column("lonlat") is not None:
        mapping.order = "lonlat"


# Fields


def _fields(mapping: Choice, found: Survey) -> None:
    candidates: list[_Candidate] = []
    addressed = any("city" in c.meanings() or "address" in c.meanings() for c in found.columns)
    in_town = any({"street", "postcode"} & c.meanings().keys() for c in found.columns)
    for column in _free(mapping, found):
        meanings = _possible(column)
        if in_town and "city" in meanings:
            meanings.pop("venue", None)  # `Ort` beside `Straße` and `PLZ` is a town
        for target, plain in meanings.items():
            if (target in SINGLE or target in words.PLACE_ROLES) and _fits(column, target, plain, addressed):
                candidates.append((plain - _emptiness(column, found), -column.index, column, target))
    candidates = _with_title(candidates)
    taken = {target for target in mapping.targets.values() if target in SINGLE} | set(mapping.roles.values())
    roles: dict[str, Column] = {}
    for score, _, column, target in sorted(candidates, key=lambda entry: entry[:2], reverse=True):
        if target in taken or column.index in mapping.targets or any(c is column for c in roles.values()):
            continue
        if target == "venue" and score <= words.LOOSE and {"address", "street", "city"} & roles.keys():
            continue
        taken.add(target)
        if target in words.PLACE_ROLES:
            roles[target] = column
        else:
            mapping.targets[column.index] = target
    _place_parts(mapping, roles)


def _with_title(candidates: list[_Candidate]) -> list[_Candidate]:
    """Where nothing but a room or a library can be the title, it is one, and no place."""
    for score, _, _, target in candidates:
        if (target == "title" and score > HELPER_TITLE) or (
            target == "description" and score > PLAIN - EMPTY_LOSS
        ):
            return candidates
    return [(s + PLAIN if target == "title" else s, i, column, target) for s, i, column, target in candidates]


def _possible(column: Column) -> dict[str, int]:
    """The meanings of a heading, seen with what stands below it."""
    meanings = dict(column.meanings())
    if "venue" in meanings and words.fold(column.heading) == "place":
        osm = words.value_words("OSM_PLACES")
        if column.sample and all(words.fold(cell) in osm for cell in column.sample):
            return {"category": 70}
    if meanings.get("geometry") and any(cell.startswith("{") and '"Point"' in cell for cell in column.sample):
        del meanings["geometry"]  # a second copy of the point
    return meanings


def _place_parts(mapping: Choice, roles: dict[str, Column]) -> None:
    """Street, town and the like feed `place`; a country or postcode alone is no place."""
    anchored = _ANCHORS & (roles.keys() | set(mapping.roles.values()))
    if not anchored:
        return
    for role, column in roles.items():
        if role == "number" and not {"street", "address"} & roles.keys():
            continue
        mapping.targets[column.index] = "place"
        mapping.roles[column.index] = role


def _are_ids(sample: Sequence[str]) -> bool:
    """Whether the cells are numbers, or lists of them: they stand for what another table says."""
    numbers = sum(all(is_number(part.strip()) for part in cell.split(",")) for cell in sample)
    return numbers >= 0.9 * len(sample)


def _fits(column: Column, target: str, score: int, addressed: bool) -> bool:
    """Whether the cells of a column can be what its heading promises."""
    sample = column.sample
    if not sample:
        return True
    numbers = sum(map(is_number, sample)) / len(sample)
    checks: dict[str, Callable[[], bool]] = {
        "title": lambda: numbers < 0.9 or (score >= 98 and "amount" not in column.meanings()),
        "amount": lambda: numbers >= (PLAIN_NUMBER_SHARE_MIN if score >= PLAIN else NUMBER_SHARE_MIN),
        "unit": lambda: numbers <= 0.3 and _mean_length(sample) <= UNIT_CHARS_MAX,
        "category": lambda: not _are_ids(sample) and _mean_length(sample) <= CATEGORY_CHARS_MAX,
        "condition": lambda: _mean_length(sample) <= CATEGORY_CHARS_MAX and _is_condition(column, addressed),
        "state": lambda: not _share_in(sample, "CONDITION_WORDS") >= 0.3,
        "number": lambda: len(sample) < UNIQUE_ROWS_MIN or len(set(sample)) < len(sample),
        "geometry": lambda: any(cell.startswith("{") for cell in sample),
    }
    if target in checks and not checks[target]():
        return False
    if target in _TEXT_ROLES and target != "venue" and numbers > 0.9:
        return False
    typed = sum(1 for cell in sample if header.is_typed(cell) and not is_number(cell))
    return target in ("amount", "geometry") or typed <= len(sample) / 2


def _is_condition(column: Column, addressed: bool) -> bool:
    """`Estado` is a condition or a federal state, `State` likewise: the values, or an address beside it, decide."""
    if "state" not in column.meanings():
        return True
    return _share_in(column.sample, "CONDITION_WORDS") >= 0.3 or not addressed


def _share_in(sample: Sequence[str], which: str) -> float:
    known = words.value_words(which)
    return sum(words.fold(cell) in known for cell in sample) / len(sample)


def _mean_length(sample: Sequence[str]) -> float:
    return sum(map(len, sample)) / len(sample)


def _tags(mapping: Choice, found: Survey) -> None:
    for column in _free(mapping, found):
        if "tags" not in column.meanings():
            continue
        pieces = [piece for cell in column.sample for piece in split_tags(cell)]
        if sum(len(piece) <= TAG_CHARS_MAX for piece in pieces) >= places.SHARE_MIN * len(pieces):
            mapping.targets[column.index] = "tags"


def split_tags(cell: str) -> list[str]:
    """The tags of one cell: divided by semicolons, pipes or lines where it has any, else by commas."""
    if cell.startswith("[") and cell.endswith("]"):
        cell = cell[1:-1].replace('"', "")
    for mark in (";", "|", "\n"):
        if mark in cell:
            return [piece.strip().lstrip("#") for piece in cell.split(mark) if piece.strip().strip("#")]
    return [piece.strip().lstrip("#") for piece in cell.split(",") if piece.strip().strip("#")]


# Key


def _key(mapping: Choice, grid: Grid, found: Survey, said: str | None) -> None:
    if said is not None:
        mapping.key = find_label(found.columns, said)
        mapping.key_said = mapping.key is not None
        if mapping.key_said:
            return
    if grid.feature_ids or not found.lines:
        return
    best = 0
    for column in found.columns:
        plain = column.meanings().get("key", 0)
        if plain <= best or mapping.roles.get(column.index) or not column.cells:
            continue
        if (
            all(column.cells)
            and len(set(column.cells)) == len(column.cells)
            and not _running(column.cells, plain)
        ):
            best, mapping.key = plain, column


def _running(cells: Sequence[str], score: int) -> bool:
    """Whether a column that is only perhaps an id just counts the rows."""
    if score > words.LOOSE:
        return False
    counted = len(cells) < 2 or not all(cell.isdecimal() for cell in cells)
    if counted:
        return len(cells) < 2
    first = int(cells[0])
    return all(int(cell) == first + i for i, cell in enumerate(cells))


# What is left over


def _free(mapping: Choice, found: Survey) -> list[Column]:
    return [column for column in found.columns if column.index not in mapping.targets and column.heading]


def _emptiness(column: Column, found: Survey) -> float:
    return EMPTY_LOSS * (1 - column.filled / found.looked_at) if found.looked_at else 0.0


def _notice_odd_cells(mapping: Choice, found: Survey) -> None:
    """Say which cells of an amount are no numbers: they are kept as text."""
    index = mapping.column("amount")
    if index is None or index in mapping.said:
        return
    column = found.columns[index]
    odd = [
        line
        for line, cell in zip(found.lines, column.cells or (), strict=False)
        if cell and not is_number(cell)
    ]
    if odd:
        shown = ", ".join(map(str, odd[:NOTICE_LINES_MAX])) + (", …" if len(odd) > NOTICE_LINES_MAX else "")
        which = "1 cell" if len(odd) == 1 else f"{len(odd)} cells"
        verb = "is no number" if len(odd) == 1 else "are no numbers"
        mapping.notices.append(f"{which} of {column.label!r} {verb} (line {shown}): kept as {column.field}")


def explain(mapping: Choice, found: Survey) -> dict[str, str]:
    """Heading -> field, as it is shown, and as `--map` would take it."""
    shown = {}
    for column in found.columns:
        target = mapping.targets[column.index]
        if target == "x":
            target = column.field
        elif target == "-" and mapping.key is column and column.index not in mapping.said:
            target = "key"
        shown[column.label] = target
    return shown
