"""Answer no sooner than a floor, so that how long an answer takes tells nothing."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

FLOOR = 0.3
"""Seconds: well over what looking up a code, a birth date and an account takes."""


@contextmanager
def evenly(floor: float = FLOOR) -> Iterator[None]:
    """Let a block last at least ``floor`` seconds, whether it succeeds or fails."""
    end = time.monotonic() + floor
    try:
        yield
    finally:
        time.sleep(max(0.0, end - time.monotonic()))
