"""Chance that can be replayed: every draw comes from a source named by the seed and a path."""

from __future__ import annotations

import random
import uuid
from bisect import bisect
from collections.abc import Sequence
from itertools import accumulate
from typing import Generic, TypeVar

Item = TypeVar("Item")

NAMESPACE = uuid.UUID("6d9f7c1e-2f0b-5c8a-9a37-0d1c6e5b4a10")
"""The root of every identifier of the demonstration."""


def chance(*path: object) -> random.Random:
    """Return the source of chance for a path such as ``(seed, "household", 12)``."""
    return random.Random("/".join(map(str, path)))  # noqa: S311 - a demonstration, not a secret


def identifier(*path: object) -> str:
    """Return the UUID of a path; the same path always gives the same one."""
    return str(uuid.uuid5(NAMESPACE, "/".join(map(str, path))))


class Weighted(Generic[Item]):
    """Items drawn in proportion to their weight, in logarithmic time."""

    def __init__(self, items: Sequence[Item], weights: Sequence[float]) -> None:
        self.items = items
        self._sums = list(accumulate(weights))

    def draw(self, rng: random.Random) -> Item:
        """Draw one item."""
        place = bisect(self._sums, rng.random() * self._sums[-1])
        return self.items[min(place, len(self.items) - 1)]


def near(rng: random.Random, mean: float, sd: float) -> float:
    """Draw from a bell curve cut at two standard deviations, so that nobody is impossible."""
    return mean + max(-2.0, min(2.0, rng.gauss(0.0, 1.0))) * sd
