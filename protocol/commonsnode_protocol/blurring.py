"""Privacy by distance: the position that everybody may know of a place that only members know exactly.  SPEC.md, "Blurred places".

The earth is cut into cells about as wide and as high as the charter's grid; all places of a cell are shown as its middle.
Whole numbers only: who imports the same file at another node writes the same bytes.
"""

from commonsnode_protocol.authority.settings import GRID_M_MAX
from commonsnode_protocol.canonical import Value
from commonsnode_protocol.limits import LATITUDE_MAX, LONGITUDE_MAX

LAT, LON = "lat", "lon"  # of a map `place`
GRID = "grid"  # says that these are the middle of a cell, and of how many metres
BLURRED_KINDS = frozenset(
    ("resource", "agent", "intent")
)  # by kind: what `place` and `plan` say is public by nature

_HALF_ROUND_M = 20_015_087  # from pole to pole, on a ball of 6,371,008.8 m
_HALF_TURN_SQUARED = LONGITUDE_MAX**2


def blurred(lat: int, lon: int, grid_m: int) -> tuple[int, int]:
    """The middle of the cell that a position lies in, in 1e-7 degrees; the position itself where the grid is 0.

    Raises ValueError where the position is not on earth, or the grid not 0 to GRID_M_MAX.
    """
    if abs(lat) > LATITUDE_MAX or abs(lon) > LONGITUDE_MAX:
        raise ValueError(f"no position on earth: {lat}, {lon}")
    if not 0 <= grid_m <= GRID_M_MAX:
        raise ValueError(f"a grid is 0 to {GRID_M_MAX} metres, not {grid_m}")
    if grid_m == 0:
        return lat, lon
    rows = _HALF_ROUND_M // grid_m
    row = min((lat + LATITUDE_MAX) * rows // (2 * LATITUDE_MAX), rows - 1)
    middle = (2 * row + 1) * LATITUDE_MAX // rows - LATITUDE_MAX
    if abs(lat) == LATITUDE_MAX or lon == LONGITUDE_MAX:
        # A pole has any longitude, and 180 degrees east is 180 degrees west.
        lon = -LONGITUDE_MAX
    columns = _columns(middle, rows)
    column = (lon + LONGITUDE_MAX) * columns // (2 * LONGITUDE_MAX)
    return middle, (2 * column + 1) * LONGITUDE_MAX // columns - LONGITUDE_MAX


def shown_distance_m(distance_m: int, grid_m: int) -> int:
    """A distance as it is shown to who is no member: to the nearest whole number of grid lengths."""
    return distance_m if grid_m == 0 else (2 * distance_m + grid_m) // (2 * grid_m) * grid_m


def blurred_place(place: Value, grid_m: int) -> Value:
    """What everybody may know of a value of the field `place`; the same value where it says no position.

    Of a map with a position nothing else stays: a name may be an address, and a geometry is a position.
    """
    position = position_of(place)
    if position is None or grid_m == 0:
        return place
    lat, lon = blurred(*position, grid_m)
    return {LAT: lat, LON: lon, GRID: grid_m}


def is_blurred(place: Value) -> bool:
    """Whether a value of the field `place` says of itself that it is the middle of a cell."""
    return isinstance(place, dict) and type(place.get(GRID)) is int and position_of(place) is not None


def position_of(place: Value) -> tuple[int, int] | None:
    """Where a value of the field `place` is: its `lat` and `lon`, else the middle of what its geometry spans."""
    if not isinstance(place, dict):
        return None
    lat, lon = place.get(LAT), place.get(LON)
    if type(lat) is int and type(lon) is int and abs(lat) <= LATITUDE_MAX and abs(lon) <= LONGITUDE_MAX:
        return lat, lon
    spans = list(_positions(place.get("geometry")))
    if not spans:
        return None
    lats, lons = [at[0] for at in spans], [at[1] for at in spans]
    return (min(lats) + max(lats)) // 2, (min(lons) + max(lons)) // 2


def _columns(middle: int, rows: int) -> int:
    # Bhaskara I's cosine, (180² − 4x²) / (180² + x²) for x degrees: at most 0.2 % of the equator off, and a fraction of
    # whole numbers, where the cosine of one machine may differ from another's in the last place.
    square = middle * middle
    return max(2 * rows * (_HALF_TURN_SQUARED - 4 * square) // (_HALF_TURN_SQUARED + square), 1)


def _positions(geometry: Value) -> list[tuple[int, int]]:
    """(lat, lon) of all positions on earth of a GeoJSON geometry, whose nesting was checked or is shallow."""
    if not isinstance(geometry, dict):
        return []
    found: list[tuple[int, int]] = []
    waiting: list[Value] = [geometry]
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict):
            waiting += [one.get("coordinates"), one.get("geometries")]
        elif isinstance(one, list):
            lon, lat = one if len(one) == 2 else (None, None)
            if type(lon) is int and type(lat) is int:
                if abs(lat) <= LATITUDE_MAX and abs(lon) <= LONGITUDE_MAX:
                    found.append((lat, lon))
            else:
                waiting += one
    return found
