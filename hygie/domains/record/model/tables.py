"""The dated tables of ``definitions``, read once."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

from hygie.domains.record.model.vaccines import Rule

CALENDAR = "vaccines_2024.csv"


def _rows(name: str) -> list[dict[str, str]]:
    text = files("hygie.domains.record").joinpath("definitions", name).read_text(encoding="utf-8")
    return list(csv.DictReader(io.StringIO(text)))


@cache
def measures() -> Mapping[str, dict[str, str]]:
    """Return the quantities of the summary by LOINC code."""
    return {row["code"]: row for row in _rows("measures.csv")}


@cache
def absences() -> Mapping[tuple[str, str], tuple[str, str]]:
    """Return (section, scope) by (system, code) of the codes that state an absence."""
    return {
        (row["system"], row["code"]): (row["section"], row["scope"]) for row in _rows("absence.csv")
    }


@cache
def antigens() -> Mapping[tuple[str, str], frozenset[str]]:
    """Return the antigens by (system, code) of a vaccine or of a target disease."""
    rows = _rows("vaccine_codes.csv")
    return {(row["system"], row["code"]): frozenset(row["antigens"].split()) for row in rows}


@cache
def calendar() -> tuple[Rule, ...]:
    """Return the vaccination calendar in force."""
    return tuple(
        Rule(
            id=row["id"],
            antigen=row["antigen"],
            label_fr=row["label_fr"],
            label_en=row["label_en"],
            from_month=int(row["from_month"]),
            until_month=int(row["until_month"]) if row["until_month"] else None,
            doses_by_month=tuple(int(month) for month in row["doses_by_month"].split()),
            repeat_years=int(row["repeat_years"]) if row["repeat_years"] else None,
        )
        for row in _rows(CALENDAR)
    )
