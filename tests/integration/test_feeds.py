"""What lands at one node is told at another, and stands in its calendars."""

import http.client
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from governed_nodes import nodes
from running_process import Running

WITHIN_S = 30.0
Told = tuple[str, dict[str, Any]]


@contextmanager
def listening(node: Running) -> Iterator[Iterator[Told]]:
    """The events of a node, as everybody on TCP hears them: name and data."""
    address = urlsplit(node.address)
    connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=WITHIN_S)
    connection.request("GET", "/api/v1/events")
    answer = connection.getresponse()
    assert (answer.status, answer.headers.get_content_type()) == (200, "text/event-stream")

    def told() -> Iterator[Told]:
        name = ""
        for line in answer:
            field, _, value = line.decode().rstrip("\n").partition(": ")
            if field == "event":
                name = value
            elif field == "data":
                yield name, json.loads(value)

    try:
        events = told()
        assert next(events)[0] == "ready"
        yield events
    finally:
        answer.close()
        connection.close()


def calendar(node: Running, path: str) -> str:
    address = urlsplit(node.address)
    connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=WITHIN_S)
    try:
        connection.request("GET", f"/api/v1{path}/calendar.ics")
        answer = connection.getresponse()
        assert answer.status == 200
        return answer.read().decode().replace("\r\n ", "")
    finally:
        connection.close()


def test_a_reservation_at_one_node_is_told_at_the_other_and_is_in_both_calendars(tmp_path: Path) -> None:
    with nodes(tmp_path, "ab") as (a, b):
        founded = a.do("community", "create", "Valle Alto")
        b.do("community", "follow", founded["link"])
        b.do("peer", "add", a.address)
        a.do("member", "grant", b.do("id")["id"])
        loom = a.do("add", "Loom")["id"]
        b.do("sync", "--wait")
        with listening(a) as events:
            asked = b.do("reserve", loom, "--from", "2090-05-01", "--until", "2090-05-02")["id"]
            for name, data in events:
                if name == "landed" and {"kind": "commitment", "id": asked} in data["records"]:
                    break
            else:
                raise AssertionError("the end came before the reservation")
        a.do("reservation", "confirm", asked)
        b.do("sync", "--wait")
        of_thing = [calendar(node, f"/records/{loom}") for node in (a, b)]
        assert of_thing[0] == of_thing[1], "the same reservations give the same bytes"
        assert "DTSTART;VALUE=DATE:20900501" in of_thing[0]
        assert "STATUS:CONFIRMED" in of_thing[0]
        assert "FREEBUSY" in of_thing[0]
        by_community = calendar(b, f"/communities/{founded['id']}")
        assert by_community.count("BEGIN:VEVENT") == 1
