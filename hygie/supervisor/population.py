"""The first start in demonstration mode: make the population, tell how far it is.

A process of its own, ``python -m hygie.supervisor.population``: it may be interrupted anywhere and
goes on at the next start. What is done is remembered in ``data/demonstration.json``.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from hygie.demo.accounts import accounts
from hygie.kernel.config import Settings
from hygie.kernel.database.installation import demo_password

COLUMNS = (("login", 22), ("name", 34), ("kind", 15))


def command(settings: Settings) -> tuple[str, ...]:
    """Return the command that makes what is still missing; empty when nothing is."""
    if settings.demo is None or settings.demo <= made(settings.data):
        return ()
    return (sys.executable, "-m", "hygie.supervisor.population")


def made(data: Path) -> int:
    """Return how many patients of the population are complete."""
    try:
        return int(json.loads(_marker(data).read_text("utf-8"))["patients"])
    except FileNotFoundError:
        return 0


def remember(data: Path, patients: int) -> None:
    """Keep that so many patients are complete."""
    fresh = _marker(data).with_suffix(".new")
    fresh.write_text(json.dumps({"patients": patients}), "utf-8")
    fresh.rename(_marker(data))


def accounts_table(settings: Settings) -> list[str]:
    """Return the demonstration accounts and their password as lines for a terminal."""
    rows = [tuple(str(getattr(each, column)) for column, _ in COLUMNS) for each in accounts()]
    lines = [
        "  " + " ".join(text.ljust(width) for text, (_, width) in zip(row, COLUMNS, strict=True))
        for row in rows
    ]
    return [
        f"  Demonstration accounts, password {demo_password(settings.data)}",
        *(line.rstrip() for line in lines),
    ]


def _marker(data: Path) -> Path:
    return data / "demonstration.json"
