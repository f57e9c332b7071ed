from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from hygie.commands.tests.conftest import Hygie

PATIENT = '{\n  "resourceType": "Patient",\n  "id": "p1",\n  "birthDate": "1959-03-12"\n}'
WEIGHT = (
    '{"resourceType": "Observation", "id": "o1", "status": "final", "code": {"text": "poids"},'
    ' "subject": {"reference": "Patient/p1"}, "valueQuantity": {"value": 1.10, "unit": "kg"}}'
)
WRONG = '{"resourceType": "Patient", "id": "p2", "gender": "ours"}'


@pytest.fixture
def loaded(folder: Path, hygie: Hygie) -> Path:
    """Give a data folder that holds two resources; a third was refused."""
    source = folder / "in"
    source.mkdir()
    (source / "patient.json").write_text(PATIENT)
    (source / "rest.ndjson.gz").write_bytes(gzip.compress(f"{WEIGHT}\n{WRONG}\n".encode()))
    (source / "readme.txt").write_text("not FHIR")
    report = folder / "report.ndjson"
    code, out, err = hygie("load", source, "--data", folder / "data", "--report", report)
    assert (code, "2  new\n" in out, "1  refused\n" in out) == (1, True, True)
    assert "left out" in err
    assert "Patient.gender" in err
    (line,) = report.read_text().splitlines()
    refused = json.loads(line)
    assert (refused["entry"], refused["resource"]) == (1, "Patient/p2")
    assert refused["outcome"]["issue"][0]["expression"] == ["Patient.gender"]
    return folder / "data"


def test_the_same_load_again_changes_nothing(loaded: Path, folder: Path, hygie: Hygie) -> None:
    _, out, _ = hygie("load", folder / "in" / "patient.json", "--data", loaded)
    assert "0  new\n" in out


def test_an_export_gives_back_one_line_per_resource(
    loaded: Path, folder: Path, hygie: Hygie
) -> None:
    code, out, _ = hygie("export", "--to", folder / "out", "--data", loaded)
    assert (code, "2  resources" in out) == (0, True)
    (patient,) = (folder / "out" / "Patient.ndjson").read_text().splitlines()
    assert json.loads(patient)["birthDate"] == "1959-03-12"
    assert '"value": 1.10' in (folder / "out" / "Observation.ndjson").read_text()
    assert (folder / "out").stat().st_mode & 0o077 == 0


def test_an_export_of_one_type_may_be_compressed(loaded: Path, folder: Path, hygie: Hygie) -> None:
    place = folder / "out"
    options = ("--type", "Patient", "--compress", "--data", loaded)
    assert hygie("export", "--to", place, *options)[0] == 0
    assert {path.name for path in place.iterdir()} == {"Patient.ndjson.gz", "manifest.json"}


def test_nothing_is_exported_over_files(loaded: Path, folder: Path, hygie: Hygie) -> None:
    code, _, err = hygie("export", "--to", folder / "in", "--data", loaded)
    assert (code, "is not empty" in err) == (1, True)


def test_a_path_that_is_not_there_is_refused(folder: Path, hygie: Hygie) -> None:
    code, _, err = hygie("load", folder / "nothing.json", "--data", folder / "data")
    assert (code, "is not there" in err) == (1, True)
    assert not (folder / "data").exists()
