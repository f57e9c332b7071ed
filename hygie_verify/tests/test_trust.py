from __future__ import annotations

import json
from pathlib import Path

import pytest

from hygie_verify import stamps
from hygie_verify.__main__ import main
from hygie_verify.note import Refused, VerifierKey
from hygie_verify.tests import sample
from hygie_verify.tests.sample import checkpoint, cosignature, encoded, verifier_key, witness_key
from hygie_verify.tests.vectors import SECOND, export, grown
from hygie_verify.trust import Trust
from hygie_verify.walk import Clock, verify


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "log.ndjson"
    path.write_bytes(b"\n".join(encoded(export())))
    return path


@pytest.fixture
def heads(tmp_path: Path) -> Path:
    signed = checkpoint(SECOND, grown(SECOND)[0].root())
    kept = {"checkpoint": signed, "cosignature": cosignature(signed, at=3), "time": 3}
    path = tmp_path / "heads.ndjson"
    path.write_text(f"{json.dumps(kept)}\n")
    return path


def test_production_wants_two_who_vouch(file: Path, heads: Path) -> None:
    options = [str(file), "--key", verifier_key(), "--witness-key", witness_key()]
    assert main([*options, "--policy", "development"]) == 0
    assert main([*options, "--policy", "production"]) == 1
    assert main([*options, "--policy", "production", "--witness-heads", str(heads)]) == 0


def test_a_witness_that_is_not_trusted_vouches_for_nothing(file: Path) -> None:
    other = witness_key(sample.NEXT_KEY)
    options = [str(file), "--key", verifier_key(), "--witness-key", other]
    assert main([*options, "--policy", "development"]) == 1


def test_a_time_of_a_witness_that_goes_back_is_told() -> None:
    lines = export()
    last = next(line for line in reversed(lines) if "head" in line)
    last["cosignatures"] = cosignature(last["head"], at=12)
    trust = Trust(witnesses=(VerifierKey.parse(witness_key()),))
    report = verify(encoded(lines), trust=trust)
    assert report.is_whole
    assert "goes back at size 5" in report.notices[0]


def test_a_head_that_a_witness_kept_and_that_nobody_signed_is_a_fault() -> None:
    signed = checkpoint(SECOND, grown(SECOND)[0].root(), key=sample.NEXT_KEY)
    trust = Trust(kept=((signed, cosignature(signed, at=3)),))
    assert verify(encoded(export()), trust=trust).faults


def test_no_token_is_judged_without_its_library(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stamps, "client", None)
    with pytest.raises(Refused, match="install"):
        stamps.check(b"", b"", b"")


@pytest.mark.parametrize("token", [b"", b"0", bytes(40)])
def test_what_is_no_token_is_refused(token: bytes) -> None:
    with pytest.raises(Refused):
        stamps.check(token, b"x", b"no certificate")


def test_the_last_quarter_of_an_hour_needs_nobody_yet() -> None:
    clock = Clock(lambda _: None)
    for minute in range(60):
        clock.tell(minute, f"2026-01-01T10:{minute:02}:00Z", "{}")
    assert clock.before_the_last_minutes() == 40


def test_a_clock_that_goes_back_is_told_unless_the_event_came_from_a_spool() -> None:
    told: list[str] = []
    clock = Clock(told.append)
    clock.tell(0, "2026-01-01T10:00:00Z", "{}")
    clock.tell(1, "2026-01-01T07:00:00Z", '{"flags":2}')
    assert not told
    clock.tell(2, "2026-01-01T07:00:00Z", '{"flags":1}')
    assert told == [
        "event 2: the clock went back, from 2026-01-01T10:00:00Z to 2026-01-01T07:00:00Z"
    ]
