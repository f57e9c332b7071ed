from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hygie.kernel.errors import ConfigurationError
from hygie.kernel.security.keys.ledger import (
    FIRST,
    NAME,
    Destroyed,
    Erasure,
    Ledger,
    longest,
    read_lines,
)

AT = datetime(2026, 11, 22, tzinfo=UTC)


def chain(length: int) -> list[Erasure]:
    made: list[Erasure] = []
    for number in range(1, length + 1):
        before = made[-1].hash if made else FIRST
        key = Destroyed(1, f"{number:032x}")
        made.append(Erasure(number, AT, number * 10, (key,), (), before))
    return made


LINES = [erasure.line for erasure in chain(5)]
DAMAGES: list[Callable[[list[str]], list[str]]] = [
    lambda lines: lines[1:],
    lambda lines: [*lines[:2], *lines[3:]],
    lambda lines: [lines[1], lines[0], *lines[2:]],
    lambda lines: [*lines, lines[-1]],
    lambda lines: [lines[0].replace("10", "11"), *lines[1:]],
    lambda lines: [*lines[:4], "not a line"],
    lambda lines: [*lines[:4], lines[4].replace(":", ": ", 1)],
]


def test_a_chain_is_read_back() -> None:
    assert read_lines(LINES, source="here") == chain(5)


@pytest.mark.parametrize("damage", DAMAGES)
def test_every_change_is_noticed(damage: Callable[[list[str]], list[str]]) -> None:
    with pytest.raises(ConfigurationError, match=r"Line \d of the erasure ledger here"):
        read_lines(damage(list(LINES)), source="here")


@given(st.integers(0, 5), st.integers(0, 5))
def test_the_longest_copy_counts(first: int, second: int) -> None:
    whole = chain(5)
    assert len(longest([whole[:first], whole[:second]])) == max(first, second)


def test_a_file_grows_and_a_torn_line_is_written_again(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / NAME, tmp_path / "far" / NAME)
    ledger.bring_up_to(chain(2))
    with ledger.paths[0].open("a") as stream:
        stream.write(LINES[2][:20])
    assert Ledger(ledger.paths[0]).read() == chain(2)
    ledger.bring_up_to(chain(4))
    assert [Ledger(path).read() for path in ledger.paths] == [chain(4), chain(4)]
    assert ledger.paths[0].stat().st_mode & 0o777 == 0o600


def test_a_shorter_list_takes_nothing_away(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / NAME)
    ledger.bring_up_to(chain(4))
    ledger.bring_up_to(chain(2))
    assert ledger.read() == chain(4)


def test_another_chain_is_refused(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / NAME)
    ledger.bring_up_to(chain(2))
    other = Erasure(1, AT, 99, (), (), FIRST)
    with pytest.raises(ConfigurationError, match="contradict each other"):
        ledger.bring_up_to([other])
