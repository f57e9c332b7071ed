"""How often things happen in the invented region: ``chances.csv``."""

from __future__ import annotations

import csv
import random
from functools import cache
from importlib.resources import files


def happens(rng: random.Random, habit: str) -> bool:
    """Draw whether a habit of the table shows this time."""
    return rng.random() < _chances()[habit]


@cache
def _chances() -> dict[str, float]:
    text = files(__package__).joinpath("chances.csv").read_text("utf-8")
    return {row["habit"]: float(row["chance"]) for row in csv.DictReader(text.splitlines())}
