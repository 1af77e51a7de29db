"""The life of a node: it starts or says why not, serves under pressure, and stops with nothing lost."""

import asyncio
import json
import os
import signal
import socket
import sqlite3
import stat
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from commonsnode import daemon
from commonsnode.config import Config
from commonsnode.errors import HomeError, ListenError, Locked
from commonsnode.home import Home
from commonsnode.http import guard, lines, sites
from commonsnode_store.store import Store
from running_node import API, Api, serving


def start(home: Home, *arguments: str) -> "subprocess.Popen[str]":
    command = [
        sys.executable,
        "-m",
        "commonsnode",
        "--home",
        str(home.path),
        "--port",
        "0",
        "--log-format",
        "json",
    ]
    quietly = {**os.environ, "COMMONSNODE_LAN": "false"}
    return subprocess.Popen([*command, *arguments], stderr=subprocess.PIPE, text=True, env=quietly)


def first_line(process: "subprocess.Popen[str]") -> dict[str, Any]:
    assert process.stderr is not None
    found: dict[str, Any] = json.loads(process.stderr.readline())
    return found


def test_a_process_listens_keeps_others_out_and_stops_at_a_signal(home: Home) -> None:
    process = start(home)
    try:
        ready = first_line(process)
        assert ready["event"] == "listening"
        assert ready["addresses"].startswith("ws://127.0.0.1:")
        assert stat.S_IMODE(home.socket_path.stat().st_mode) == 0o600
        second = start(home)
        assert second.wait(10) == 1
        assert second.stderr is not None
        assert f"process {process.pid}" in second.stderr.read()
        began = time.monotonic()
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
        assert time.monotonic() - began < 2
        assert process.stderr is not None
        assert [json.loads(line)["event"] for line in process.stderr] == ["stopping", "stopped"]
        assert not home.socket_path.exists()
    finally:
        process.kill()
        process.wait()


async def refuses(home: Home, error: type[Exception], match: str) -> Exception:
    with pytest.raises(error, match=match) as caught:
        async with daemon.running(Config(listen=("127.0.0.1",), port=0), home):
            pass
    return caught.value


async def test_a_key_that_others_can_read_is_no_start(home: Home) -> None:
    home.key_path.chmod(0o644)
    await refuses(home, HomeError, "can be read by other users")


async def test_a_node_that_runs_is_no_start(home: Home, api: Api) -> None:
    await refuses(home, Locked, "is running already")


async def test_a_damaged_database_is_not_served_and_says_what_to_do(home: Home) -> None:
    data = bytearray(home.database_path.read_bytes())
    data[4096:] = b"\xa5" * (len(data) - 4096)
    home.database_path.write_bytes(data)
    error = await refuses(home, HomeError, "is damaged")
    assert "commonsnode check" in str(error)


async def test_a_database_of_a_newer_version_is_left_alone(home: Home) -> None:
    db = sqlite3.connect(home.database_path)
    db.execute("pragma user_version = 999999")
    db.close()
    await refuses(home, HomeError, "newer version")


async def test_a_node_without_its_database_is_no_start(home: Home) -> None:
    home.database_path.unlink()
    await refuses(home, HomeError, "is not there")


async def test_after_a_start_that_failed_the_next_one_works(home: Home) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(ListenError, match="taken"):
            async with daemon.running(Config(listen=("127.0.0.1",), port=taken.getsockname()[1]), home):
                pass
    async with serving(home) as api:
        assert (await api("GET", "/id")).status == 200


async def test_a_socket_that_a_power_cut_left_behind_is_in_nobodys_way(home: Home) -> None:
    left = socket.socket(socket.AF_UNIX)
    left.bind(str(home.socket_path))
    left.close()
    async with serving(home) as api:
        assert (await api("GET", "/id")).status == 200


async def test_where_no_socket_can_be_made_the_error_says_so_and_leaves_what_is_there(home: Home) -> None:
    home.socket_path.mkdir()
    await refuses(home, ListenError, "no socket can be made")
    assert home.socket_path.is_dir()
    home.socket_path.rmdir()
    async with serving(home) as api:
        assert (await api("GET", "/id")).status == 200


async def test_what_was_there_before_a_restart_is_there_after_it(home: Home) -> None:
    async with serving(home) as api:
        valley = await api.community()
        drill = await api.add(valley, title="Drill")
        before = (await api("GET", "/communities")).body["communities"][0]["fingerprint"]
    async with serving(home) as api:
        assert (await api("GET", f"/records/{drill}"))["title"] == "Drill"
        assert (await api("GET", "/communities")).body["communities"][0]["fingerprint"] == before


async def test_a_full_disk_fails_the_command_and_nothing_else(api: Api) -> None:
    """The limit is SQLite's own, which it reports as a full disk."""
    valley = await api.community()
    drill = await api.add(valley, title="Drill")

    def limit(pages: int) -> Any:
        return api.node.writer.run(
            lambda store: store._writer.execute(f"pragma max_page_count = {pages}").fetchone()
        )

    (pages,) = await api.node.writer.run(lambda store: store._writer.execute("pragma page_count").fetchone())
    await limit(pages)
    for method, path, body in [
        ("POST", f"/communities/{valley}/records", {"fields": {"title": "Saw", "description": "x" * 60_000}}),
        ("PATCH", f"/records/{drill}", {"fields": {"description": "x" * 60_000}}),
    ]:
        answer = await api(method, path, body)
        assert answer.status == 503
        assert "disk of this node is full" in answer["detail"]
        assert "Retry-After" in answer.headers
    rows = [{"line": n, "key": str(n), "fields": {"title": f"{n}", "d": "x" * 500}} for n in range(2_000)]
    imported = await api.import_(valley, {"source": "s"}, rows)
    assert imported.body[-1]["problem"]["status"] == 503
    assert (await api("GET", f"/records/{drill}"))["title"] == "Drill"
    assert (await api.page("/")).status == 200
    await limit(1_000_000)
    assert (await api("PATCH", f"/records/{drill}", {"fields": {"description": "x" * 60_000}})).status == 200
    assert (await api.import_(valley, {"source": "s"}, rows)).body[-1]["result"]["added"] == 2_000
    assert (await api("POST", "/check", {})).body[-1]["result"]["ok"]


async def test_a_stop_in_the_middle_of_an_import_loses_nothing_that_was_reported(home: Home) -> None:
    rows = [
        {"line": n, "key": str(n), "fields": {"title": f"thing {n}", "d": "x" * 300}} for n in range(20_000)
    ]
    body = "".join(json.dumps(line) + "\n" for line in [{"source": "s"}, *rows]).encode()
    reported = 0
    async with serving(home) as api:
        valley = await api.community()
        unix = aiohttp.UnixConnector(path=str(home.socket_path))
        async with aiohttp.ClientSession(connector=unix) as session:
            answer = await session.post(f"http://node{API}/communities/{valley}/import", data=body)
            reported = json.loads(await answer.content.readline())["progress"]

            async def rest() -> list[dict[str, Any]]:
                return [json.loads(line) async for line in answer.content]

            reading = asyncio.ensure_future(rest())
            began = time.monotonic()
            await api.node.writer.stop()  # the part of a stop that decides
            last = await reading
    assert time.monotonic() - began < 2
    reported = max([reported, *(line["progress"] for line in last if "progress" in line)])
    assert "stopping" in last[-1]["problem"]["detail"]
    store = Store.open(home.database_path)
    (info,) = store.communities()
    assert reported <= info.records < 20_000
    assert store.check() == []
    store.close()
    async with serving(home) as api:
        again = (await api("POST", f"/communities/{valley}/import", body)).body[-1]["result"]
        assert again["added"] == 20_000 - info.records
        assert again["unchanged"] == info.records


async def test_an_import_whose_sender_breaks_off_leaves_nothing(home: Home, api: Api) -> None:
    valley = await api.community()

    async def broken() -> AsyncIterator[bytes]:
        yield json.dumps({"source": "s"}).encode() + b"\n"
        yield b'{"line": 1, "key": "1", "fields": {"title": "Drill"}}\n' * 10_000
        raise RuntimeError("the sender is gone")

    with pytest.raises((RuntimeError, aiohttp.ClientError)):
        await api.operator.post(f"http://node{API}/communities/{valley}/import", data=broken())
    assert (await api("GET", "/records"))["records"] == []
    assert not [path for path in home.path.iterdir() if path.name.startswith("tmp")]


async def test_two_imports_at_a_time_and_a_third_is_told_so(api: Api) -> None:
    valley = await api.community()
    hold = asyncio.Event()

    async def slowly() -> AsyncIterator[bytes]:
        yield json.dumps({"source": "s"}).encode() + b"\n"
        await hold.wait()

    held = [
        asyncio.ensure_future(
            api.operator.post(f"http://node{API}/communities/{valley}/import", data=slowly())
        )
        for _ in range(2)
    ]
    while not api.node.imports.locked():  # noqa: ASYNC110 - both have begun
        await asyncio.sleep(0)
    answer = await api.import_(valley, {"source": "s"}, [])
    assert (answer.status, answer["title"]) == (503, "Busy")
    hold.set()
    for response in await asyncio.gather(*held):
        assert response.status == 200
        response.release()


async def open_tcp(api: Api) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    return await asyncio.open_connection("127.0.0.1", api.node.addresses.port)


async def ended(reader: asyncio.StreamReader) -> bool:
    try:
        return await reader.read() == b""
    except ConnectionError:
        return True


async def test_a_connection_that_asks_for_nothing_is_ended(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guard, "SWEEP_S", 0.02)
    monkeypatch.setattr(guard.Guard.__init__, "__kwdefaults__", {"idle_s_max": 0.1, "per_host_max": 64})
    async with serving(home) as api:
        for sent in (b"", b"GET / HTTP/1.1\r\nHost: x\r\n", b"\x16\x03\x01garbage"):
            reader, writer = await open_tcp(api)
            writer.write(sent)
            async with asyncio.timeout(5):
                text = await reader.read() if sent.startswith(b"\x16") else b""
                assert text.startswith(b"HTTP/1.") or await ended(reader)
            writer.close()
        assert (await api("GET", "/id", tcp=True)).status == 200


async def test_more_connections_than_this_node_takes_are_ended_at_once(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guard, "CONNECTIONS_MAX", 3)
    async with serving(home, peers_max=1) as api:
        opened = [await open_tcp(api) for _ in range(4)]
        for reader, writer in opened:
            writer.write(b"GET /api/v1/id HTTP/1.1\r\nHost: x\r\n\r\n")
            assert (await reader.readuntil(b"\r\n")).startswith(b"HTTP/1.1 200")
        late, late_writer = await open_tcp(api)
        async with asyncio.timeout(5):
            assert await ended(late)
        for _, writer in [*opened, (late, late_writer)]:
            writer.close()
            await writer.wait_closed()
        assert (await api("GET", "/id")).status == 200


async def test_who_does_not_read_an_answer_is_cut_off(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "WRITE_S_MAX", 0.2)
    monkeypatch.setattr(sites, "ANSWER_S_MAX", 0.5)
    async with serving(home) as api:
        valley = await api.community()
        rows = [
            {"line": n, "key": str(n), "fields": {"title": f"{n}", "d": "x" * 20_000}} for n in range(400)
        ]
        await api.import_(valley, {"source": "s"}, rows)
        for path in (f"/communities/{valley}/export", "/records?limit=200"):
            with socket.socket() as slow:
                slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
                slow.connect(("127.0.0.1", api.node.addresses.port))
                slow.sendall(f"GET {API}{path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
                async with asyncio.timeout(5):
                    while not await asyncio.to_thread(reset_is_seen, slow):  # noqa: ASYNC110 - it is the kernel's
                        await asyncio.sleep(0.05)
        assert (await api("GET", "/id", tcp=True)).status == 200


def reset_is_seen(connection: socket.socket) -> bool:
    """Whether the other side has cut the connection, without reading from it."""
    return connection.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) != 0


@pytest.mark.parametrize(
    "request_text",
    [
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET  / HTTP/1.1\r\n\r\n",
        b"GET /" + b"a" * 20_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 20_000 + b"\r\n\r\n",
        b"POST /api/v1/communities HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
        b"POST /api/v1/communities HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"GET /api/v1/status HTTP/1.1\r\nHost: evil.example\r\n\r\n",
        b"\x00" * 1_000,
        b"GET /peer HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /peer HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: !\r\n\r\n",
    ],
)
async def test_odd_requests_end_with_an_answer_and_the_node_goes_on(api: Api, request_text: bytes) -> None:
    reader, writer = await open_tcp(api)
    writer.write(request_text)
    async with asyncio.timeout(5):
        answer = await reader.readline()
    assert answer.startswith((b"HTTP/1.", b"<html>", b""))
    if b"evil.example" in request_text:
        body = await reader.readuntil(b"}")
        assert b"evil.example" not in body
    writer.close()
    assert (await api("GET", "/id", tcp=True)).status == 200


async def test_a_plausible_time_is_saved_for_a_start_without_a_clock(api: Api) -> None:
    before = int(time.time() * 1000)
    while (saved := await api.node.writer.read(lambda store: store.saved_time())) == 0:  # noqa: ASYNC110
        await asyncio.sleep(0)
    assert saved <= before + 60_000


def test_nothing_heavy_is_loaded_before_the_node_listens() -> None:
    code = "import sys, commonsnode.daemon; print([m for m in ('sqlite_utils', 'jinja2', 'typer', 'rich', 'openpyxl', 'charset_normalizer', 'platformdirs') if m in sys.modules])"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout == "[]\n"


def test_the_module_says_its_version(tmp_path: Path) -> None:
    found = subprocess.run(
        [sys.executable, "-m", "commonsnode", "--home", str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert found.returncode == 1
    assert "there is no node in" in found.stderr
    assert found.stdout == ""
