"""The check of the kill loop sees each fault it is there for."""

from __future__ import annotations

from typing import Any

import pytest

from hygie.testing.writers import Event, Versions, faults


def attempt(mark: str, *, act: str = "update", match: int | None = None) -> Event:
    return {"event": "invoke", "mark": mark, "act": act, "rid": "a", "match": match}


def told(mark: str, version: int) -> Event:
    return {"event": "ok", "mark": mark, "rid": "a", "version": version, "changed": True}


GOOD: list[Event] = [
    attempt("m1"),
    told("m1", 1),
    attempt("m2"),
    {"event": "unknown", "mark": "m2"},
]


@pytest.mark.parametrize("versions", [{("a", 1): "m1"}, {("a", 1): "m1", ("a", 2): "m2"}])
def test_what_is_unknown_may_be_stored_or_not(versions: Versions) -> None:
    assert not faults(GOOD, versions)


FAULTS: dict[str, tuple[list[Event], dict[tuple[str, int], Any]]] = {
    "is lost": (GOOD, {}),
    "another's": (GOOD, {("a", 1): "m2"}),
    "never attempted": (GOOD, {("a", 1): "m1", ("a", 2): "ghost"}),
    "stored 2 times": (GOOD, {("a", 1): "m1", ("a", 2): "m1"}),
    "has versions": (GOOD, {("a", 1): "m1", ("a", 3): "m2"}),
    "was refused": ([attempt("m1"), {"event": "no", "mark": "m1"}], {("a", 1): "m1"}),
    "broken": ([attempt("m1"), {"event": "broken", "mark": "m1", "error": "x"}], {}),
    "If-Match": ([attempt("m1", match=4), told("m1", 1)], {("a", 1): "m1"}),
    "m3: ('a', 2) was acknowledged and is another's": (
        [*GOOD[:2], attempt("m3", act="delete"), told("m3", 2)],
        {("a", 1): "m1", ("a", 2): "m2"},
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_is_told(fault: str) -> None:
    assert any(fault in line for line in faults(*FAULTS[fault]))
