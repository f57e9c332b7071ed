"""What is remembered of the demonstration population, and how it is shown in a terminal."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from hygie.demo.accounts import accounts
from hygie.kernel.config import Settings
from hygie.kernel.database.installation import demo_password

COLUMNS = (("login", 22), ("name", 34), ("kind", 15))


@dataclass(frozen=True, slots=True)
class Made:
    """What ``data/demonstration.json`` remembers.

    Attributes:
        today: the day on which the population lives; fixed at first start, so that a start that
            goes on makes the same people.
        patients: how many of them are complete.
    """

    today: str
    patients: int = 0


def command(settings: Settings) -> tuple[str, ...]:
    """Return the command that makes what is still missing; empty when nothing is."""
    if settings.demo is None or settings.demo <= made(settings).patients:
        return ()
    return (sys.executable, "-m", "hygie.supervisor.populate")


def made(settings: Settings) -> Made:
    """Return what is remembered; nothing yet reads as none made today."""
    try:
        return Made(**json.loads(_marker(settings.data).read_text("utf-8")))
    except FileNotFoundError:
        return Made(datetime.now(ZoneInfo(settings.zone)).date().isoformat())


def remember(data: Path, what: Made) -> None:
    """Keep what is complete."""
    fresh = _marker(data).with_suffix(".new")
    fresh.write_text(json.dumps(asdict(what)), "utf-8")
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
