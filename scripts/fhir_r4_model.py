"""Turn a StructureDefinition snapshot into the classes and fields that will be generated."""

from __future__ import annotations

import keyword
from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]

FHIR_TYPE = "http://hl7.org/fhir/StructureDefinition/structuredefinition-fhir-type"
STEM = "http://hl7.org/fhir/StructureDefinition/"
PRIMITIVES = {
    "base64Binary": "p.Base64",
    "boolean": "bool",
    "canonical": "p.Uri",
    "code": "p.Code",
    "date": "p.Date",
    "dateTime": "p.DateTime",
    "decimal": "Decimal",
    "id": "p.Id",
    "instant": "p.Instant",
    "integer": "p.Integer",
    "markdown": "p.String",
    "oid": "p.Oid",
    "positiveInt": "p.PositiveInt",
    "string": "p.String",
    "time": "p.Time",
    "unsignedInt": "p.UnsignedInt",
    "uri": "p.Uri",
    "url": "p.Uri",
    "uuid": "p.Uuid",
    "xhtml": "p.Xhtml",
}


@dataclass
class Field:
    """One JSON member. ``fhir`` is the FHIR type, or the class of a backbone.

    ``kept``: a partial answer keeps it, because it is mandatory or a modifier.
    """

    json: str
    element: str
    fhir: str
    primitive: bool
    extensible: bool
    many: bool
    required: bool
    summary: bool = False
    kept: bool = False
    choice: bool = False
    targets: tuple[str, ...] = ()
    binding: str | None = None

    @property
    def attribute(self) -> str:
        """The Python name: the JSON name, with an underscore behind a keyword."""
        return self.json + "_" if keyword.iskeyword(self.json) else self.json

    @property
    def members(self) -> tuple[str, ...]:
        """The JSON names: the element's, and its sibling's if it may be extended."""
        return (self.json, f"_{self.json}") if self.extensible else (self.json,)

    @property
    def extension(self) -> str:
        """The Python name of the sibling that carries a primitive's extensions."""
        return f"{self.attribute.rstrip('_')}_ext"


@dataclass
class Class:
    """A type, or a backbone inside one; ``fields`` holds all, ``inherited`` the base's names."""

    name: str
    base: str | None
    tag: str | None
    fields: list[Field] = field(default_factory=list)
    inherited: set[str] = field(default_factory=set)
    required_choices: set[str] = field(default_factory=set)

    def choices(self) -> dict[str, list[Field]]:
        """Return the fields of each choice element by its name without ``[x]``."""
        found: dict[str, list[Field]] = {}
        for one in self.fields:
            if one.choice:
                found.setdefault(one.element, []).append(one)
        return found


def classes(structure: Json) -> list[Class]:
    """Return the classes of one structure, inner ones first."""
    elements = structure["snapshot"]["element"]
    name = structure["id"]
    parents = {e["path"].rsplit(".", 1)[0] for e in elements if "." in e["path"]}
    base = structure.get("baseDefinition", "").removeprefix(STEM) or None
    is_resource = structure["kind"] == "resource" and not structure["abstract"]
    made = {name: Class(name, base, name if is_resource else None)}
    for element in elements:
        path = element["path"]
        if path != name and path in parents:
            made[path] = Class(_class_name(path), element["type"][0]["code"], None)
    for element in elements:
        if "." in element["path"] and element["max"] != "0":
            _add(made, element, backbone=element["path"] in parents)
    return list(reversed(made.values()))


def _class_name(path: str) -> str:
    return "".join(part[0].upper() + part[1:] for part in path.split("."))


def _add(made: dict[str, Class], element: Json, *, backbone: bool) -> None:
    path = element["path"]
    owner = made[path.rsplit(".", 1)[0]]
    name = path.rsplit(".", 1)[1]
    if backbone or "contentReference" in element:
        target = element.get("contentReference", f"#{path}").rpartition("#")[2]
        kind = _class_name(target)
        owner.fields.append(_field(element, name, kind, {}))
    elif name.endswith("[x]"):
        stem = name[:-3]
        if element["min"]:
            owner.required_choices.add(stem)
        for kind in element["type"]:
            code = kind["code"]
            one = _field(element, stem + code[0].upper() + code[1:], code, kind)
            one.choice, one.element, one.required = True, stem, False
            owner.fields.append(one)
    else:
        kind = element["type"][0]
        owner.fields.append(_field(element, name, _code(kind), kind))


def _code(kind: Json) -> str:
    for extension in kind.get("extension", ()):
        if extension["url"] == FHIR_TYPE:
            return str(extension.get("valueUrl") or extension["valueUri"])
    return str(kind["code"])


def _field(element: Json, name: str, fhir: str, kind: Json) -> Field:
    binding = element.get("binding", {})
    system = str(kind.get("code", "")).startswith("http://hl7.org/fhirpath/")
    return Field(
        json=name,
        element=name,
        fhir="id" if element.get("base", {}).get("path") == "Resource.id" else fhir,
        primitive=fhir in PRIMITIVES,
        extensible=fhir in PRIMITIVES and not system and fhir != "xhtml",
        many=element["max"] != "1",
        required=element["min"] > 0,
        summary=element.get("isSummary", False),
        kept=element["min"] > 0 or element.get("isModifier", False),
        targets=tuple(url.removeprefix(STEM) for url in kind.get("targetProfile", ())),
        binding=binding["valueSet"] if binding.get("strength") == "required" else None,
    )
