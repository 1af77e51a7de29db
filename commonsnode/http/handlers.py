"""The handlers of the API, in modules that are each loaded when one of its handlers is first called.

A node starts without what nobody has asked of it yet. Checkers see the modules themselves, so a name that one of them does not
have is found before it is asked for.
"""

import asyncio
import threading
from collections.abc import Mapping
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

from aiohttp import web

if TYPE_CHECKING:
    from commonsnode.http import (
        on_authority,
        on_calendars,
        on_care,
        on_communities,
        on_contacts,
        on_events,
        on_node,
        on_people,
        on_persons,
        on_records,
        on_reservations,
        on_resources,
        on_transfer,
    )
    from commonsnode.http.calls import Call, Handler

__all__ = [
    "on_authority",
    "on_calendars",
    "on_care",
    "on_communities",
    "on_contacts",
    "on_events",
    "on_node",
    "on_people",
    "on_persons",
    "on_records",
    "on_reservations",
    "on_resources",
    "on_transfer",
]

_one_at_a_time = (
    threading.Lock()
)  # modules that load each other, each in a thread of its own, would wait for each other


class Later:
    """A module of handlers: each attribute is a handler that loads the module, and then does what that of this name does."""

    def __init__(self, module: str) -> None:
        self._name = module
        self._module: ModuleType | None = None

    def __getattr__(self, name: str) -> "Handler":
        if name.startswith("_"):
            raise AttributeError(name)

        async def handler(call: "Call") -> Mapping[str, Any] | web.StreamResponse:
            if self._module is None:
                # Files are read and run for it: the event loop goes on meanwhile.
                self._module = await asyncio.to_thread(self._load)
            found: Mapping[str, Any] | web.StreamResponse = await getattr(self._module, name)(call)
            return found

        handler.__module__, handler.__name__ = self._name, name
        return handler

    def _load(self) -> ModuleType:
        with _one_at_a_time:
            return import_module(self._name)


if not TYPE_CHECKING:
    on_authority = Later("commonsnode.http.on_authority")
    on_calendars = Later("commonsnode.http.on_calendars")
    on_care = Later("commonsnode.http.on_care")
    on_communities = Later("commonsnode.http.on_communities")
    on_contacts = Later("commonsnode.http.on_contacts")
    on_events = Later("commonsnode.http.on_events")
    on_node = Later("commonsnode.http.on_node")
    on_people = Later("commonsnode.http.on_people")
    on_persons = Later("commonsnode.http.on_persons")
    on_records = Later("commonsnode.http.on_records")
    on_reservations = Later("commonsnode.http.on_reservations")
    on_resources = Later("commonsnode.http.on_resources")
    on_transfer = Later("commonsnode.http.on_transfer")
