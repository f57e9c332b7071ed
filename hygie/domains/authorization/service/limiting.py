"""How often somebody may call: counted in the cache that all processes share."""

from __future__ import annotations

import time

MINUTE = 60


def is_too_fast(who: str, *, most: int, seconds: int = MINUTE) -> bool:
    """Count one call; tell whether there were more than ``most`` in this stretch of time."""
    # Django must be configured before its cache is imported.
    from django.core.cache import cache  # noqa: PLC0415

    key = f"authorization:{who}:{int(time.time()) // seconds}"
    if cache.add(key, 1, timeout=seconds * 2):
        return most < 1
    try:
        return cache.incr(key) > most
    except ValueError:  # it was culled between the two
        return False
