"""The tables against the official sets; skipped where these do not stand beside the checkout."""

from __future__ import annotations

import csv
import gzip
import re
from pathlib import Path

from hygie.demo.rows import (
    Acute,
    Disease,
    DocumentKind,
    FollowUp,
    Medicine,
    PanelRule,
    Place,
    PregnancyStep,
    Procedure,
    Profession,
    Stay,
    Treatment,
    Vaccine,
    YearlyVaccine,
)
from hygie.demo.tables import curve, factors, medicine, panel, procedure, profession, rows
from hygie.testing.shared import shared_path


def read(path: Path) -> list[dict[str, str]]:
    data = path.read_bytes()
    text = gzip.decompress(data) if path.suffix == ".gz" else data
    return list(csv.DictReader(text.decode().splitlines()))


def test_medicines_are_marketed_under_their_names() -> None:
    packed = shared_path("data/bdpm/CIS_bdpm.txt.gz").read_bytes()
    lines = [line.split("\t") for line in gzip.decompress(packed).decode().split("\n")]
    names = {line[0]: line[1].strip() for line in lines if "Commercialisée" in line}
    for row in rows("medicines.csv", Medicine):
        assert names[row.cis] == row.name


def test_diagnoses_have_the_code_and_label_of_cim_10() -> None:
    labels = {row["code"]: row["long"] for row in read(shared_path("data/cim10/cim10_fr.csv.gz"))}
    diagnoses = [(row.icd10, row.display) for row in rows("diseases.csv", Disease)]
    diagnoses += [(row.icd10, row.display) for row in rows("acute.csv", Acute)]
    diagnoses += [(row.icd10, row.display) for row in rows("surgeries.csv", Stay)]
    for code, display in diagnoses:
        assert labels[code.replace(".", "")] == display


def test_acts_have_the_code_and_label_of_ccam() -> None:
    acts = read(shared_path("data/ccam_ngap/ccam_v81_acts.csv.gz"))
    labels = {row["code"]: row["label"] for row in acts}
    for row in rows("procedures.csv", Procedure):
        assert labels[row.code] == row.display


def test_documents_and_places_use_the_value_sets_of_ci_sis() -> None:
    codes = {
        (row["value_set"].split("_")[1], row["code"]): row["display_fr"]
        for row in read(shared_path("data/nos_codes/nos_value_sets.csv"))
    }
    for row in rows("documents.csv", DocumentKind):
        assert codes["J07", row.type] == row.type_display
        assert codes["A03", row.class_] == row.class_display
        assert ("J04", row.practice) in codes
    for place in rows("organisations.csv", Place):
        assert codes["J02", place.facility] == place.sector_label
        assert ("J04", place.practice) in codes
    for job in rows("professions.csv", Profession):
        suffix = f"/{job.specialty}" if job.specialty else ""
        assert ("J01", f"G15_{job.profession}{suffix}") in codes


def test_tables_name_what_other_tables_have() -> None:
    modules = {row.module for row in rows("diseases.csv", Disease)}
    for treatment in rows("treatments.csv", Treatment):
        assert treatment.module in modules
        assert all(medicine(key) for key in treatment.medicines.split())
    for rule in rows("panels.csv", PanelRule):
        assert rule.module in modules
        assert panel(rule.panel)
    for visit in rows("follow_up.csv", FollowUp):
        assert visit.module in modules
        assert profession(visit.role)
        assert all(procedure(code) for code in visit.procedures.split())
    for disease in rows("diseases.csv", Disease):
        assert set(factors(disease.risks)) <= modules


def test_prevalence_never_falls_with_age() -> None:
    for row in rows("diseases.csv", Disease):
        shares = [share for _, share in curve(row.onset)]
        assert shares == sorted(shares)


def test_vaccines_and_pregnancy_use_known_medicines_and_acts() -> None:
    calendar: list[Vaccine | YearlyVaccine] = list(rows("vaccines.csv", Vaccine))
    calendar += rows("yearly_vaccines.csv", YearlyVaccine)
    for row in calendar:
        assert row.valid_from <= row.valid_to
        assert all(medicine(key) for key in row.medicines.split())
    for step in rows("pregnancy.csv", PregnancyStep):
        if step.kind in {"procedure", "birth"}:
            assert procedure(step.what)
        if step.kind in {"medicine", "vaccine"}:
            assert re.fullmatch(r"[A-Z0-9]{7}", medicine(step.what.split(":")[0]).atc)
