"""Which time zone is meant: the charters', where they agree, else this machine's."""

from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from commonsnode.asking.zones import machine_zone, machine_zone_name, zone_called, zone_of
from commonsnode_protocol.authority import Settings

QUITO = ZoneInfo("America/Guayaquil")


def test_a_name_is_a_zone_or_none() -> None:
    assert zone_called("America/Guayaquil") == QUITO
    for name in ("Valle/Alto", "America", "", "../../etc/passwd", "/etc/localtime"):
        assert zone_called(name) is None


def test_the_charters_decide_where_they_agree() -> None:
    here = Settings(zone="America/Guayaquil")
    assert zone_of([here]) == QUITO
    assert zone_of([here, here, None]) == QUITO
    for others in ([], [Settings()], [here, Settings(zone="Europe/Berlin")], [Settings(zone="Valle/Alto")]):
        assert zone_of(others) == machine_zone()


def test_the_machine_says_it_by_variable_by_link_or_by_file(tmp_path: Path) -> None:
    folder = tmp_path / "zoneinfo" / "America"
    folder.mkdir(parents=True)
    link = tmp_path / "localtime"
    assert machine_zone({"TZ": "America/Guayaquil"}, link) == QUITO
    assert machine_zone({"TZ": "Valle/Alto"}, link) == UTC
    assert machine_zone({}, link) == UTC
    (folder / "Guayaquil").write_bytes(b"")
    link.symlink_to(folder / "Guayaquil")
    assert machine_zone({}, link) == QUITO
    link.unlink()
    link.write_bytes(_minus_five())
    assert machine_zone({}, link).utcoffset(datetime(2027, 1, 1)) == QUITO.utcoffset(datetime(2027, 1, 1))
    link.write_bytes(b"no zone")
    assert machine_zone({}, link) == UTC


def test_the_name_of_the_machine_s_zone_is_told_where_somebody_set_it(tmp_path: Path) -> None:
    link = tmp_path / "localtime"
    assert machine_zone_name({"TZ": "America/Guayaquil"}, link) == "America/Guayaquil"
    assert machine_zone_name({"TZ": "Etc/UTC"}, link) is None
    assert machine_zone_name({}, link) is None
    link.write_bytes(_minus_five())
    assert machine_zone_name({}, link) is None


def _minus_five() -> bytes:
    """RFC 8536: one type of local time, five hours west."""
    body = (-18_000).to_bytes(4, "big", signed=True) + b"\0\0" + b"-05\0"
    head = b"TZif\0" + bytes(15) + b"".join(n.to_bytes(4, "big") for n in (0, 0, 0, 0, 1, 4))
    return head + body
