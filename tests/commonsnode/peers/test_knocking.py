"""Who connects and then says nothing takes no room from others."""

from contextlib import AsyncExitStack
from pathlib import Path

import aiohttp
import pytest

from commonsnode import home
from commonsnode.peers.peers import HANDSHAKES_PER_HOST_MAX
from running_node import serving


async def test_one_host_has_so_many_handshakes_under_way_and_another_still_gets_in(tmp_path: Path) -> None:
    async with serving(home.init(tmp_path)) as api, AsyncExitStack() as stack:
        hosts = [
            await stack.enter_async_context(
                aiohttp.ClientSession(connector=aiohttp.TCPConnector(local_addr=(host, 0), limit=0))
            )
            for host in ("127.0.0.2", "127.0.0.3")
        ]
        url = api.base + "/peer"
        silent = [await hosts[0].ws_connect(url) for _ in range(HANDSHAKES_PER_HOST_MAX)]
        with pytest.raises(aiohttp.WSServerHandshakeError) as raised:
            await hosts[0].ws_connect(url)
        assert raised.value.status == 503
        await (await hosts[1].ws_connect(url)).close()
        await silent[0].close()
        await (await hosts[0].ws_connect(url)).close()
        for socket in silent[1:]:
            await socket.close()
