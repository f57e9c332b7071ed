"""Small curves: from points to the coordinates of an SVG whose width is fluid."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from hygie.domains.record.model.summary import Measure

WIDTH, HEIGHT, MARGIN = 240, 64, 6


@dataclass(frozen=True, slots=True)
class Curve:
    """Coordinates in a box of 240 by 64: one line per value, an area under the first, its end."""

    lines: tuple[str, ...]
    area: str
    end: tuple[float, float]


def curve(measure: Measure) -> Curve | None:
    """Return the curve of a measure, or None when fewer than two points stand on different days."""
    days = [date.fromisoformat(_whole(point.day)).toordinal() for point in measure.points]
    if len(set(days)) < 2:  # noqa: PLR2004
        return None
    count = min(len(point.values) for point in measure.points)
    series = [[float(point.values[n]) for point in measure.points] for n in range(count)]
    lowest = min(min(one) for one in series)
    highest = max(max(one) for one in series)
    xs = [_scale(day, (days[0], days[-1]), (MARGIN, WIDTH - MARGIN)) for day in days]
    rows = [
        [_scale(value, (lowest, highest), (HEIGHT - MARGIN, MARGIN)) for value in one]
        for one in series
    ]
    lines = tuple(_points(xs, ys) for ys in rows)
    area = f"{xs[0]},{HEIGHT} {lines[0]} {xs[-1]},{HEIGHT}"
    return Curve(lines, area, (xs[-1], rows[0][-1]))


def _scale(value: float, values: tuple[float, float], places: tuple[float, float]) -> float:
    """Return where a value stands between two places; the middle when all values are equal."""
    (low, high), (start, end) = values, places
    if high == low:
        return round((start + end) / 2, 1)
    return round(start + (value - low) * (end - start) / (high - low), 1)


def _points(xs: Sequence[float], ys: Sequence[float]) -> str:
    return " ".join(f"{x},{y}" for x, y in zip(xs, ys, strict=True))


def _whole(day: str) -> str:
    return (day + "-01-01")[:10] if len(day) < len("2024-01-01") else day
