"""Random requests over every route of the machine face, drawn where data stands."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import TypeVar
from urllib.parse import urlencode

from hygie.kernel.fhir.search.registry import Component, Parameter, parameters
from hygie.kernel.store.compose import is_searched
from hygie.testing.differential import hidden
from hygie.testing.differential.asking import Asked, Json, Pairs
from hygie.testing.differential.hidden import Addition
from hygie.testing.differential.population import (
    CITIES,
    CODES,
    ENZO,
    LOINC,
    MAKERS,
    NORA,
    PAUL,
    TYPES,
    observation,
)

RESOURCES = (
    *["Observation"] * 5, *["DocumentReference"] * 4, *["Patient"] * 3, *["Condition"] * 3,
    *["Encounter"] * 2, *["Appointment"] * 2, "CareTeam", "Provenance", "Binary", "Consent", "Task",
    "Practitioner", "Organization", "Flag",
)  # fmt: skip
LIKELY = frozenset(
    {"code", "status", "subject", "patient", "identifier", "date", "name", "family", "_id", "type",
     "value-quantity", "has-member", "performer", "birthdate", "_security", "security-label",
     "_lastUpdated", "category", "author", "actor", "participant", "target", "encounter",
     "onset-date", "address-city", "general-practitioner", "class"}
)  # fmt: skip
PEOPLE = (NORA, PAUL, ENZO, hidden.NEW, "Practitioner/d-petit", "Practitioner/d-roux")
MODIFIERS = {
    "string": ["", "", ":exact", ":contains", ":missing"],
    "token": ["", "", ":not", ":missing", ":text", ":of-type"],
    "reference": ["", "", ":missing", ":Patient", ":identifier"],
    "uri": ["", ":below", ":missing"],
}
TODAY = "2026"
_T = TypeVar("_T")
_MARKS = {f"-{make.__name__[0]}": make(random.Random(0), "", "")["resourceType"] for make in MAKERS}  # noqa: S311
_BACK = (
    "Observation:subject", "Observation:has-member", "Condition:subject", "CareTeam:patient",
    "DocumentReference:subject", "Provenance:target", "Appointment:actor", "Encounter:subject",
    "Observation:encounter", "Observation:performer",
)  # fmt: skip
_VALUES = {
    "string": ["le", "Le Goff", "a", *CITIES],
    "token": ["urn:s|w", "w", "final", "current", "true", "MASQUE_PS", "V", "N", "laboratory",
              f"{LOINC}|", *CODES, *TYPES, "INVISIBLE_PATIENT"],
    "reference": [*PEOPLE, "Observation/d-first", "Encounter/d-hidden", "Organization/d-org"],
    "date": ["2024", "ge2000-01-01", "lt2030", "2024-05-06", "sa2025-06-01", "ge2026"],
    "number": ["1", "gt0"],
    "quantity": ["70", "gt1||kg", "lt50|http://unitsofmeasure.org|kg"],
    "uri": ["urn:x", "http://example.org/profile"],
}  # fmt: skip


class Requests:
    """Draws requests; ``ids`` are those of the population, ``addition`` what is hidden."""

    def __init__(self, seed: int, *, ids: Sequence[str], addition: Addition) -> None:
        self._chance = random.Random(seed)  # noqa: S311 - test data
        self._ids = [*ids, *hidden.IDS * (len(ids) // 4), "d-absent"]
        self._callers = addition.unseen_by
        # Two databases give other ids to what is created: these cannot be sorted alike.
        self._creates = self._chance.random() < 0.6  # noqa: PLR2004
        creating: list[Callable[[str, str], Asked]] = [
            *[self._create] * 2, self._create_unless, self._update_where, *[self._bundle] * 2
        ]  # fmt: skip
        self._shapes: list[Callable[[str, str], Asked]] = [
            *[self._search] * 14, self._search_by_post, *[self._read] * 4, *[self._head] * 1,
            *[self._vread] * 2, *[self._history] * 2, *[self._type_history] * 2, self._all_history,
            *([] if addition.logged else [self._log, self._log]), self._event,
            *[self._update] * 2, self._delete, self._delete_where,
            self._identify, self._read_if_changed, *(creating if self._creates else []),
        ]  # fmt: skip

    def draw(self) -> Asked:
        """Return a request of one of the callers."""
        shape = self._chance.choice(self._shapes)
        return shape(self._chance.choice(self._callers), self._chance.choice(RESOURCES))

    def _id(self) -> str:
        return self._chance.choice(self._ids)

    def _place(self, rt: str) -> str:
        """Return ``Type/id``, mostly of the type that the id is of."""
        rid = self._id()
        if self._chance.random() < 0.8:  # noqa: PLR2004
            rt = next((kind for mark, kind in _MARKS.items() if mark in rid), rt)
        return f"{rt}/{rid}"

    def _search(self, who: str, rt: str) -> Asked:
        return Asked(who, "GET", rt, self._criteria(rt))

    def _search_by_post(self, who: str, rt: str) -> Asked:
        return Asked(who, "POST", f"{rt}/_search", body=urlencode(self._criteria(rt)) or "_count=2")

    def _read(self, who: str, rt: str) -> Asked:
        options: Pairs = self._some([("_elements", "status,code"), ("_summary", "true")], most=1)
        return Asked(who, "GET", self._place(rt), options)

    def _read_if_changed(self, who: str, rt: str) -> Asked:
        since = [("if-none-match", 'W/"1"'), ("if-modified-since", "Wed, 21 Oct 2015 07:28:00 GMT")]
        return Asked(who, "GET", self._place(rt), headers=(self._chance.choice(since),))

    def _head(self, who: str, rt: str) -> Asked:
        return Asked(who, "HEAD", self._place(rt))

    def _vread(self, who: str, rt: str) -> Asked:
        version = self._chance.choice([1, 1, 2, 3])
        return Asked(who, "GET", f"{self._place(rt)}/_history/{version}")

    def _history(self, who: str, rt: str) -> Asked:
        return Asked(who, "GET", f"{self._place(rt)}/_history", self._history_options())

    def _type_history(self, who: str, rt: str) -> Asked:
        return Asked(who, "GET", f"{rt}/_history", self._history_options())

    def _all_history(self, who: str, rt: str) -> Asked:
        del rt
        return Asked(who, "GET", "_history", self._history_options())

    def _log(self, who: str, rt: str) -> Asked:
        del rt
        return Asked(who, "GET", "AuditEvent", self._log_options())

    def _event(self, who: str, rt: str) -> Asked:
        del rt
        return Asked(who, "GET", f"AuditEvent/6475c63f7a000-{self._chance.randrange(40):x}")

    def _create(self, who: str, rt: str) -> Asked:
        del rt
        return Asked(who, "POST", *self._new())

    def _create_unless(self, who: str, rt: str) -> Asked:
        path, _, _, body = self._new()
        del rt
        wanted = self._chance.choice(["common", *self._ids])
        criteria = self._chance.choice([f"identifier=urn:i|{wanted}", f"_id={wanted}"])
        return Asked(who, "POST", path, (), (("if-none-exist", criteria),), body)

    def _update(self, who: str, rt: str) -> Asked:
        path, _, _, body = self._new()
        place = self._place(rt)
        rid = place.partition("/")[2]
        version = self._some([("if-match", f'W/"{self._chance.choice([1, 1, 2, 7])}"')], most=1)
        return Asked(who, "PUT", f"{path}/{rid}", (), version, {**body, "id": rid})

    def _update_where(self, who: str, rt: str) -> Asked:
        path, _, _, body = self._new()
        del rt
        return Asked(who, "PUT", path, (("_id", self._id()),), (), body)

    def _delete(self, who: str, rt: str) -> Asked:
        version = self._some([("if-match", 'W/"1"'), ("if-match", 'W/"7"')], most=1)
        return Asked(who, "DELETE", self._place(rt), headers=version)

    def _delete_where(self, who: str, rt: str) -> Asked:
        criteria = [("_id", self._id()), ("identifier", f"urn:i|{self._id()}")]
        return Asked(who, "DELETE", rt, (self._chance.choice(criteria),))

    def _identify(self, who: str, rt: str) -> Asked:
        del rt
        family = self._chance.choice(["Le Goff", "Martin"])
        asked = {"family": family, "given": "Nora", "birthDate": "1980-02-29",
                 "gender": "female", "birthPlace": "56260"}  # fmt: skip
        parameter = [{"name": name, "valueString": value} for name, value in asked.items()]
        body: Json = {"resourceType": "Parameters", "parameter": parameter}
        return Asked(who, "POST", "Patient/$identify", body=body)

    def _bundle(self, who: str, rt: str) -> Asked:
        """Return a batch or transaction of further requests."""
        kind = self._chance.choice(["batch", "transaction"])
        parts = [self._entry(who, rt) for _ in range(self._chance.randint(1, 4))]
        body: Json = {"resourceType": "Bundle", "type": kind, "entry": parts}
        return Asked(who, "POST", "", body=body)

    def _entry(self, who: str, rt: str) -> Json:
        shapes = [self._search, self._read, self._vread, self._create, self._create_unless,
                  self._update, self._delete, self._delete_where]  # fmt: skip
        asked = self._chance.choice(shapes)(who, rt)
        query = f"?{urlencode(asked.pairs)}" if asked.pairs else ""
        request: Json = {"method": asked.method, "url": f"{asked.path}{query}"}
        names = {"if-none-exist": "ifNoneExist", "if-match": "ifMatch"}
        request |= {names[name]: value for name, value in asked.headers}
        return {"request": request, **({"resource": asked.body} if asked.body else {})}

    def _new(self) -> tuple[str, Pairs, Pairs, Json]:
        chance = self._chance
        make = chance.choice([observation, *MAKERS])
        body = make(chance, "x", chance.choice([NORA, NORA, PAUL, ENZO, hidden.NEW]))
        body["identifier"] = [{"system": "urn:i", "value": chance.choice(["common", "mine"])}]
        del body["id"]
        return body["resourceType"], (), (), body

    def _criteria(self, rt: str) -> Pairs:
        known = [one for one in parameters(rt).values() if is_searched(one)]
        likely = [one for one in known if one.code in LIKELY]
        chosen = self._chance.choice([likely, likely, known])
        pairs = [self._pair(one) for one in self._sample(chosen, [0, 0, 1, 1, 2])]
        return (*pairs, *self._sample(self._options(rt, known), [0, 1, 2, 3]))

    def _pair(self, one: Parameter) -> tuple[str, str]:
        modifier = self._chance.choice(MODIFIERS.get(one.kind, ["", ":missing"]))
        if modifier == ":missing":
            return one.code + modifier, self._chance.choice(["true", "false"])
        return one.code + modifier, ",".join(self._value(one) for _ in range(self._few()))

    def _value(self, one: Parameter | Component) -> str:
        if isinstance(one, Parameter) and one.kind == "composite":
            return "$".join(self._value(part) for part in one.components)
        if one.code in ("_id", "identifier"):
            return self._chance.choice([self._id(), f"urn:i|{self._id()}", "urn:i|common"])
        return self._chance.choice([*_VALUES[one.kind], self._id()])

    def _options(self, rt: str, known: Sequence[Parameter]) -> list[tuple[str, str]]:
        pick = self._chance.choice
        sortable = [one.code for one in known if one.kind in ("date", "string", "number")]
        referring = [one.code for one in known if one.kind == "reference"] or ["subject"]
        sortable += ["_lastUpdated"] if self._creates else ["_id", "_lastUpdated"]
        order = f"{pick(['', '-'])}{pick(sortable)}"
        return [
            ("_count", pick(["0", "1", "1", "2", "3", "50"])),
            ("_total", pick(["none", "accurate", "estimate"])),
            ("_summary", pick(["true", "count", "text", "data"])),
            ("_elements", "status,name"),
            ("_sort", order),
            ("_include", f"{rt}:{pick(referring)}"),
            ("_include", f"{rt}:{pick(referring)}"),
            ("_revinclude", pick(_BACK)),
            ("_revinclude", pick(_BACK)),
            ("_has:Observation:patient:code", pick(CODES)),
            ("patient.name", "Le Goff"),
        ]

    def _history_options(self) -> Pairs:
        options = [("_count", self._chance.choice(["1", "3", "50", "1000"])), ("_since", TODAY)]
        return self._some(options, most=2)

    def _log_options(self) -> Pairs:
        options = [
            ("_count", self._chance.choice(["2", "5", "500"])),
            ("patient", self._chance.choice([NORA, PAUL, ENZO, hidden.NEW])),
            ("agent", self._chance.choice(PEOPLE)),
            ("entity", f"Observation/{self._id()}"),
        ]
        return self._some(options, most=2)

    def _few(self) -> int:
        return self._chance.choice([1, 1, 1, 2, 3])

    def _some(self, options: Sequence[tuple[str, str]], *, most: int) -> Pairs:
        return tuple(self._sample(options, list(range(most + 1))))

    def _sample(self, options: Sequence[_T], sizes: Sequence[int]) -> list[_T]:
        return self._chance.sample(options, min(len(options), self._chance.choice(sizes)))
