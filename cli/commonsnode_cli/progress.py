"""How far long work has come: a bar on a terminal, on stderr; nothing in a pipe."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

Step = Callable[[int, int | None], None]


@contextmanager
def progress(label: str, *, show: bool = True, counted: bool = True) -> Iterator[Step]:
    """Yields step(done, total); the total may be not known yet (None).

    show: whether anybody wants to see it at all (not with --json). counted: whether step will be called.
    """
    if not show or not sys.stderr.isatty():
        yield _nothing
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        SpinnerColumn,
        TextColumn,
        TimeElapsedColumn,
    )

    columns = [SpinnerColumn(), TextColumn("{task.description}", markup=False)]
    columns += [BarColumn(), MofNCompleteColumn()] if counted else []
    columns += [TimeElapsedColumn()]
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(label, total=None)

        def step(done: int, total: int | None) -> None:
            bar.update(task, completed=done, total=total)

        yield step


def _nothing(done: int, total: int | None) -> None:
    return
