"""Small files that a cut of power leaves whole, as they were before or as they are to be; readable by their owner only."""

import os
from pathlib import Path


def write_whole(path: Path, text: str) -> None:
    """Put `text` (UTF-8) at `path`, in place of what is there; on the disk when this returns. Raises OSError."""
    # The mode goes with the creation: a chmod afterwards would leave a moment in which others can read it. The name comes
    # last, so that no half of a file ever has it.
    unfinished = path.with_name(f"{path.name}.new")
    unfinished.unlink(missing_ok=True)
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    unfinished.replace(path)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
