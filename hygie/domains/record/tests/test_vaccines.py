"""Which vaccines are due: the calendar of 2024 as a table."""

from __future__ import annotations

from datetime import date

import pytest

from hygie.domains.record.model.summary import Vaccine
from hygie.domains.record.model.tables import antigens, calendar
from hygie.domains.record.model.vaccines import add_months, due

TODAY = date(2026, 11, 20)
COMPLETE_AT_15_MONTHS = (
    "dt 2025-10-20, dt 2025-12-20, dt 2026-07-20, pneumo 2025-10-20, pneumo 2025-12-20, "
    "pneumo 2026-07-20, menb 2025-11-20, menb 2026-01-20, menb 2026-08-20, "
    "menacwy 2026-02-20, menacwy 2026-08-20, mmr 2026-08-20"
)


def _given(text: str) -> list[Vaccine]:
    """Read ``dt 2014-06-03, flu 2025-10-21``."""
    pairs = [one.split() for one in text.split(",") if one.strip()]
    return [Vaccine("Immunization/x", "", day, frozenset({antigen})) for antigen, day in pairs]


@pytest.mark.parametrize(
    ("birth", "given", "expected"),
    [
        # newborn: nothing yet
        ("2026-10-01", "", ""),
        # two months: first doses
        ("2026-09-01", "", "hexa pneumo_infant rota"),
        ("2026-09-01", "dt 2026-11-02, pneumo 2026-11-02, rota 2026-11-02", ""),
        # four months: the second dose is missing
        (
            "2026-07-01",
            "dt 2026-09-02, pneumo 2026-09-02, rota 2026-09-02, menb 2026-10-02",
            "hexa pneumo_infant rota",
        ),
        # a dose against ACWY protects against C
        (
            "2025-08-20",
            COMPLETE_AT_15_MONTHS,
            "",
        ),
        # 30 years: the booster of 25 was not noted, measles never
        ("1996-01-01", "dt 2007-05-01", "dt_25y mmr"),
        ("1996-01-01", "dt 2020-05-01, mmr 1997-01-01, mmr 1997-06-01", ""),
        # a booster given a year early counts
        ("1996-01-01", "dt 2020-01-02, mmr 1997-01-01, mmr 1997-06-01", ""),
        # 67 years
        ("1959-05-12", "dt 2014-06-03, flu 2025-10-21", "covid dt_65y flu zoster"),
        ("1959-05-12", "dt 2024-06-03, flu 2026-10-21, covid 2026-10-21, zoster 2025-01-01", ""),
        # 78 years: ten years after the last booster
        ("1948-01-30", "dt 2013-02-01, flu 2026-10-01, covid 2026-10-01, zoster 2020", "dt_65y"),
    ],
)
def test_what_is_due(birth: str, given: str, expected: str) -> None:
    found = due(date.fromisoformat(birth), _given(given), calendar(), at=TODAY)
    assert sorted(one.rule.id for one in found) == expected.split()


def test_a_record_without_any_vaccine_asks_to_check_instead_of_telling_to_act() -> None:
    found = due(date(1959, 5, 12), [], calendar(), at=TODAY)
    assert found
    assert not any(one.history for one in found)


def test_the_last_dose_is_told() -> None:
    found = due(date(1959, 5, 12), _given("flu 2024-10-01, flu 2025-10-21"), calendar(), at=TODAY)
    assert {one.rule.id: one.last for one in found}["flu"] == "2025-10-21"


def test_every_antigen_of_the_calendar_has_codes() -> None:
    coded = frozenset().union(*antigens().values())
    assert {rule.antigen for rule in calendar()} <= coded


@pytest.mark.parametrize(
    ("day", "months", "expected"),
    [
        (date(2024, 1, 31), 1, date(2024, 2, 29)),
        (date(2024, 11, 30), 3, date(2025, 2, 28)),
        (date(2024, 3, 31), -1, date(2024, 2, 29)),
        (date(2024, 1, 15), 12, date(2025, 1, 15)),
    ],
)
def test_adding_months_stays_within_the_month(day: date, months: int, expected: date) -> None:
    assert add_months(day, months) == expected
