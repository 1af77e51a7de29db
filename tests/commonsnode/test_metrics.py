"""What Prometheus gets from `/metrics`, and who else gets nothing."""

from pathlib import Path

from commonsnode import home
from commonsnode.http.metrics import Family, of_peers
from running_node import Api, serving

TOKEN = "0123456789abcdef-token"
LINKED = {
    "id": "ab" * 32,
    "state": "connected",
    "bytes_sent": 10,
    "bytes_received": 20,
    "delay_ms": 1_500.0,
    "lanes": [{"community": "cd" * 32, "lane": "public", "in_step": False, "to_get": 3, "to_give": 0}],
}


async def metrics(api: Api, *, tcp: bool, token: str | None = None) -> tuple[int, str]:
    session, base = (api.public, api.base) if tcp else (api.operator, "http://node")
    headers = {"Authorization": f"Bearer {token}"} if token is not None else {}
    async with session.get(base + "/metrics", headers=headers) as response:
        return response.status, await response.text()


async def test_the_operator_gets_them_on_the_unix_socket(tmp_path: Path) -> None:
    async with serving(home.init(tmp_path)) as api:
        community = await api.community()
        await api.add(community, title="Ladder")
        status, text = await metrics(api, tcp=False)
        assert status == 200
        assert f'commonsnode_records{{community="{community}"}} 1\n' in text
        assert 'commonsnode_peers{state="connected"} 0\n' in text


async def test_without_a_token_there_is_nothing_on_tcp_whatever_is_sent(tmp_path: Path) -> None:
    async with serving(home.init(tmp_path)) as api:
        for token in (None, "", TOKEN):
            assert (await metrics(api, tcp=True, token=token))[0] == 404


async def test_who_has_the_token_gets_them_on_tcp_and_nobody_else(tmp_path: Path) -> None:
    async with serving(home.init(tmp_path), metrics_token=TOKEN) as api:
        community = await api.community()
        status, text = await metrics(api, tcp=True, token=TOKEN)
        assert (status, community in text) == (200, True)
        for token in (None, "", TOKEN[:-1], TOKEN + "x"):
            status, text = await metrics(api, tcp=True, token=token)
            assert (status, community in text) == (404, False)


def test_a_label_cannot_end_its_quotes_or_its_line() -> None:
    family = Family("x", "gauge", "X.")
    family.add(1, name='a"b\\c\nd')
    assert family.text() == '# HELP x X.\n# TYPE x gauge\nx{name="a\\"b\\\\c\\nd"} 1\n'


def test_a_peer_tells_its_bytes_its_delay_and_how_far_behind_it_is() -> None:
    text = "".join(family.text() for family in of_peers([LINKED, {"id": None, "state": "waiting"}]))
    peer = "ab" * 32
    assert 'commonsnode_peers{state="waiting"} 1\n' in text
    assert f'commonsnode_peer_bytes_total{{peer="{peer}",direction="in"}} 20\n' in text
    assert f'commonsnode_peer_delay_seconds{{peer="{peer}"}} 1.5\n' in text
    behind = f'peer="{peer}",community="{"cd" * 32}",lane="public"'
    assert f"commonsnode_peer_in_step{{{behind}}} 0\n" in text
    assert f'commonsnode_peer_behind{{{behind},direction="in"}} 3\n' in text
