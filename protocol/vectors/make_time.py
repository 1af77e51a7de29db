"""Write time.json, the vectors of SPEC.md, "Time":  python protocol/vectors/make_time.py"""

from commonsnode_protocol.clock import plausible_now, writer_time
from commonsnode_protocol.limits import PLAUSIBLE_AHEAD_MS, TIME_MS_MAX
from vectors.shown import Json, text_of, write
from vectors.world import TIME

ABOUT = """\
Vectors of SPEC.md, "Time". All numbers are milliseconds since 1970.

times: a writer whose wall clock says `wall`, whose software was released at `released`, and whose node saved `saved` as
its last plausible time, takes `now` for now; and with refs of the times `refs` it writes `time`.
"""

RELEASED = TIME - 86_400_000 * 100


def text() -> str:
    """The content of time.json."""
    vectors: list[Json] = []

    def case(name: str, refs: list[int], wall: int = TIME, saved: int = 0) -> None:
        now = plausible_now(wall, RELEASED, saved)
        shown = {
            "name": name,
            "wall": wall,
            "released": RELEASED,
            "saved": saved,
            "refs": refs,
            "expect": "time",
        }
        vectors.append(shown | {"now": now, "time": writer_time(now, refs)})

    case("no_refs", [])
    case("refs_earlier", [TIME - 1, 0])
    case("ref_at_the_same_time", [TIME])
    case("ref_a_little_later", [TIME + 5, TIME + 3])
    case("ref_24_hours_later", [TIME + PLAUSIBLE_AHEAD_MS])
    case("ref_24_hours_and_1_ms_later", [TIME + PLAUSIBLE_AHEAD_MS + 1])
    case("refs_on_both_sides_of_24_hours", [TIME + PLAUSIBLE_AHEAD_MS + 1, TIME + 7])
    case("ref_at_the_greatest_time", [TIME_MS_MAX])
    case("wall_at_the_greatest_time", [TIME_MS_MAX], wall=TIME_MS_MAX)
    case("wall_in_2100", [TIME], wall=4_102_444_800_000)
    case("wall_at_0", [], wall=0)
    case("wall_in_1970_and_a_ref_of_today", [TIME], wall=86_400_000)
    case("wall_at_0_and_a_saved_time", [], wall=0, saved=TIME - 1000)
    case("wall_at_0_and_a_saved_time_before_the_release", [], wall=0, saved=RELEASED - 1)
    case("wall_at_the_release", [], wall=RELEASED, saved=TIME)
    case("wall_before_the_release_by_1_ms", [], wall=RELEASED - 1, saved=TIME)
    return text_of(ABOUT, {"times": vectors})


if __name__ == "__main__":
    write(__file__, text())
