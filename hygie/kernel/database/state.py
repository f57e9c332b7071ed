"""How far the programme is: written by the supervisor, read by ``GET /healthz``."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from hygie.kernel.database import folders

Status = Literal["starting", "ready", "stopping"]


@dataclass(frozen=True, slots=True)
class State:
    """What ``data/run/state.json`` holds.

    Attributes:
        status: ``ready`` alone makes ``/healthz`` answer 200.
        reason: a sentence for people while the status is not ``ready``; never a person's data.
        database: whether the database is up to date and may be connected to.
    """

    status: Status
    reason: str = ""
    database: bool = False


def publish(data: Path, state: State) -> None:
    """Replace the published state; readers see the old one or the new one, never half."""
    path = folders.run(data) / "state.json"
    fresh = path.with_suffix(f".{os.getpid()}")
    fresh.write_text(json.dumps(asdict(state)), "utf-8")
    fresh.rename(path)


def read(data: Path) -> State:
    """Return the published state; nothing published yet reads as starting."""
    try:
        return State(**json.loads((data / "run" / "state.json").read_text("utf-8")))
    except FileNotFoundError:
        return State("starting", "the programme is starting")
