"""kill -9 during import and during sync, at many points: nothing that was acknowledged is lost, and work goes on."""

import http.client
import json
import socket
from pathlib import Path

import pytest

from running_process import Running, write_csv

ROWS = 6_000


@pytest.mark.parametrize("lines", [1, 2, 3])
def test_a_kill_during_import_loses_nothing_acknowledged(
    pair: tuple[Running, Running], tmp_path: Path, lines: int
) -> None:
    a, _ = pair
    kept = a.do("add", "Acknowledged before")["id"]
    rows = [{"line": n, "key": str(n), "fields": {"title": f"Thing {n}"}} for n in range(ROWS)]
    head = {"source": "shed", "mapping": {}, "dry_run": False, "columns": ["title"]}
    body = "".join(json.dumps(each) + "\n" for each in [head, *rows]).encode()
    connection = http.client.HTTPConnection("node", timeout=60)
    connection.sock = socket.socket(socket.AF_UNIX)
    connection.sock.connect(str(a.shell.home / "node.sock"))
    connection.request("POST", f"/api/v1/communities/{a.community()['id']}/import", body)
    response = connection.getresponse()
    said = [response.readline() for _ in range(lines)]
    a.kill()
    connection.close()
    a.start()
    assert a.shell.run("check").code == 0
    assert a.do("show", kept)["title"] == "Acknowledged before"
    file = tmp_path / "shed.jsonl"
    file.write_text("".join(json.dumps({"title": f"Thing {n}"}) + "\n" for n in range(ROWS)))
    done = b"result" in said[-1]
    written = len(a.export().splitlines()) - 1
    assert written == ROWS if done else 0 <= written <= ROWS
    a.kill()
    a.start()
    assert len(a.export().splitlines()) - 1 == written
    assert a.shell.run("check").code == 0


def test_a_kill_of_either_side_during_sync_is_healed_by_the_next_meeting(
    pair: tuple[Running, Running], tmp_path: Path
) -> None:
    a, b = pair
    file = write_csv(tmp_path / "shed.csv", ROWS)
    b.stop()
    a.do("import", str(file))
    whole = a.export()
    counts = []
    for cut in range(6):
        b.start()
        while b.entry()["records"] < (cut + 1) * ROWS // 8:
            pass  # each look is a request of its own, so this waits for the daemon's answers, not for the clock
        victim = (a, b)[cut % 2]
        victim.kill()
        if victim is a:
            b.kill()
            a.start()
        b.start()
        assert b.shell.run("check").code == 0
        counts.append(b.community()["records"])
        if cut < 5:
            b.stop()
    assert counts == sorted(counts)
    b.do("sync", "--wait")
    assert b.export() == whole
