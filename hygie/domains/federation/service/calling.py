"""How often a telephone may be called: nobody rings a professional all night."""

from __future__ import annotations

import hashlib

from django.core.cache import caches

MOST, WITHIN = 3, 300
"""Calls of one number in so many seconds, whoever asks and whether it exists or not."""


def may_call(provider: str, number: str) -> bool:
    """Count a call and tell whether it may be made."""
    cache = caches["default"]
    digest = hashlib.sha256(f"{provider}/{number}".encode()).hexdigest()
    key = f"federation-phone-{digest}"
    cache.add(key, 0, WITHIN)
    try:
        return cache.incr(key) <= MOST
    except ValueError:  # it ran out between the two
        return True
