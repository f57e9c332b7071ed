"""Constants, states and events: each boundary, the day before and the day of."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import product

import pytest

from hygie.domains.consent.model.constants import (
    CONSTANTS,
    Opening,
    majority_of,
    may_oppose_until,
    needs_initial_consent,
    opening_mode,
    own_access_from,
    retention_years,
)
from hygie.domains.consent.model.events import EVENTS, Stater, last_instant, longest_for
from hygie.domains.consent.model.states import CHANGES, RecordState, check_change, label
from hygie.kernel.errors import Conflict, NotFound
from hygie.kernel.fhir.search.dates import LAST


@pytest.mark.parametrize(
    ("day", "mode"),
    [
        (date(2021, 12, 31), Opening.ON_CONSENT),
        (date(2022, 1, 1), Opening.UNLESS_OPPOSED),
    ],
)
def test_the_opening_mode_is_that_of_the_day(day: date, mode: Opening) -> None:
    assert opening_mode(day) is mode


@pytest.mark.parametrize(
    ("day", "needed"), [(date(2025, 10, 14), False), (date(2025, 10, 15), True)]
)
def test_an_initial_consent_is_needed_since_the_decision_of_october_2025(
    day: date, needed: bool
) -> None:
    assert needs_initial_consent(day) is needed


@pytest.mark.parametrize(
    ("birth", "majority", "own"),
    [
        (date(2010, 6, 15), date(2028, 6, 15), date(2026, 6, 15)),
        (date(2008, 2, 29), date(2026, 2, 28), date(2024, 2, 29)),
    ],
)
def test_ages_are_reached_on_the_birthday(birth: date, majority: date, own: date) -> None:
    assert majority_of(birth) == majority
    assert own_access_from(birth) == own


def test_the_retention_of_ten_years_has_a_first_day() -> None:
    assert retention_years(date(2016, 7, 4)) == 10
    with pytest.raises(NotFound):
        retention_years(date(2016, 7, 3))


@pytest.mark.parametrize(
    ("notice", "until"),
    [
        (datetime(2022, 1, 1, tzinfo=UTC), datetime(2022, 2, 12, tzinfo=UTC)),
        (datetime(2021, 12, 31, tzinfo=UTC), None),
        (LAST, None),
    ],
)
def test_one_opposes_within_six_weeks_of_the_notice(
    notice: datetime, until: datetime | None
) -> None:
    assert may_oppose_until(notice) == until


def test_what_is_to_confirm_is_told() -> None:
    keys = {row.key[0] for row in CONSTANTS.unconfirmed()}
    assert {"announcement-delay", "retention", "own-access-age"} <= keys
    assert "majority" not in keys


@pytest.mark.parametrize(("before", "after"), list(product(RecordState, repeat=2)))
def test_a_record_changes_as_the_table_of_states_says(
    before: RecordState, after: RecordState
) -> None:
    if after in CHANGES[before]:
        check_change(before, after)
    else:
        with pytest.raises(Conflict, match=f"is {before} cannot become {after}"):
            check_change(before, after)


def test_only_a_closed_record_is_destroyed_and_nothing_brings_it_back() -> None:
    assert [one for one in RecordState if RecordState.DESTROYED in CHANGES[one]] == ["closed"]
    assert not CHANGES[RecordState.DESTROYED]
    assert all(label(state, "fr") != label(state, "en") for state in RecordState)


def test_every_event_that_names_its_end_names_one_that_closes() -> None:
    events = {key[0]: value for key, value in EVENTS.latest().items()}
    for event in events.values():
        assert event.ends_with is None or not events[event.ends_with].opens


def test_only_the_person_and_the_operator_open_without_a_bound() -> None:
    unbounded = [one for one in EVENTS.latest().values() if one.opens and one.length is None]
    staters = {stater for one in unbounded for stater in one.stated_by}
    assert staters == {Stater.PERSON, Stater.OPERATOR}
    assert longest_for(Stater.PROFESSIONAL, date(2026, 1, 1)) == timedelta(days=180)


def test_a_designation_has_no_last_day() -> None:
    assert last_instant("designation", LAST) is None
