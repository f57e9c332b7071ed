from __future__ import annotations

import contextlib
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from hygie.commands.tests.conftest import Hygie
from hygie.kernel.audit import emergency
from hygie.kernel.audit.witness.place import socket_of


@pytest.fixture
def data(folder: Path, hygie: Hygie) -> Path:
    """Give a data folder whose log tells of a load."""
    (folder / "patient.json").write_text('{"resourceType": "Patient", "id": "p1"}')
    assert hygie("load", folder / "patient.json", "--data", folder / "data")[0] == 0
    return folder / "data"


def exported(hygie: Hygie, data: Path, name: str) -> tuple[Path, str]:
    """Export the log; return the file and the key that is printed."""
    file = data.parent / name
    code, out, _ = hygie("export-log", "--to", file, "--data", data)
    assert code == 0
    return file, re.findall(r"^Key of the log: (\S+)$", out, re.MULTILINE)[0]


def test_a_changed_key_is_followed_by_who_trusts_the_first_one(data: Path, hygie: Hygie) -> None:
    _, first = exported(hygie, data, "before.ndjson")
    assert hygie("log", "rotate-key", "--data", data)[0] == 0
    file, second = exported(hygie, data, "after.ndjson")
    assert first != second
    for key in (first, second):
        code, out, _ = hygie("verify-log", file, "--key", key)
        assert (code, "The log is whole." in out) == (0, True)
    _, out, _ = hygie("log", "status", "--data", data)
    assert "changes of key: 1" in out


def test_an_emergency_is_declared_traced_and_ended(data: Path, hygie: Hygie) -> None:
    code, out, _ = hygie("log", "emergency", "on", "--reason", "Disk full", "--data", data)
    assert (code, "Emergency on until" in out) == (0, True)
    assert emergency.declared(data) is not None
    assert "Disk full" in hygie("log", "status", "--data", data)[1]
    assert hygie("log", "emergency", "off", "--data", data)[0] == 0
    assert emergency.declared(data) is None
    told = exported(hygie, data, "log.ndjson")[0].read_text()
    assert "emergency on until" in told
    assert "emergency off" in told


@pytest.mark.parametrize("given", [["on"], [], ["on", "--reason", "x", "--hours", "90"]])
def test_an_emergency_without_reason_or_end_is_refused(
    data: Path, hygie: Hygie, given: list[str]
) -> None:
    assert hygie("log", "emergency", *given, "--data", data)[0] == 1


@contextlib.contextmanager
def witness(data: Path, *options: str) -> Iterator[None]:
    """Run the witness of a data folder as a process of its own."""
    socket = socket_of(data)
    running = subprocess.Popen(  # noqa: S603 - our own programme
        [sys.executable, "-m", "hygie", "witness", "serve", "--data", str(data), *options]
    )
    try:
        while not socket.exists():
            time.sleep(0.05)
        time.sleep(0.2)
        yield
    finally:
        running.terminate()
        assert running.wait(10) == 0


def test_a_witness_cosigns_keeps_and_finds_a_restored_log(data: Path, hygie: Hygie) -> None:
    """F53: the database goes back to an older state; the witness knows better."""
    exported(hygie, data, "first.ndjson")
    with witness(data, "--first-use"):
        code, out, _ = hygie("witness", "check", "--data", data)
        assert (code, "cosigns the log of 2 events" in out) == (0, True)
        key = hygie("witness", "key", "--data", data)[1].strip()
        file, log_key = exported(hygie, data, "log.ndjson")
        assert hygie("witness", "check", "--data", data)[0] == 0
    heads = data.parent / "heads.ndjson"
    heads.write_text(hygie("witness", "heads", "--data", data)[1])
    assert heads.read_text().count("\n") == 2
    options = ["--key", log_key, "--witness-key", key, "--witness-heads", heads]
    code, out, _ = hygie("verify-log", file, *options, "--policy", "development")
    assert (code, "vouches for the first 3 events" in out) == (0, True)
    code, out, _ = hygie("verify-log", data.parent / "first.ndjson", *options)
    assert (code, "the tail is gone" in out) == (1, True)


def test_a_witness_that_does_not_run_is_an_alarm(data: Path, hygie: Hygie) -> None:
    exported(hygie, data, "log.ndjson")
    (data / "witness").mkdir(mode=0o700)
    code, out, _ = hygie("witness", "check", "--data", data)
    assert (code, "ALARM witness" in out) == (1, True)
    assert hygie("log", "status", "--data", data)[0] == 1


def test_a_witness_wants_an_address_and_a_port(data: Path, hygie: Hygie) -> None:
    code, _, err = hygie("witness", "serve", "--listen", "nowhere", "--data", data)
    assert (code, "--listen" in err) == (1, True)
