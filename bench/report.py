"""The figures as a table for people, beside what they must reach, and into README.md."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

BEGIN, END = "<!-- figures -->", "<!-- end of figures -->"


@dataclass(frozen=True, slots=True)
class Target:
    """What a figure must reach. path: in the document, below `figures`. at_least: else at most."""

    label: str
    path: str
    unit: str
    bound: float
    at_least: bool = False

    def met(self, value: float) -> bool:
        return value >= self.bound if self.at_least else value <= self.bound

    def bound_text(self) -> str:
        return f"{'≥' if self.at_least else '≤'} {_number(self.bound)}"


TARGETS = (
    Target("import of 100,000 rows", "import_rows_per_s", "rows/s", 12_000, at_least=True),
    Target(
        "first sync of 100,000 records", "initial_sync_100k.records_per_s", "records/s", 15_000, at_least=True
    ),
    Target("…its wire bytes, to one zstd -3", "initial_sync_100k.wire_to_zstd3", "×", 1.1),
    Target("…peak memory of the giver", "initial_sync_100k.peak_rss_mb.0", "MB", 200),
    Target("…peak memory of the taker", "initial_sync_100k.peak_rss_mb.1", "MB", 200),
    Target("…on the taker's disk", "initial_sync_100k.disk_bytes_per_record", "B/record", 750),
    Target("single ones on disk", "disk_bytes_per_record_single", "B/record", 1_000),
    Target("nothing new: both ways", "nothing_new.bytes", "B", 800),
    Target("…round trips", "nothing_new.round_trips", "", 1),
    Target("100 newest differ: finding them", "changed_100_of_100k_recent.reconcile_bytes", "B", 4_096),
    Target("…round trips", "changed_100_of_100k_recent.round_trips", "", 2),
    Target(
        "100 scattered differ: finding them", "changed_100_of_100k_scattered.reconcile_bytes", "B", 122_880
    ),
    Target("…round trips", "changed_100_of_100k_scattered.round_trips", "", 3),
    Target("an edit is visible elsewhere, median", "edit_to_visible_ms.p50", "ms", 8),
    Target("start with 100,000 records", "start_s", "s", 1),
    Target("idle memory", "idle_rss_mb", "MB", 90),
    Target("10,000 members, 50,000 acts: all", "authority_full_s", "s", 2),
    Target("…one act more", "authority_step_ms", "ms", 5),
    Target("…one act more, on the disk", "authority_step_applied_ms", "ms", 5),
    Target("a revocation that voids 50,000", "revoke_50k_s", "s", 5),
    Target("one ask more of a thing that 10,000 ask for", "reserve_ms.apart", "ms", 50),
    Target("…where all of them overlap", "reserve_ms.joined", "ms", 2_000),
    Target("reservations applied", "reservations_per_s", "1/s", 1_000, at_least=True),
    Target("found by words, place, time, category among 100,000, p95", "find_full_ms.100k.p95", "ms", 5),
    Target("…among 1,000,000", "find_full_ms.1m.p95", "ms", 10),
    Target("…while 1,000 records a second are applied", "find_written_ms.1m.p95", "ms", 20),
    Target("…by the beginning of a word, among 100,000", "find_beginning_ms.100k.p95", "ms", 10),
    Target("…among 1,000,000", "find_beginning_ms.1m.p95", "ms", 20),
    Target("the nearest among 100,000, p95", "find_nearest_ms.100k.p95", "ms", 1),
    Target("…among 1,000,000", "find_nearest_ms.1m.p95", "ms", 5),
    Target("counted by sort within 20 km, among 1,000,000, p95", "find_facets_ms.1m.p95", "ms", 50),
    Target("memory of who asks, with 1,000,000", "find_rss_mb.1m", "MB", 140),
)


def rows(document: Mapping[str, Any]) -> Iterator[tuple[str, str, str, str]]:
    """Label, value with unit, what it must be, and whether it is: for the figures that have a target."""
    for target in TARGETS:
        value = _at(document["figures"], target.path)
        if value is not None:
            yield (
                target.label,
                f"{_number(value)} {target.unit}".rstrip(),
                target.bound_text(),
                "reached" if target.met(value) else "missed",
            )


def others(document: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Name and value of the limits, and of the figures without a target; how many frames were sent is in the file only."""
    with_target = {target.path for target in TARGETS}
    for part in ("limits", "figures"):
        for path, value in _leaves(document[part]):
            if path not in with_target and ".frames." not in path:
                yield f"{part}.{path}", _number(value)


def text(document: Mapping[str, Any]) -> str:
    """The tables for a terminal."""
    judged = list(rows(document))
    rest = list(others(document))
    lines = []
    if judged:
        widths = [max(len(row[column]) for row in judged) for column in range(3)]
        for label, value, bound, met in judged:
            lines.append(f"{label:<{widths[0]}}  {value:>{widths[1]}}  {bound:<{widths[2]}}  {met}")
        lines.append("")
    if rest:
        width = max(len(name) for name, _ in rest)
        lines += [f"{name:<{width}}  {value}" for name, value in rest]
    return "\n".join(lines)


def markdown(document: Mapping[str, Any]) -> str:
    """The same for README.md."""
    lines = ["| figure | measured | must be | |", "|---|---|---|---|"]
    lines += [
        f"| {label} | {value} | {bound} | {met if met == 'reached' else f'**{met}**'} |"
        for label, value, bound, met in rows(document)
    ]
    lines += ["", "The machine, in the same run:", ""]
    lines += [f"- {name}: {value}" for name, value in document["machine"].items()]
    lines += ["", "Limits and further figures, in the same run:", "", "| key | value |", "|---|---|"]
    lines += [f"| `{name}` | {value} |" for name, value in others(document)]
    return "\n".join(lines)


def write_readme(path: Path, document: Mapping[str, Any]) -> None:
    """Put the tables between the two marks of README.md."""
    before, begin, rest = path.read_text(encoding="utf-8").partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{path} has no place for the figures: {BEGIN} … {END}")
    path.write_text(f"{before}{BEGIN}\n{markdown(document)}\n{END}{after}", encoding="utf-8")


def write_json(path: Path, document: Mapping[str, Any]) -> None:
    path.write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def _at(value: Any, path: str) -> Any:
    for part in path.split("."):
        if isinstance(value, list):
            value = value[int(part)]
        elif isinstance(value, dict) and part in value:
            value = value[part]
        else:
            return None
    return value


def _leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict | list):
        for key, item in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _leaves(item, f"{path}.{key}" if path else str(key))
    else:
        yield path, value


def _number(value: float) -> str:
    if isinstance(value, int) or value == int(value):
        return f"{int(value):,}"
    return f"{value:,.3f}".rstrip("0")
