"""A full disk, or one that can only be read: commands fail clearly, the daemon stays up and readable, and goes on later."""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli_shell import new_node
from running_process import Running, is_root, write_csv

DISK = "size=12m,mode=700"


@pytest.fixture
def on_small_disk(tmp_path: Path) -> Iterator[tuple[Running, Path]]:
    """A running node on a file system of its own, of 12 MB."""
    if not is_root() or shutil.which("mount") is None:
        pytest.skip("mounting a small file system needs root and mount(8)")
    disk = tmp_path / "home"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", DISK, "tmpfs", str(disk)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip(f"no file system can be mounted here: {mounted.stderr.decode().strip()}")
    node = Running(new_node(disk))
    try:
        node.start()
        node.do("community", "create", "Valle Alto")
        node.do("add", "Here before")
        yield node, disk
    finally:
        node.close()
        subprocess.run(["umount", "-l", str(disk)], check=True)


def fill(disk: Path) -> Path:
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as file:
        try:
            while file.write(bytes(65_536)):
                pass
        except OSError:
            return filler
    raise AssertionError("the disk does not get full")


def test_a_full_disk_refuses_writes_clearly_and_goes_on_when_there_is_space(
    on_small_disk: tuple[Running, Path], tmp_path: Path
) -> None:
    node, disk = on_small_disk
    before = node.export()
    filler = fill(disk)
    line = node.shell.refused("import", str(write_csv(tmp_path / "many.csv", 5_000)))
    assert "disk" in line
    assert node.titles() >= {"Here before"}
    assert set(before.splitlines()) <= set(node.export().splitlines())
    filler.unlink()
    node.do("add", "Here after")
    assert node.titles() >= {"Here before", "Here after"}
    assert node.shell.run("check").code == 0


def test_a_disk_that_can_only_be_read_refuses_writes_and_still_answers(
    on_small_disk: tuple[Running, Path],
) -> None:
    node, disk = on_small_disk
    filler = fill(disk)  # the nearest to a read-only disk that a running daemon can meet without being killed
    assert node.shell.run("add", "Too much " * 400).code in (0, 1)
    node.stop()
    filler.unlink()
    remounted = subprocess.run(["mount", "-o", "remount,ro", str(disk)], capture_output=True, check=False)
    if remounted.returncode:
        pytest.skip(f"it cannot be made read-only here: {remounted.stderr.decode().strip()}")
    try:
        ended = node.shell.run("up", "--port", "0")
        assert ended.code == 1
        assert len(ended.err.splitlines()) == 1
        assert "Read-only" in ended.err
    finally:
        subprocess.run(["mount", "-o", "remount,rw", str(disk)], check=True)
    node.start()
    assert node.titles() >= {"Here before"}
