"""A record leaves one installation and enters another from the command line."""

from __future__ import annotations

import stat
from pathlib import Path
from zipfile import ZipFile

import msgspec

from hygie.commands.tests.conftest import Hygie
from hygie.testing.stories import NORA, diabetic_woman

_ENCODER = msgspec.json.Encoder(decimal_format="number")


def _load(folder: Path, hygie: Hygie) -> None:
    file = folder / "nora.ndjson"
    file.write_bytes(b"".join(_ENCODER.encode(one) + b"\n" for one in diabetic_woman()))
    hygie("load", file, "--data", folder / "here")


def test_a_record_is_exported_looked_at_and_brought_elsewhere(folder: Path, hygie: Hygie) -> None:
    _load(folder, hygie)
    file, here, there = folder / "nora.zip", folder / "here", folder / "there"
    code, out, _ = hygie("export-person", NORA, "--to", file, "--data", here)
    assert code == 0
    assert "resources" in out
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert "fhir/Patient.ndjson" in ZipFile(file).namelist()
    code, _, err = hygie("export-person", NORA, "--to", file, "--data", here)
    assert (code, "exists already" in err) == (1, True)
    hygie("migrate", "--data", there)
    code, out, _ = hygie("import-person", file, "--data", there)
    assert (code, "Nothing was written" in out) == (0, True)
    code, out, _ = hygie("import-person", file, "--apply", "--data", there)
    assert (code, "resources written" in out) == (0, True)
    code, out, _ = hygie("import-person", file, "--apply", "--data", there)
    assert (code, "0  resources written" in out) == (0, True)


def test_a_patient_nobody_knows_is_refused_and_leaves_no_file(folder: Path, hygie: Hygie) -> None:
    hygie("migrate", "--data", folder)
    file = folder / "x.zip"
    code, _, err = hygie("export-person", "nobody", "--to", file, "--data", folder)
    assert (code, "not known" in err, file.exists()) == (1, True, False)


def test_a_breach_is_drafted_from_the_log(folder: Path, hygie: Hygie) -> None:
    _load(folder, hygie)
    here, file = folder / "here", folder / "nora.zip"
    hygie("export-person", NORA, "--to", file, "--data", here)
    period = ("--from", "2020-01-01T00:00", "--to", "2099-01-01T00:00")
    code, out, _ = hygie("breach-report", *period, "--language", "en", "--data", here)
    assert code == 0
    assert "Likely consequences" in out
    assert "| 1 |" in out
    wrong = ("--from", "yesterday", "--to", "2099-01-01")
    code, _, err = hygie("breach-report", *wrong, "--data", here)
    assert (code, "is no instant" in err) == (1, True)
