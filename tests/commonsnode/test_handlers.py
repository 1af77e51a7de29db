"""Handlers are loaded when they are first called: each is there then, and a node starts without them."""

import asyncio
import inspect
import subprocess
import sys
import threading
from importlib import import_module
from pathlib import Path
from typing import Any, cast

import pytest

from commonsnode.http.calls import Call, Route
from commonsnode.http.handlers import Later
from commonsnode.http.routes import ROUTES

SLOW = """
import threading
LOADED_IN = threading.current_thread()

async def told(call):
    return {"said": call}
"""


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.method} {route.path}")
def test_every_route_has_the_handler_that_it_names(route: Route) -> None:
    handler = route.handler
    found = getattr(import_module(handler.__module__), handler.__name__)
    assert inspect.iscoroutinefunction(found)
    assert [*inspect.signature(found).parameters] == ["call"]


def test_a_daemon_is_loaded_without_any_of_them() -> None:
    code = "import sys, commonsnode.daemon; print([m for m in sys.modules if m.startswith('commonsnode.http.on_')])"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.strip() == "[]"


async def test_the_first_calls_load_the_module_once_and_not_in_the_event_loop(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "handlers_of_a_test.py").write_text(SLOW)
    monkeypatch.syspath_prepend(tmp_path)
    later = Later("handlers_of_a_test")
    told = later.told
    assert (told.__module__, told.__name__) == ("handlers_of_a_test", "told")
    answers = await asyncio.gather(*(told(cast(Call, number)) for number in range(3)))
    assert answers == [{"said": 0}, {"said": 1}, {"said": 2}]
    loaded: Any = sys.modules.pop("handlers_of_a_test")
    assert loaded.LOADED_IN is not threading.current_thread()
