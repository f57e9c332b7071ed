"""``hygie annuaire import``: counts, the report of refused lines, the exit code."""

from __future__ import annotations

import json
from pathlib import Path

from hygie.commands.tests.conftest import Hygie
from hygie.domains.annuaire.tests.conftest import IRIS, TOM, extraction


def test_an_import_tells_its_counts_and_each_refused_line(folder: Path, hygie: Hygie) -> None:
    path = extraction(folder, [IRIS, {**TOM, "profession": "999"}])
    report = folder / "report.ndjson"
    where = ("--data", folder / "data", "--report", report)
    code, out, err = hygie("annuaire", "import", path, "--on", "2026-11-02", *where)
    assert code == 1
    assert "1  lines taken" in out
    assert "1  lines refused" in out
    assert "1  new Practitioner" in out
    assert "line 3: profession 999" in err
    told = [json.loads(line) for line in report.read_text("utf-8").splitlines()]
    assert [one["line"] for one in told if one["refused"]] == [3]


def test_a_file_that_is_none_is_refused(folder: Path, hygie: Hygie) -> None:
    (folder / "x.csv").write_text("a;b\n", "utf-8")
    where = ("--data", folder / "data")
    code, _, err = hygie("annuaire", "import", folder / "x.csv", *where)
    assert code == 1
    assert "none of the extractions" in err
