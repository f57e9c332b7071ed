"""The register of processing, the outbound flows, and plain names of resource types."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from hygie.kernel.security.dated import DatedTable, load

PACKAGE = "hygie.domains.rights"


@dataclass(frozen=True, slots=True)
class Activity:
    """One processing activity (GDPR, article 30); texts by language, ``fr`` and ``en``."""

    key: str
    purpose: Mapping[str, str]
    basis: Mapping[str, str]
    people: Mapping[str, str]
    categories: Mapping[str, str]
    recipients: Mapping[str, str]
    retention: str


@dataclass(frozen=True, slots=True)
class Flow:
    """One connection that Hygie can make to another machine, once somebody switches it on.

    Attributes:
        key: its name.
        modules: the Python modules that open it.
        setting: field of the settings that switches it on.
    """

    key: str
    modules: tuple[str, ...]
    setting: str
    recipient: Mapping[str, str]
    country: str
    data: Mapping[str, str]
    basis: Mapping[str, str]
    switch: Mapping[str, str]


@cache
def activities() -> DatedTable[Activity]:
    """Return the processing activities of Hygie."""
    return load(PACKAGE, "definitions/processing.csv", key=("activity",), make=_activity)


@cache
def flows() -> DatedTable[Flow]:
    """Return the optional outbound flows."""
    return load(PACKAGE, "definitions/flows.csv", key=("flow",), make=_flow)


@cache
def resource_labels() -> Mapping[str, Mapping[str, str]]:
    """Return the plain name of each resource type, by language."""
    text = files(PACKAGE).joinpath("definitions/resource_labels.csv").read_text("utf-8")
    return {row["type"]: row for row in csv.DictReader(text.splitlines())}


def resource_label(rt: str, language: str) -> str:
    """Return the plain name of a type, the type itself where it has none.

    >>> resource_label("Immunization", "fr"), resource_label("Basic", "fr")
    ('Vaccinations', 'Basic')
    """
    found = resource_labels().get(rt)
    return found[language] if found else rt


def _activity(row: Mapping[str, str]) -> Activity:
    return Activity(
        row["activity"],
        _both(row, "purpose"),
        _both(row, "basis"),
        _both(row, "people"),
        _both(row, "categories"),
        _both(row, "recipients"),
        row["retention"],
    )


def _flow(row: Mapping[str, str]) -> Flow:
    return Flow(
        row["flow"],
        tuple(row["modules"].split()),
        row["setting"],
        _both(row, "recipient"),
        row["country"],
        _both(row, "data"),
        _both(row, "basis"),
        _both(row, "switch"),
    )


def _both(row: Mapping[str, str], name: str) -> dict[str, str]:
    return {"fr": row[f"{name}_fr"], "en": row[f"{name}_en"]}
