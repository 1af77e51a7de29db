"""What was found as JSON, GeoJSON and CSV, whatever a peer has written into a thing."""

import csv
import io
import json
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commonsnode.asking.question import Understood
from commonsnode.asking.scope import Charter, Scope
from commonsnode.http.resource_documents import Telling, geojson, page, table
from commonsnode.http.schema import problems
from commonsnode.http.shapes import SCHEMAS
from commonsnode_protocol.authority import Settings
from commonsnode_protocol.canonical import Value
from commonsnode_store.answers import RecordRef
from commonsnode_store.asked import FindPage, FindQuery, Hit
from commonsnode_store.shown import place_of, title_of
from commonsnode_store.store import Store

VALLEY = b"v" * 32
SCOPE = Scope({VALLEY: Charter(VALLEY, "Valle", Settings())}, False)
UNDERSTOOD = Understood(FindQuery(), None, None, UTC, None, SCOPE, "person")

_SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.text(max_size=8)
    | st.binary(max_size=40)
)
_NAMES = st.sampled_from(
    [
        "title",
        "place",
        "lending",
        "hours",
        "condition",
        "tag:x",
        "amount",
        "lat",
        "name",
        "geometry",
        "type",
        "coordinates",
    ]
)
_VALUES: st.SearchStrategy[Value] = st.recursive(
    _SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_NAMES, inner, max_size=4),
    max_leaves=12,
)


@pytest.fixture(scope="module")
def nothing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """A store that follows nothing."""
    with closing(Store.open(tmp_path_factory.mktemp("store") / "a.sqlite3", create=True)) as store:
        yield store


def hit(values: dict[str, Value]) -> Hit:
    lat, lon = place_of(values)
    ref = RecordRef(VALLEY, "public", "resource", b"r" * 16)
    return Hit(ref, title_of(values) or "72727272", lat, lon, 1_499, [(0, 3_600_000)], values)


@given(st.dictionaries(_NAMES, _VALUES, max_size=6))
def test_no_value_keeps_an_answer_from_being_made(nothing: Store, values: dict[str, Value]) -> None:
    telling, found = Telling(nothing, UNDERSTOOD, b""), FindPage([hit(values)], None)
    whole = page(telling, UNDERSTOOD, found)
    assert list(problems(whole, SCHEMAS["Resources"], SCHEMAS)) == []
    (one,) = whole["results"]
    assert one["distance_m"] == 1_000
    assert one["idle"] == [{"from": "1970-01-01T00:00:00.000Z", "until": "1970-01-01T01:00:00.000Z"}]
    features = json.loads(json.dumps(geojson(telling, UNDERSTOOD, found)))["features"]
    assert [feature["id"] for feature in features] == [one["id"]]
    (row,) = csv.DictReader(io.StringIO(table(telling, found), newline=""))
    assert row["id"] == one["id"]
    assert not any(cell.startswith(("=", "@", "\t", "\r")) for cell in row.values() if cell)


@pytest.mark.parametrize("title", ["=1+1", "+1", "-1", "@a", "\ta"])
def test_a_text_that_a_spreadsheet_would_calculate_has_an_apostrophe(nothing: Store, title: str) -> None:
    found = FindPage([hit({"title": f"x{title}", "description": title})], None)
    (row,) = csv.DictReader(io.StringIO(table(Telling(nothing, UNDERSTOOD, b""), found), newline=""))
    assert (row["title"], row["description"]) == (f"x{title}", f"'{title}")
