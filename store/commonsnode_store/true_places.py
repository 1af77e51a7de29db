"""The order of what is near for members: by where things are, though the index holds where everybody may know them to be.

A blurred place is at most a cell's radius away from the true one. So what is farther than that from the last one met can no
longer be overtaken, and is given out. A half that says another place than that is taken to be as near as it could be, so
that nothing is lost or comes twice, whatever somebody wrote.
"""

from collections.abc import Iterator, Sequence
from heapq import heappop, heappush

from commonsnode_store.areas import Distance, Point
from commonsnode_store.candidates import NO_DISTANCE, START, Candidates, Found, Mark
from commonsnode_store.cells import NO_MAX, NOWHERE
from commonsnode_store.connections import Connection, select_in
from commonsnode_store.lanes import Lane
from commonsnode_store.schema import BENEATH

AT_ONCE = 512
_LAST_KEY = 2 * NOWHERE
_HALVES = """
select here.no, half.lat, half.lon from records as here
cross join lanes as own on own.no = here.lane
cross join lanes as sealed on sealed.community = own.community and sealed.name = 'members'
cross join records as half on half.lane = sealed.no and half.id = here.id and half.kind = here.kind
where sealed.no in ({sealed}) and own.no <> sealed.no and half.lat is not null and half.status <> {beneath}
and here.no in ({{}})
"""


class ByTruePlace:
    """The candidates of a question that is near a point. Marks are as those of Candidates, of the distances here."""

    def __init__(
        self,
        db: Connection,
        candidates: Candidates,
        near: Point,
        within_m: int | None,
        sealed: Sequence[Lane],
        blurred_m: int,
    ) -> None:
        """candidates: within so much more than within_m. sealed: lanes with halves. blurred_m: the radius of the largest cell."""
        self._db, self._candidates, self._blurred_m = db, candidates, blurred_m
        self._within_m = NO_DISTANCE if within_m is None else within_m
        self._distance = Distance(near)
        self._sql = _HALVES.format(sealed=",".join(str(lane.no) for lane in sealed), beneath=BENEATH)

    def after(self, mark: Mark) -> Iterator[list[Found]]:
        """Each batch in order, and after the one before."""
        waiting: list[Found] = []
        for some in self._shown(mark):
            for found in self._placed(some):
                if found[0] > mark:
                    heappush(waiting, found)
            safe = some[-1][0][0] - self._blurred_m
            ready = []
            while waiting and waiting[0][0][0] < safe:
                ready.append(heappop(waiting))
            if ready:
                yield ready
        yield sorted(waiting)

    def _shown(self, mark: Mark) -> Iterator[list[Found]]:
        """As everybody knows them, from where the first that comes after the mark may be."""
        if mark != START and mark[0] < NO_DISTANCE:
            mark = (max(mark[0] - self._blurred_m - 1, -1), _LAST_KEY)
        for batch in self._candidates.after(mark):
            for at in range(0, len(batch), AT_ONCE):
                yield batch[at : at + AT_ONCE]

    def _placed(self, some: Sequence[Found]) -> Iterator[Found]:
        """The same with their true distances, as far as these can be true."""
        rows = select_in(self._db, self._sql, [key & NO_MAX for _, key, _, _ in some])
        true = {no: self._distance(lat, lon) for no, lat, lon in rows}
        for (shown, last), key, lat, lon in some:
            away = true.get(key & NO_MAX, shown) if shown < NO_DISTANCE else shown
            if away <= self._within_m:
                away = min(max(away, shown - self._blurred_m, 0), shown + self._blurred_m)
                yield (away, last), key, lat, lon
