"""The time that a writer puts on a changeset.  SPEC.md, "Time" (rule 3)."""

from collections.abc import Iterable

from commonsnode_protocol.limits import PLAUSIBLE_AHEAD_MS, TIME_MS_MAX


def plausible_now(wall_ms: int, released_ms: int, saved_ms: int) -> int:
    """What to take for now: the wall clock, unless it is before the software was released.

    A Pi without a real-time clock wakes up in 1970: then the later of the release date and the last plausible time saved.
    """
    return wall_ms if wall_ms >= released_ms else max(released_ms, saved_ms)


def writer_time(now_ms: int, ref_times: Iterable[int]) -> int:
    """max(now, 1 + the greatest time among the refs that is at most 24 h ahead), never above 2^53−1.

    A clock in 2100 so infects nobody: later refs are superseded all the same, since order comes from refs.
    """
    ahead = max((time for time in ref_times if time <= now_ms + PLAUSIBLE_AHEAD_MS), default=-1)
    return min(max(now_ms, ahead + 1, 0), TIME_MS_MAX)
