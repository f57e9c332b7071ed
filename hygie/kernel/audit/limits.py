"""How late the log may be: ``definitions/limits.csv``."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Limits:
    """What the table says.

    Attributes:
        late_head: how long a trace may wait for its place before an alarm sounds.
        refusal: how long one may wait before nothing more is shown.
    """

    late_head: timedelta
    refusal: timedelta


def _read(path: Path) -> Limits:
    with path.open(encoding="utf-8", newline="") as lines:
        seconds = {row["name"]: float(row["seconds"]) for row in csv.DictReader(lines)}
    return Limits(**{name: timedelta(seconds=value) for name, value in seconds.items()})


LIMITS = _read(Path(__file__).parent / "definitions/limits.csv")
