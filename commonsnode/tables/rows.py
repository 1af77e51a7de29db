"""From the cells of a row to the fields of a record, by the columns chosen; and the key that names the row."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import blake2b
from json.encoder import encode_basestring

import msgpack

from commonsnode.tables import geometry, json_form, places
from commonsnode.tables.columns import Choice, split_tags
from commonsnode.tables.declared import TEXTS
from commonsnode.tables.kinds_of_rows import KindOfRows
from commonsnode.tables.lending_columns import LendingColumns
from commonsnode.tables.model import (
    CELL_BYTES_MAX,
    KEY_BYTES_MAX,
    ROW_BYTES_MAX,
    Feature,
    Grid,
    Rejected,
    Row,
    TableError,
    cut,
    distinct,
    shorten,
)
from commonsnode.tables.numbers import decimal_text, thousands_with_points, uses_decimal_comma
from commonsnode.tables.survey import Survey
from commonsnode_protocol.canonical import Value
from commonsnode_protocol.limits import FIELD_BYTES_MAX

KEY_PART_CHARS_MAX = 400  # of a title or place; both fit KEY_BYTES_MAX, escaped too
FIELD_OVERHEAD = 8  # bytes around a field's name and text in MessagePack, at most
_PART_ORDER = ("venue", "spot", "address", "street", "extra", "quarter", "city", "state", "country")


class _Refused(Exception):
    """This row cannot be taken; the text says why."""


@dataclass(frozen=True, slots=True)
class _Amount:
    index: int
    field: str  # where a cell that is no number is kept
    said: bool  # by a person: then such a cell refuses the row
    decimal_comma: bool


@dataclass(frozen=True, slots=True)
class _Coordinates:
    lat: int
    lon: int
    lat_field: str
    lon_field: str
    scale: int
    said: bool


@dataclass(frozen=True, slots=True)
class _Pair:
    index: int
    field: str
    order: places.Order
    said: bool


class RowReader:
    """Makes rows of one table. `read` goes through it once."""

    def __init__(self, grid: Grid, found: Survey, choice: Choice, file_name: str) -> None:
        self.grid = grid
        self.kind_of = KindOfRows(grid, found, choice, file_name).of
        self.lending = LendingColumns(grid, found, choice)
        self.width = len(found.columns)
        fields = {column.index: column.field for column in found.columns}
        self.texts = [(i, t) for i, t in sorted(choice.targets.items()) if t in TEXTS]
        self.texts += [(i, fields[i]) for i, t in sorted(choice.targets.items()) if t == "x"]
        self.tags = [(i, fields[i]) for i, t in sorted(choice.targets.items()) if t == "tags"]
        self.parts = _in_order(choice.roles)
        self.amount = self._amount(choice, found, fields, grid.separator)
        lat, lon = choice.column("lat"), choice.column("lon")
        self.coordinates: _Coordinates | None = None
        if lat is not None and lon is not None:
            said = lat in choice.said or lon in choice.said
            self.coordinates = _Coordinates(lat, lon, fields[lat], fields[lon], choice.scale, said)
        pair = choice.column("latlon")
        pair = choice.column("lonlat") if pair is None else pair
        self.pair = None if pair is None else _Pair(pair, fields[pair], choice.order, pair in choice.said)
        self.geometry = choice.column("geometry")
        self.geometry_field = "" if self.geometry is None else fields[self.geometry]
        self.has_shapes = grid.geometries or self.geometry is not None or self.pair is not None
        self.key = None if choice.key is None else choice.key.index
        self.key_label = "" if choice.key is None else choice.key.label
        self.taken = set(fields.values())
        self.extra_fields: dict[int, str] = {}
        self.overhead = sum(len(name.encode()) + FIELD_OVERHEAD for name in fields.values()) + 1024
        self.headings = [column.heading for column in found.columns] if grid.has_headings else []

    @staticmethod
    def _amount(choice: Choice, found: Survey, fields: dict[int, str], separator: str) -> _Amount | None:
        index = choice.column("amount")
        if index is None:
            return None
        sample = found.columns[index].sample
        comma = uses_decimal_comma(sample, separator)
        if separator == ";" and thousands_with_points(sample):
            comma = comma or any(uses_decimal_comma(c.sample, ",") for c in found.columns)
        return _Amount(index, fields[index], index in choice.said, comma)

    def read(self) -> Iterator[Row | Rejected]:
        """The rows in their order; those that cannot be taken as Rejected; empty ones not at all."""
        keys: set[str] = set()
        repeated: Counter[tuple[str, str]] = Counter()
        width, texts, key_index = self.width, self.texts, self.key
        feature_ids = self.grid.feature_ids
        for row in self.grid.rows():
            if isinstance(row, Row | Rejected):
                if isinstance(row, Row) and row.key in keys:
                    row = Rejected(row.line, f"the record {row.key} comes twice in this file")
                elif isinstance(row, Row):
                    keys.add(row.key)
                yield row
                continue
            line, cells, feature = row
            if len(cells) < width:
                cells = cells + [""] * (width - len(cells))
            fields: dict[str, Value] = {}
            for index, name in texts:
                if text := cells[index].strip():
                    fields[name] = text
            try:
                self._others(cells, feature, fields)
                if not fields:
                    continue
                if self.headings and cells[0].strip() == self.headings[0] and self._repeats_headings(cells):
                    raise _Refused("repeats the headings")
                self._check_size(cells, fields)
                if feature_ids and feature is not None:
                    key = feature.id or ""
                    if key in keys:
                        raise _Refused(f"the id {shorten(key)!r} comes twice in this file")
                    keys.add(key)
                elif key_index is not None:
                    key = self._key(cells[key_index].strip(), keys)
                else:
                    key = _made_key(fields, cells, repeated)
            except _Refused as error:
                yield Rejected(line, str(error))
                continue
            yield Row(line, key, fields, kind=self.kind_of(fields))

    def _others(self, cells: list[str], feature: Feature | None, fields: dict[str, Value]) -> None:
        """All that is more than a text: amount, tags, place; and cells beyond the headings."""
        if self.amount is not None and (text := cells[self.amount.index].strip()):
            self._add_amount(self.amount, text, fields)
        for index, _ in self.tags:
            for tag in split_tags(cells[index].strip()):
                fields[cut(f"tag:{tag}", FIELD_BYTES_MAX)] = True
        place = self._place(cells, feature, fields)
        if place:
            fields["place"] = place
        if self.lending.fields:
            self.lending.add(cells, fields)
        for index in range(self.width, len(cells)):
            if text := cells[index].strip():
                fields[self._extra(index)] = text

    @staticmethod
    def _add_amount(amount: _Amount, text: str, fields: dict[str, Value]) -> None:
        number = decimal_text(text, amount.decimal_comma)
        if number is not None:
            fields["amount"] = number
        elif amount.said:
            raise _Refused(f"the amount {shorten(text)!r} is no number")
        else:
            fields[amount.field] = text

    def _extra(self, index: int) -> str:
        if index not in self.extra_fields:
            self.extra_fields[index] = distinct(f"x:{index + 1}", self.taken)
        return self.extra_fields[index]

    # Place

    def _place(self, cells: list[str], feature: Feature | None, fields: dict[str, Value]) -> dict[str, Value]:
        place: dict[str, Value] = {}
        if self.parts and (name := _place_name(self.parts, cells)):
            place["name"] = name
        if self.pair is not None and (text := cells[self.pair.index].strip()):
            self._add_pair(self.pair, text, place, fields)
        if self.geometry is not None and (text := cells[self.geometry].strip()):
            self._add_geometry(text, place, fields)
        if self.coordinates is not None:
            self._add_coordinates(self.coordinates, cells, place, fields)
        if feature is not None:
            place.update(feature.place)
        return place

    @staticmethod
    def _add_coordinates(
        at: _Coordinates, cells: list[str], place: dict[str, Value], fields: dict[str, Value]
    ) -> None:
        lat_text, lon_text = cells[at.lat].strip(), cells[at.lon].strip()
        if not lat_text and not lon_text:
            return
        plain_lat, plain_lon = places.plain_degrees(lat_text), places.plain_degrees(lon_text)
        if plain_lat is not None and plain_lon is not None:
            _add_point(plain_lat, plain_lon, at.scale, place)
            return
        lat = places.parse_degrees(lat_text) if lat_text else None
        lon = places.parse_degrees(lon_text) if lon_text else None
        if lat is not None and lon is not None:
            _add_point(lat.value, lon.value, at.scale, place)
            return
        for text, degrees, name in ((lat_text, lat, "latitude"), (lon_text, lon, "longitude")):
            if text and degrees is None and (at.said or any(c.isdigit() for c in text)):
                raise _Refused(f"the {name} {shorten(text)!r} is no coordinate")
        fields.update({f: t for f, t in ((at.lat_field, lat_text), (at.lon_field, lon_text)) if t})

    @staticmethod
    def _add_pair(at: _Pair, text: str, place: dict[str, Value], fields: dict[str, Value]) -> None:
        try:
            found = places.parse_pair(text, at.order)
        except geometry.GeometryError as error:
            raise _Refused(str(error)) from None
        if found is None:
            if at.said:
                raise _Refused(f"the coordinates {shorten(text)!r} cannot be read")
            fields[at.field] = text
            return
        lat, lon = found.get("lat"), found.get("lon")
        if isinstance(lat, int) and isinstance(lon, int) and (reason := places.out_of_range(lat, lon)):
            raise _Refused(reason)
        place.update(found)

    def _add_geometry(self, text: str, place: dict[str, Value], fields: dict[str, Value]) -> None:
        try:
            place.update(geometry.place(json_form.parse(text)))
        except geometry.GeometryError as error:
            raise _Refused(str(error)) from None
        except json_form.JsonFormError:
            fields[self.geometry_field] = text

    # Key and size

    def _key(self, key: str, keys: set[str]) -> str:
        if not key:
            raise _Refused(f"no key: {self.key_label!r} is empty")
        if len(key.encode()) > KEY_BYTES_MAX:
            raise _Refused(f"the key {shorten(key)!r} is longer than {KEY_BYTES_MAX} bytes")
        if key in keys:
            raise _Refused(f"the key {shorten(key)!r} ({self.key_label}) comes twice in this file")
        keys.add(key)
        return key

    def _repeats_headings(self, cells: list[str]) -> bool:
        return all(cell.strip() == heading for cell, heading in zip(cells, self.headings, strict=False))

    def _check_size(self, cells: list[str], fields: dict[str, Value]) -> None:
        """Refuse cells and rows over their limits, and text that is none; exactly only where it may come close."""
        text = "".join(cells)
        if not text.isascii():
            try:
                size = len(text.encode())
            except UnicodeEncodeError:
                raise _Refused("has bytes or characters that are no text") from None
        else:
            size = len(text)
        if size > CELL_BYTES_MAX:
            for number, cell in enumerate(cells, start=1):
                if len(cell.encode()) > CELL_BYTES_MAX:
                    raise _Refused(f"the cell in column {number} is larger than {CELL_BYTES_MAX} bytes")
        if size + self.overhead > ROW_BYTES_MAX or self.has_shapes:
            packed = len(msgpack.packb(fields))
            if packed > ROW_BYTES_MAX:
                raise _Refused(f"the row has {packed} bytes; at most {ROW_BYTES_MAX} fit one record")


def _add_point(lat: float, lon: float, scale: int, place: dict[str, Value]) -> None:
    lat_e7, lon_e7 = places.to_e7(lat, scale), places.to_e7(lon, scale)
    if reason := places.out_of_range(lat_e7, lon_e7):
        raise _Refused(reason)
    place["lat"], place["lon"] = lat_e7, lon_e7


def _in_order(roles: dict[int, str]) -> list[tuple[str, list[tuple[str, int]]]]:
    """Parts of an address as they are written out: groups joined by a comma, within a group by a blank."""
    by_role: dict[str, list[int]] = {}
    for index, role in sorted(roles.items()):
        by_role.setdefault(role, []).append(index)
    groups: list[tuple[str, list[tuple[str, int]]]] = []
    for role in _PART_ORDER:
        members = [(role, index) for index in by_role.get(role, ())]
        if role == ("street" if "street" in by_role else "address"):
            members += [("number", index) for index in by_role.get("number", ())]
        if role == "city":
            members = [("postcode", index) for index in by_role.get("postcode", ())] + members
        if members:
            groups.append((role, members))
    return groups


def _place_name(groups: list[tuple[str, list[tuple[str, int]]]], cells: list[str]) -> str:
    parts: list[str] = []
    seen: set[str] = set()
    for _, members in groups:
        words = []
        for role, index in members:
            if text := " ".join(cells[index].split()):
                words.append(_house_number(text) if role == "number" else text)
        part = " ".join(words)
        if part and part.casefold() not in seen:
            seen.add(part.casefold())
            parts.append(part)
    return ", ".join(parts)


def _house_number(text: str) -> str:
    """`909.000000` is 909: a spreadsheet took the house numbers for quantities."""
    whole, point, rest = text.partition(".")
    return whole if point and whole.isdecimal() and not rest.strip("0") else text


def place_text(place: Value) -> str:
    """A place as it stands in a key: its name, else its coordinates, else nothing."""
    if not isinstance(place, dict):
        return ""
    name = place.get("name")
    if isinstance(name, str):
        return name
    lat, lon = place.get("lat"), place.get("lon")
    return f"{lat},{lon}" if isinstance(lat, int) and isinstance(lon, int) else ""


def _made_key(fields: dict[str, Value], cells: list[str], repeated: Counter[tuple[str, str]]) -> str:
    """Title, place, and how often both have come so far; without a title, the first cell that is a text."""
    title = fields.get("title")
    if not isinstance(title, str):
        texts = [text for cell in cells if (text := cell.strip())]
        title = next((text for text in texts if any(map(str.isalpha, text))), texts[0] if texts else "")
    named = title, place = _key_part(title), _key_part(place_text(fields.get("place")))
    repeated[named] += 1
    # As json.dumps writes the three, without an encoder made for each row.
    return f'[{encode_basestring(title)}, {encode_basestring(place)}, "{repeated[named]}"]'


def _key_part(text: str) -> str:
    """A text that is too long for a key: its beginning and its BLAKE2b."""
    if len(text) <= KEY_PART_CHARS_MAX:
        return text
    return f"{text[:KEY_PART_CHARS_MAX]}… {blake2b(text.encode(), digest_size=16).hexdigest()}"


def make_rows(grid: Grid, found: Survey, choice: Choice, file_name: str) -> Iterator[Row | Rejected]:
    """The rows of one table, lazily. file_name: without folder and extension; it may say what they are."""
    try:
        yield from RowReader(grid, found, choice, file_name).read()
    except RecursionError:
        raise TableError("has values that are nested too deeply") from None
