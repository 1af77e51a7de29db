"""Write the inventory of a community out: the daemon's JSON Lines as they are, or made into another format."""

import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

from commonsnode.tables import Format, Record, write_table
from commonsnode.tables.json_form import parse
from commonsnode.tables.jsonl import decode_record
from commonsnode_cli.client import Client
from commonsnode_cli.failures import Refused
from commonsnode_cli.output import Output
from commonsnode_cli.progress import Step

FORMATS: tuple[Format, ...] = ("jsonl", "csv", "xlsx", "geojson")
STEP_RECORDS = 500  # between two looks at the progress
SUFFIXES: dict[str, Format] = {
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".csv": "csv",
    ".xlsx": "xlsx",
    ".geojson": "geojson",
    ".json": "geojson",
}


def write_out(node: Client, community: str, format: Format, out: BinaryIO, step: Step) -> int:
    """Write all that stands in a community to `out`; returns the number of records. Raises NoNode, Lost, Problem."""
    path = f"/communities/{community}/export"
    count = 0

    def records() -> Iterator[Record]:
        nonlocal count
        for line in node.lines("GET", f"{path}?whole=true"):
            yield decode_record(parse(line.decode()))
            count += 1
            if count % STEP_RECORDS == 0:
                step(count, None)

    if format == "jsonl":
        for block in node.blocks("GET", path):
            out.write(block)
            count += block.count(b"\n")
            step(count, None)
    else:
        write_table(format, records(), out)
    return count


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """A file to write to, which becomes `path` only when all of it is there. Raises Refused."""
    unfinished = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        if path.exists() and not path.is_file():  # a pipe or a device
            with path.open("wb") as out:
                yield out
            return
        with unfinished.open("wb") as out:
            yield out
            out.flush()
            os.fsync(out.fileno())
        unfinished.replace(path)
    except OSError as error:
        raise Refused(f"{path} cannot be written: {error.strerror or error}") from error
    finally:
        unfinished.unlink(missing_ok=True)


class Stdout(io.RawIOBase):
    """Our stdout for binary writers."""

    def __init__(self, output: Output) -> None:
        super().__init__()
        self._output = output

    def writable(self) -> bool:
        return True

    def write(self, data: object) -> int:
        whole = bytes(cast(bytes, data))
        self._output.raw(whole)
        return len(whole)
