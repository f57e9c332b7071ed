"""The summary, the timeline and the curves, as values."""

from __future__ import annotations

from decimal import Decimal

import pytest

from hygie.domains.record.model.curve import HEIGHT, WIDTH, curve
from hygie.domains.record.model.summary import Measure, Point, State, section
from hygie.domains.record.model.timeline import Fetched, Item, Kind, boundary, page


@pytest.mark.parametrize(
    ("entries", "absences", "past", "state"),
    [
        ([], [], False, State.UNKNOWN),
        ([], ["unknown"], False, State.UNKNOWN),
        ([], ["all"], False, State.NONE_KNOWN),
        ([], ["medication"], False, State.PARTLY_NONE),
        ([], ["medication", "all"], False, State.NONE_KNOWN),
        ([], [], True, State.PAST_ONLY),
        ([], ["all"], True, State.NONE_KNOWN),
        (["x"], ["all"], False, State.PRESENT),
    ],
)
def test_unknown_is_never_none(
    entries: list[str], absences: list[str], past: bool, state: State
) -> None:
    assert section(entries, absences=absences, past=past).state is state


def _item(day: str, number: int = 0, kind: Kind = Kind.MEASURE) -> Item:
    return Item(f"Observation/{day}-{number}", kind, day, f"title {number}")


def _fetched(*days: str, more: bool = False) -> Fetched:
    return Fetched(tuple(_item(day, number) for number, day in enumerate(days)), more)


def test_everything_that_fits_is_one_page() -> None:
    assert boundary([_fetched("2024-05-02", "2024-05-01")], size=5) == ""


def test_a_page_ends_with_the_day_of_its_last_line() -> None:
    fetched = [_fetched("2024-05-03", "2024-05-02", "2024-05-02", "2024-05-01")]
    assert boundary(fetched, size=2) == "2024-05-02"
    shown = page(fetched[0].items, oldest="2024-05-02")
    assert [(day.day, len(day.items)) for day in shown.days] == [
        ("2024-05-03", 1),
        ("2024-05-02", 2),
    ]
    assert shown.before == "2024-05-02"


def test_a_search_that_was_cut_holds_the_page_at_its_last_day() -> None:
    cut = _fetched("2024-05-09", "2024-05-08", more=True)
    whole = _fetched("2024-05-03", "2024-05-01")
    assert boundary([cut, whole], size=10) == "2024-05-08"


def test_a_day_tells_visits_before_measures_and_each_line_once() -> None:
    visit = _item("2024-05-01", 9, Kind.ENCOUNTER)
    shown = page([_item("2024-05-01"), visit, visit], oldest="")
    assert [item.kind for item in shown.days[0].items] == [Kind.ENCOUNTER, Kind.MEASURE]


def _measure(*points: tuple[str, str]) -> Measure:
    made = tuple(
        Point(day, tuple(Decimal(one) for one in values.split("/")), "Observation/x")
        for day, values in points
    )
    return Measure("1", "a", "a", "a", "a", "kg", made)


def test_one_point_or_one_day_draws_no_curve() -> None:
    assert curve(_measure(("2024-01-01", "3"))) is None
    assert curve(_measure(("2024-01-01", "3"), ("2024-01-01", "4"))) is None


def test_a_curve_stands_within_its_box_and_rises_with_the_values() -> None:
    drawn = curve(_measure(("2024-01-01", "140/80"), ("2024-06-01", "150/90"), ("2025", "120/70")))
    assert drawn is not None
    assert len(drawn.lines) == 2
    pairs = [tuple(map(float, one.split(","))) for line in drawn.lines for one in line.split()]
    assert all(0 <= x <= WIDTH and 0 <= y <= HEIGHT for x, y in pairs)
    first = [float(one.split(",")[1]) for one in drawn.lines[0].split()]
    assert first[1] < first[0] < first[2]


def test_equal_values_draw_a_line_in_the_middle() -> None:
    drawn = curve(_measure(("2024-01-01", "3"), ("2024-02-01", "3")))
    assert drawn is not None
    assert drawn.end[1] == HEIGHT / 2


def test_the_digits_of_a_measure_are_kept() -> None:
    assert _measure(("2024-01-01", "1.10")).last.text == "1.10"
