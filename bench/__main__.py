"""`python -m bench`: see README.md beside this file."""

import argparse
import gc
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench import applying, authority, differing, finding, limits, machine, report, reservations, syncing
from bench.run import QUICK, THOROUGH, Run
from commonsnode.daemon import GC_THRESHOLDS

RECORDS = 100_000
HERE = Path(__file__).parent
LATEST = HERE / "latest.json"
README = HERE / "README.md"


def main(words: list[str] | None = None) -> int:
    """Measure, print the table, write the files. Returns 1 where a figure could not be measured."""
    said = _parser().parse_args(words)
    if said.records < 40:
        _parser().error("--records: 40 at least, so that some can differ")
    gc.set_threshold(*GC_THRESHOLDS)  # as the daemon has it: `apply` runs in this process
    work = Path(tempfile.mkdtemp(prefix=".bench-", dir=said.work or HERE.parent))
    try:
        document = measure(Run(work, said.records, QUICK if said.quick else THOROUGH), set(said.only))
    finally:
        shutil.rmtree(work, ignore_errors=True)
    print(report.text(document))
    whole = not said.only and not said.quick and said.records == RECORDS
    out = said.out or (LATEST if whole else None)
    if out is not None:
        report.write_json(out, document)
        print(f"\nwritten: {out}", file=sys.stderr)
    if whole and out == LATEST:
        report.write_readme(README, document)
    return 0


def measure(run: Run, only: set[str]) -> dict[str, Any]:
    """Carry out the parts named, or all; the document of `latest.json`."""
    about = machine.describe(run.work)
    for name, part in PARTS.items():
        if not only or name in only:
            part(run)
    return {"machine": about, "records": run.records, "limits": run.limits, "figures": run.figures}


def _limits(run: Run) -> None:
    run.say("limits of this machine")
    effort = run.effort
    run.limits["ed25519_verify_per_s_1t"] = round(limits.verify_per_s(1, effort.signatures, effort.repeats))
    run.limits["ed25519_verify_per_s_2t"] = round(limits.verify_per_s(2, effort.signatures, effort.repeats))
    run.limits["zstd3_bytes_per_record"] = round(limits.zstd3_bytes(run.packed) / run.records, 2)


def _sync(run: Run) -> None:
    a, community = syncing.measure_import(run)
    try:
        pair = syncing.measure_initial_sync(run, a, community)
        with pair.a, pair.b:
            pair.a.start()
            pair.b.start()
            syncing.measure_nothing_new(run, pair)
            syncing.measure_edits(run, pair)
    finally:
        a.stop()
    with pair.b:
        syncing.measure_start(run, pair.b, community)


PARTS: dict[str, Callable[[Run], None]] = {
    "limits": _limits,
    "apply": applying.measure,
    "sync": _sync,
    "singles": applying.measure_singles,
    "differences": differing.measure,
    "authority": authority.measure,
    "finding": finding.measure,
    "reservations": reservations.measure,
}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m bench",
        description="Measure Commons Node on this machine. A whole run takes some minutes; leave the machine alone meanwhile.",
    )
    parser.add_argument(
        "--only",
        action="append",
        default=[],
        choices=list(PARTS),
        metavar="PART",
        help=f"only this part ({', '.join(PARTS)}); may be repeated. Nothing is written then, unless --out says where",
    )
    parser.add_argument(
        "--records",
        type=int,
        default=RECORDS,
        metavar="N",
        help=f"how many; {RECORDS:,} unless you say otherwise",
    )
    parser.add_argument(
        "--quick", action="store_true", help="hardly repeat anything: only to see that all of it runs"
    )
    parser.add_argument(
        "--out", type=Path, metavar="FILE", help=f"where to write the figures; {LATEST.name} by default"
    )
    parser.add_argument(
        "--work",
        type=Path,
        metavar="DIR",
        help="where to make the databases; the disk there is what is measured",
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
