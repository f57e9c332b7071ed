"""Dated tables: chosen by the day of the act, refused when their days overlap or leave a gap."""

from __future__ import annotations

from datetime import date

import pytest

from hygie.kernel.errors import NotFound
from hygie.kernel.security.dated import BrokenTable, Columns, DatedTable, read

HEADER = "key,value,valid_from,valid_to,source,source_date,mark\n"


def table(*lines: str) -> DatedTable[int]:
    return read(HEADER + "\n".join(lines), "delays.csv", key=("key",), make=_value)


def _value(columns: Columns) -> int:
    return int(columns["value"])


TWO = ("delay,30,2020-01-01,2024-06-30,decree A,2019,read", "delay,14,2024-07-01,,B,2024,verified")


@pytest.mark.parametrize(
    ("day", "value"),
    [
        (date(2020, 1, 1), 30),
        (date(2024, 6, 30), 30),
        (date(2024, 7, 1), 14),
        (date(2090, 1, 1), 14),
    ],
)
def test_the_value_changes_on_the_first_day_of_the_new_row(day: date, value: int) -> None:
    assert table(*TWO).value("delay", at=day) == value


def test_a_day_before_the_first_row_has_no_value() -> None:
    with pytest.raises(NotFound, match="says nothing of delay on 2019-12-31"):
        table(*TWO).value("delay", at=date(2019, 12, 31))


def test_a_day_after_the_last_row_has_no_value() -> None:
    ended = table("delay,30,2020-01-01,2024-06-30,A,2019,read")
    assert ended.value("delay", at=date(2024, 6, 30)) == 30
    with pytest.raises(NotFound):
        ended.value("delay", at=date(2024, 7, 1))


def test_an_unknown_key_has_no_value() -> None:
    with pytest.raises(NotFound, match="add a dated row"):
        table(*TWO).value("other", at=date(2024, 1, 1))


def test_rows_of_a_key_may_not_overlap() -> None:
    with pytest.raises(BrokenTable, match="overlap on 2024-06-30; end the older one"):
        table(TWO[0], "delay,14,2024-06-30,,B,2024,read")


def test_a_row_without_end_is_followed_by_none() -> None:
    with pytest.raises(BrokenTable, match="overlap"):
        table("delay,30,2020-01-01,,A,2019,read", "delay,14,2024-07-01,,B,2024,read")


def test_rows_of_a_key_may_not_leave_a_gap() -> None:
    with pytest.raises(BrokenTable, match="gap from 2024-07-01 to 2024-07-01"):
        table(TWO[0], "delay,14,2024-07-02,,B,2024,read")


def test_rows_of_different_keys_live_their_own_lives() -> None:
    both = table(*TWO, "other,1,2024-01-01,,C,2024,to confirm")
    assert both.holding(date(2024, 7, 1)) == {("delay",): 14, ("other",): 1}
    assert both.holding(date(2023, 1, 1)) == {("delay",): 30}
    assert [row.key for row in both.unconfirmed()] == [("other",)]


def test_the_newest_value_of_a_retired_key_stays_known() -> None:
    assert table("delay,30,2020-01-01,2021-01-01,A,2019,read").latest() == {("delay",): 30}


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("delay,x,2020-01-01,,A,2019,read", "line 2: invalid literal"),
        ("delay,30,2020-13-01,,A,2019,read", "month must be in 1..12"),
        ("delay,30,2020-01-02,2020-01-01,A,2019,read", "ends on 2020-01-01 before it begins"),
        ("delay,30,2020-01-01,,A,2019,guessed", "the mark 'guessed'"),
        ("delay,30,2020-01-01,,,2019,read", "names no source"),
        ("delay,30,2020-01-01", "as many cells"),
        ("delay,30,2020-01-01,,A,2019,read,more", "as many cells"),
    ],
)
def test_a_line_that_cannot_be_read_is_named(line: str, why: str) -> None:
    with pytest.raises(BrokenTable, match=why):
        table(line)


def test_a_missing_column_is_named() -> None:
    with pytest.raises(BrokenTable, match="lacks the columns mark, source"):
        read("key,valid_from,valid_to,source_date\n", "x.csv", key=("key",), make=_value)
