"""Read the knowledge of the demonstration: one row type per table of ``definitions``.

A clinician can review the tables without reading code. An empty cell means the default of the
row type. Curves are written ``age:value;age:value`` and read by :func:`curve`.
"""

from __future__ import annotations

import csv
import lzma
from bisect import bisect_right
from functools import cache
from io import StringIO
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from hygie.demo.rows import Measure, Medicine, Procedure, Profession

DEFINITIONS = Path(__file__).parent / "definitions"

Row = TypeVar("Row", bound=msgspec.Struct)


def rows(name: str, kind: type[Row]) -> tuple[Row, ...]:
    """Return the rows of a table in ``definitions``, converted and checked; read once."""
    found: tuple[Row, ...] = _read(name, kind)
    return found


@cache
def _read(name: str, kind: type[Any]) -> tuple[Any, ...]:
    path = DEFINITIONS / name
    packed = path.read_bytes()
    text = (lzma.decompress(packed) if path.suffix == ".xz" else packed).decode()
    filled = ({k: v for k, v in row.items() if v} for row in csv.DictReader(StringIO(text)))
    return tuple(msgspec.convert(row, kind, strict=False) for row in filled)


@cache
def curve(text: str) -> tuple[tuple[float, float], ...]:
    """Read ``age:value;age:value``.

    >>> curve("20:0;40:1.5")
    ((20.0, 0.0), (40.0, 1.5))
    """
    points = (point.split(":") for point in text.split(";"))
    return tuple((float(x), float(y)) for x, y in points)


@cache
def factors(text: str) -> dict[str, float]:
    """Read ``name:value name:value``.

    >>> factors("obesity:2.2 smoking:1.5")
    {'obesity': 2.2, 'smoking': 1.5}
    """
    return {name: float(value) for name, value in (pair.split(":") for pair in text.split())}


def step_value(points: tuple[tuple[float, float], ...], x: float) -> float:
    """Return the value of the last point at or before ``x``; 0 before the first."""
    place = bisect_right(points, (x, float("inf"))) - 1
    return points[place][1] if place >= 0 else 0.0


def medicine(key: str) -> Medicine:
    """Return a medicine by the key that the other tables use."""
    return _medicines()[key]


@cache
def _medicines() -> dict[str, Medicine]:
    return {row.key: row for row in rows("medicines.csv", Medicine)}


@cache
def procedure(code: str) -> Procedure:
    """Return an act by its CCAM code."""
    return next(row for row in rows("procedures.csv", Procedure) if row.code == code)


@cache
def profession(role: str) -> Profession:
    """Return a profession by its role in the care team."""
    return next(row for row in rows("professions.csv", Profession) if row.role == role)


@cache
def measure(key: str) -> Measure:
    """Return a measure by its key."""
    return next(row for row in rows("measures.csv", Measure) if row.key == key)


@cache
def panel(key: str) -> tuple[Measure, ...]:
    """Return the measures of a panel, in the order of the report."""
    return tuple(row for row in rows("measures.csv", Measure) if row.panel == key)
