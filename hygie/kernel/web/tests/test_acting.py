"""For whom a session acts, and when it stops by itself."""

from __future__ import annotations

import time
from types import SimpleNamespace
from typing import Any

from hygie.kernel.web.acting import Acting, act_for, acting_of, over, stop_acting

NORA = Acting("nora", "Nora MARTIN", "helper", 7, "Patient/lucie")


def session_of(account: int) -> Any:
    return SimpleNamespace(session={}, user=SimpleNamespace(pk=account))


def test_a_session_acts_until_it_stops() -> None:
    request = session_of(1)
    assert acting_of(request) is None
    act_for(request, NORA)
    assert acting_of(request) == NORA
    stop_acting(request)
    assert acting_of(request) is None


def test_another_account_does_not_inherit_whom_a_session_acted_for() -> None:
    request = session_of(1)
    act_for(request, NORA)
    request.user = SimpleNamespace(pk=2)
    assert acting_of(request) is None


def test_a_session_acts_no_longer_once_the_time_is_over() -> None:
    request = session_of(1)
    late = Acting("nora", "Nora MARTIN", "desk", 7, "RelatedPerson/1", time.time() - 1)
    act_for(request, late)
    assert acting_of(request) is None
    assert over(request) == late


def test_a_page_without_session_acts_for_nobody() -> None:
    assert acting_of(SimpleNamespace()) is None  # type: ignore[arg-type]
