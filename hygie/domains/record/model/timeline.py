"""The timeline: what happened, newest day first, cut into pages between two days."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby

PAGE = 25
"""Lines of one page; the last day is never cut, so a page may hold a few more."""


class Kind(enum.StrEnum):
    """What a reader may filter on."""

    ENCOUNTER = "encounter"
    RESULT = "result"
    MEASURE = "measure"
    TREATMENT = "treatment"
    VACCINE = "vaccine"
    PROBLEM = "problem"
    ALLERGY = "allergy"
    PROCEDURE = "procedure"
    DOCUMENT = "document"


@dataclass(frozen=True, slots=True)
class Item:
    """One line of the timeline."""

    reference: str
    kind: Kind
    day: str
    title: str
    side: str = ""


@dataclass(frozen=True, slots=True)
class Day:
    """A day and its lines, in the order of their kinds."""

    day: str
    items: tuple[Item, ...]


@dataclass(frozen=True, slots=True)
class Timeline:
    """One page. ``before`` is the day the next page stands before; empty on the last one."""

    days: tuple[Day, ...]
    before: str = ""


@dataclass(frozen=True, slots=True)
class Fetched:
    """What one search gave, newest first; ``more`` when older lines exist."""

    items: tuple[Item, ...]
    more: bool


def boundary(fetched: Sequence[Fetched], *, size: int = PAGE) -> str:
    """Return the oldest day of the page, or an empty text when everything fits.

    A search that has more lines is only known down to its last day, which it may have cut.
    """
    merged = _newest_first(item for one in fetched for item in one.items)
    if len(merged) <= size and not any(one.more for one in fetched):
        return ""
    oldest = merged[min(size, len(merged)) - 1].day
    cuts = [one.items[-1].day for one in fetched if one.more and one.items]
    return max([oldest, *cuts])


def page(items: Iterable[Item], *, oldest: str) -> Timeline:
    """Return the page of the lines down to ``oldest`` included."""
    kept = _newest_first(item for item in items if not oldest or item.day >= oldest)
    days = tuple(Day(day, tuple(group)) for day, group in groupby(kept, key=lambda item: item.day))
    return Timeline(days, before=oldest)


def _newest_first(items: Iterable[Item]) -> list[Item]:
    order = list(Kind)
    known = {item.reference: item for item in items}.values()
    ranked = sorted(known, key=lambda item: (order.index(item.kind), item.title, item.reference))
    return sorted(ranked, key=lambda item: item.day, reverse=True)
