"""A store with many things in many communities, for questions about what is near: made once, and kept outside of the checkout.

Its records go through the store's own functions for rows and indexes, but no changesets are behind them: a million of
those would take an hour to sign and check, and no question reads them.
"""

import math
import random
import tempfile
from collections.abc import Iterator
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import cast

from bench.applying import SEEN_MS
from bench.changesets import KIND, Founded, found, own
from bench.things import SEED, things
from commonsnode_protocol.canonical import Value
from commonsnode_protocol.changeset import AUTHORITY, PUBLIC
from commonsnode_protocol.kinds.categories import CATEGORIES
from commonsnode_protocol.record import imported_id
from commonsnode_store import bodies, idleness, lanes
from commonsnode_store.connections import Connection, open_writer
from commonsnode_store.id_digests import IdDigests
from commonsnode_store.merging import Row, RowWriter
from commonsnode_store.numbers import Numbers
from commonsnode_store.reserved import Persons
from commonsnode_store.schema import FORMAT, PLAIN
from commonsnode_store.store import Store
from commonsnode_store.transaction import Transaction
from commonsnode_store.walks import Walks

VERSION = 1  # of what is made; a file of another is made anew
COMMUNITIES = 1_000
THINGS_MIN = 100  # of each community, where there are fewer things
CITY_PARTS = 100  # communities that are one city, within CITY_KM
CITY, CITY_KM = (-0.2, -78.5), 15
REGIONS, REGION_DEGREES, VILLAGE_DEGREES = 36, 0.6, 0.01
RULES = 200  # distinct opening hours
RESERVED_PART = 0.2  # reservations, for each thing
WEEK_BEGIN_MS = 1_796_601_600_000  # Monday, 7 December 2026
DAY_MS, HOUR_MS = 86_400_000, 3_600_000
AT_ONCE = 4_096
DAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")

Point = tuple[float, float]


def valleys(count: int, folder: Path | None = None) -> Path:
    """The path of a store with `count` things in COMMUNITIES communities, and reservations of a fifth as many."""
    folder = folder or Path(tempfile.gettempdir()) / "commonsnode-bench"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"valleys-{count}-{FORMAT}-{VERSION}.sqlite3"
    if not path.exists():
        making = path.with_suffix(".making")
        making.unlink(missing_ok=True)
        with closing(Store.open(making, create=True)) as store:
            for number in range(_communities(count)):
                _follow(store, community(number))
        _fill(making, count)
        making.rename(path)
    return path


def community(number: int) -> Founded:
    """The same one for the same number."""
    return found(f"valley {number}", members=0)


def centres() -> list[Point]:
    """Where each community is, as latitude and longitude in degrees."""
    chance = random.Random(SEED)
    regions = [(chance.uniform(-30, 10), chance.uniform(-80, -40)) for _ in range(REGIONS)]
    made = []
    for number in range(COMMUNITIES):
        if number < CITY_PARTS:
            away, angle = CITY_KM / 111 * math.sqrt(chance.random()), chance.uniform(0, 2 * math.pi)
            made.append((CITY[0] + away * math.sin(angle), CITY[1] + away * math.cos(angle)))
        else:
            lat, lon = regions[number % REGIONS]
            made.append((lat + chance.gauss(0, REGION_DEGREES), lon + chance.gauss(0, REGION_DEGREES)))
    return made


def near(chance: random.Random, centre: Point) -> tuple[int, int]:
    """A point of a village, in 1e-7 degrees."""
    lat, lon = (degrees + chance.gauss(0, VILLAGE_DEGREES) for degrees in centre)
    return round(lat * 1e5) * 100, round(lon * 1e5) * 100


def _communities(count: int) -> int:
    """As many as are said above, if there are enough things for them."""
    return min(COMMUNITIES, math.ceil(count / THINGS_MIN))


def _follow(store: Store, community: Founded) -> None:
    store.follow(community.id, (PUBLIC,))
    store.apply(community.id, AUTHORITY, [own(signed) for signed in community.authority], seen_ms=SEEN_MS)


def _fill(path: Path, count: int) -> None:
    with closing(open_writer(path)) as db:
        db.execute("pragma synchronous = off")
        followed = lanes.load(db)
        numbers = Numbers(db)
        places, chance = centres(), random.Random(SEED)
        every = zip(things(count), _rules(chance, count), strict=True)
        per_lane = math.ceil(count / _communities(count))
        for at in range(_communities(count)):
            id_ = community(at).id
            lane, of = followed.lane(id_, PUBLIC), followed.community(id_).no
            db.execute("begin immediate")
            numbers.begin()
            transaction = Transaction(
                db, numbers, bodies.Packer(db), followed, Walks(), IdDigests(), Persons()
            )
            rows = RowWriter(db, lane.no)
            for (thing, hours), n in zip(every, range(per_lane), strict=False):
                lat, lon = near(chance, places[at])
                values: dict[str, Value] = {
                    **cast(dict[str, Value], thing),
                    "category": chance.choice(_CATEGORIES),
                    "hours": hours,
                    "place": {"lat": lat, "lon": lon},
                }
                record = imported_id(id_, KIND, "valleys", str(n))
                row = Row(numbers.record(), record, numbers.kind(KIND), PLAIN, changed_ms=SEEN_MS)
                row.live = {1: {name: values[name] for name in sorted(values)}}
                rows.put(row, {})
                if chance.random() < RESERVED_PART:
                    _reserve(db, chance, of, record)
            rows.finish(transaction.lane(lane))
            transaction.finish()
            db.execute("commit")
        db.execute("pragma wal_checkpoint(truncate)")


def _rules(chance: random.Random, count: int) -> Iterator[dict[str, Value]]:
    """Opening hours, of RULES distinct ones: open on Saturday from nine to one are two of five."""
    rules: list[dict[str, Value]] = []
    for number in range(RULES):
        days = set(chance.sample(DAYS[:5], k=chance.randint(1, 4))) | ({"SA"} if number % 5 < 2 else set())
        by_day = ",".join(day for day in DAYS if day in days)
        start, end = f"{number % 3 + 6:02}:{number % 60:02}", f"{number % 8 + 15:02}:00"
        rules.append({"rules": [{"rrule": f"FREQ=WEEKLY;BYDAY={by_day}", "start": start, "end": end}]})
    for _ in range(count):
        yield chance.choice(rules)


def _reserve(db: Connection, chance: random.Random, community: int, record: bytes) -> None:
    """A few hours of the week that is asked about, or of one after it."""
    begin = WEEK_BEGIN_MS + chance.randrange(28) * DAY_MS + chance.randrange(6, 18) * HOUR_MS
    span = (begin, begin + chance.randint(1, 48) * HOUR_MS, Decimal(1))
    idleness.replace_busy(db, community, record, [span])


_CATEGORIES = tuple(category.id for category in CATEGORIES.values())
