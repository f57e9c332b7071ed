"""Limit how fast one address reads the public pages: the directory is not to be copied.

A person looks at some pages in a minute; a robot that takes them one by one at that pace would
need months. The counter stands in the cache that all processes share.
"""

from __future__ import annotations

import ipaddress
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from django.http import HttpRequest

MOST, SECONDS = 30, 60
"""Pages of one address in so many seconds."""
MOST_DAY, DAY = 600, 86_400
_HOUSEHOLD = 64
"""Bits of an IPv6 address that name a household: it may use the others as it likes."""


def may_read(request: HttpRequest) -> bool:
    """Count one page and tell whether the address may still read."""
    key = _address(request)
    return all(
        _counted(f"annuaire-{seconds}-{key}", seconds) <= most
        for most, seconds in ((MOST, SECONDS), (MOST_DAY, DAY))
    )


def _counted(key: str, seconds: int) -> int:
    cache: Any = import_module("django.core.cache").cache
    cache.add(key, 0, seconds)
    try:
        return int(cache.incr(key))
    except ValueError:  # it ended in between
        return 1


def _address(request: HttpRequest) -> str:
    """Return the network address of who asks, as the server read it behind its proxies."""
    try:
        address = ipaddress.ip_address(str(request.META.get("REMOTE_ADDR", "")))
    except ValueError:
        return "unknown"
    if address.version == 4:  # noqa: PLR2004 - the version of the protocol
        return str(address)
    return str(ipaddress.ip_network((address, _HOUSEHOLD), strict=False).network_address)
