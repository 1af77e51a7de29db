"""Small files that are whole, and for their owner only."""

from pathlib import Path

import pytest

from commonsnode.durable import write_whole


def test_what_is_there_gives_way_to_the_whole_of_what_is_to_be(tmp_path: Path) -> None:
    path = tmp_path / "said.json"
    path.write_text("before")
    write_whole(path, "añil")
    assert path.read_bytes() == "añil".encode()
    assert path.stat().st_mode & 0o777 == 0o600
    assert [each.name for each in tmp_path.iterdir()] == ["said.json"]


def test_what_a_cut_of_power_left_is_in_nobody_s_way(tmp_path: Path) -> None:
    (tmp_path / "said.json.new").write_text("half a")
    write_whole(tmp_path / "said.json", "whole")
    assert (tmp_path / "said.json").read_text() == "whole"


def test_where_it_cannot_be_written_nothing_has_changed(tmp_path: Path) -> None:
    path = tmp_path / "said.json"
    path.mkdir()
    with pytest.raises(OSError):
        write_whole(path, "text")
    assert path.is_dir()
