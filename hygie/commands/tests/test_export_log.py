from __future__ import annotations

import re
from pathlib import Path

import pytest

import hygie_verify.__main__ as hygie_verify
from hygie.commands.tests.conftest import Hygie

PATIENT = '{"resourceType": "Patient", "id": "p1"}'


@pytest.fixture
def data(folder: Path, hygie: Hygie) -> Path:
    """Give a data folder whose log tells of a load and of an export."""
    (folder / "patient.json").write_text(PATIENT)
    assert hygie("load", folder / "patient.json", "--data", folder / "data")[0] == 0
    assert hygie("export", "--to", folder / "records", "--data", folder / "data")[0] == 0
    return folder / "data"


@pytest.mark.parametrize("name", ["log.ndjson", "log.ndjson.gz"])
def test_an_exported_log_verifies_with_the_key_that_is_printed(
    data: Path, hygie: Hygie, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    file = data.parent / name
    code, out, _ = hygie("export-log", "--to", file, "--data", data)
    (key,) = re.findall(r"^Key of the log: (\S+)$", out, re.MULTILINE)
    assert (code, file.stat().st_mode & 0o077) == (0, 0)
    assert hygie_verify.main([str(file), "--key", key]) == 0
    verified = capsys.readouterr().out
    assert "The log is whole." in verified
    (counted,) = re.findall(r"^(\d+) events", out, re.MULTILINE)
    assert verified.startswith(f"{counted} events")


def test_the_export_of_a_log_is_in_the_log(data: Path, hygie: Hygie) -> None:
    file = data.parent / "log.ndjson"
    hygie("export-log", "--to", file, "--data", data)
    told = file.read_text()
    assert "hygie export: Patient" in told
    assert "hygie export-log" in told


def test_a_file_that_exists_is_left_as_it_is(data: Path, hygie: Hygie) -> None:
    file = data.parent / "log.ndjson"
    file.write_text("mine")
    code, _, err = hygie("export-log", "--to", file, "--data", data)
    assert (code, "name a new file" in err, file.read_text()) == (1, True, "mine")
