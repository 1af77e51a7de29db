"""What a check has found so far, and how far it is."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeAlias

from commonsnode_store.answers import Problem
from commonsnode_store.errors import Damaged

Progress: TypeAlias = Callable[[int, int], None]

PROBLEMS_MAX = 1_000  # that are told one by one
STEP = 256  # rows from one call of progress to the next


class Findings:
    """Collects problems, and says how much is done."""

    def __init__(self, progress: Progress | None) -> None:
        self.total = 0
        self._done = 0
        self._progress = progress
        self._problems: list[Problem] = []
        self._more = 0

    def add(self, what: str, detail: str) -> None:
        if len(self._problems) < PROBLEMS_MAX:
            self._problems.append(Problem(what, detail))
        else:
            self._more += 1

    def step(self) -> None:
        """One more row is done."""
        self._done += 1
        if self._progress is not None and self._done % STEP == 0:
            self._progress(min(self._done, self.total), self.total)

    @contextmanager
    def guarded(self, what: str) -> Iterator[None]:
        """Go on after what cannot be read, which is a problem too."""
        try:
            yield
        except Damaged as error:
            self.add(error.what, error.detail)
        except sqlite3.DatabaseError as error:
            self.add(what, f"cannot be read to its end: {error}")

    def result(self) -> list[Problem]:
        if self._progress is not None:
            self._progress(self.total, self.total)
        if self._more:
            return [*self._problems, Problem("check", f"{self._more} more problems")]
        return self._problems
