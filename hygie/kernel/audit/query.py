"""Search parameters of AuditEvent, as SQL on the access log (FHIR R4, auditevent.html#search)."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from datetime import tzinfo
from typing import Any

from hygie.kernel.audit.balp import interactions_of
from hygie.kernel.audit.trace import of_application
from hygie.kernel.clock import Clock
from hygie.kernel.errors import Forbidden, InvalidRequest, NotSupported
from hygie.kernel.fhir.names import type_number
from hygie.kernel.fhir.search.references import localise
from hygie.kernel.fhir.search.values import (
    approximate_date,
    parse_date,
    parse_reference,
    parse_token,
    split_or,
)
from hygie.kernel.security.caller import Caller, Kind
from hygie.kernel.security.labels import Label
from hygie.kernel.security.relations import Relation

KeyOf = Callable[[str], tuple[uuid.UUID, str | None]]
"""From a logical id to its key in the store, and the id itself where it is no UUID."""

_ACTIONS = "http://hl7.org/fhir/audit-event-action"
_OUTCOMES = "http://terminology.hl7.org/CodeSystem/audit-event-outcome"
_STATUS = {
    "0": "t.outcome < 400",
    "4": "t.outcome BETWEEN 400 AND 499",
    "8": "t.outcome >= 500",
    "12": "FALSE",
}
_DATES = {
    "eq": "t.at >= {low} AND t.at < {high}",
    "ne": "NOT (t.at >= {low} AND t.at < {high})",
    "gt": "t.at >= {high}",
    "sa": "t.at >= {high}",
    "lt": "t.at < {low}",
    "eb": "t.at < {low}",
    "ge": "t.at >= {low}",
    "le": "t.at < {high}",
    "ap": "t.at >= {low} AND t.at < {high}",
}
_CODES = ("C", "R", "U", "D", "E")
REFUSED = 400
"""The lowest status of a refusal."""
_UNNAMED = int(Label.HIDDEN_FROM_PATIENT)
# Parents of a minor, guardians and who manages the record; hidden labels of then and of now.
_REPRESENTED = f"""
(t.label | coalesce(label_now(t.rt, t.uid), 0)) & {int(Label.HIDDEN_FROM_REPRESENTATIVES)} = 0
AND NOT (t.party = {{me}} AND t.outcome >= {REFUSED})
AND t.pat IN (
  SELECT c.pat FROM care_relation c
  WHERE c.member = {{me}} AND now() >= c.starts AND now() < c.ends
    AND (c.kind IN ({int(Relation.GUARDIAN)}, {int(Relation.MANAGES)})
      OR (c.kind = {int(Relation.PARENT)} AND EXISTS (
        SELECT 1 FROM care_relation m
        WHERE m.pat = c.pat AND m.member = 0 AND m.kind = {int(Relation.MINOR)}
          AND now() >= m.starts AND now() < m.ends))))
"""


def is_unnamed(label: int) -> bool:
    """Return whether a resource with these labels is not named to the person it is about.

    >>> is_unnamed(16), is_unnamed(8)
    (True, False)
    """
    return bool(label & Label.HIDDEN_FROM_PATIENT)


class Where:
    """The conditions of one search and the values bound to them."""

    def __init__(self, *, base: str, key_of: KeyOf, zone: tzinfo, clock: Clock) -> None:
        self.values: list[Any] = []
        self._conditions: list[str] = []
        self._base = base
        self._key_of = key_of
        self._zone = zone
        self._clock = clock
        self._unnamed = False
        self._untold = "TRUE"
        self._readers = {
            "patient": self._patient,
            "agent": self._agent,
            "entity": self._entity,
            "action": self._action,
            "outcome": self._outcome,
            "date": self._date,
            "altid": self._application,
        }

    def bind(self, value: object) -> str:
        """Bind a value and return its placeholder."""
        self.values.append(value)
        return f"${len(self.values)}"

    def add(self, condition: str) -> None:
        """Add a condition to the others."""
        self._conditions.append(condition)

    def permit(self, caller: Caller) -> None:
        """Narrow to what the caller may read.

        A person reads what was done to their data, and to that of people they represent now, but
        for what is hidden from representatives and what they were refused themselves; a
        professional reads their own acts, ``system`` reads all.

        Raises:
            Forbidden: this kind of caller reads no access log.
        """
        if caller.kind == Kind.PATIENT:
            self._unnamed = True
            me = f"{self.bind(caller.party)}::integer"
            own = f"t.pat = {me} OR t.pats @> ARRAY[{me}]"
            self.add(f"{own} OR ({_REPRESENTED.format(me=me)})")
        elif caller.kind == Kind.PROFESSIONAL:
            self.add(f"t.party = {self.bind(caller.party)}::integer")
            # Whose it was that they were refused, the log knows and they do not.
            self._untold = f"t.outcome < {REFUSED}"
        elif caller.kind != Kind.SYSTEM:
            raise Forbidden("Your account gives no right to read the access log.")

    def only(self, party: int) -> None:
        """Narrow to what was done to the data of one person, and not of whom they represent."""
        one = f"{self.bind(party)}::integer"
        self.add(f"t.pat = {one} OR t.pats @> ARRAY[{one}]")

    def search(self, parameters: Sequence[tuple[str, str]]) -> None:
        """Add the conditions of search parameters.

        Raises:
            NotSupported: the access log has no such parameter.
            InvalidRequest: a value cannot be read.
        """
        for name, text in parameters:
            reader = self._readers.get(name)
            if reader is None:
                known = ", ".join(self._readers)
                raise NotSupported(f"AuditEvent has no parameter {name} here; it has {known}.")
            self.add(" OR ".join(f"({reader(part)})" for part in split_or(text)))

    def __str__(self) -> str:
        return " AND ".join(f"({condition})" for condition in self._conditions) or "TRUE"

    def _reference(self, text: str, name: str) -> tuple[str | None, str]:
        """Return the type (None where it is not said) and the id of a resource of this server."""
        reference = localise(parse_reference(text, name), base=self._base)
        if reference.id is None or reference.url is not None:
            raise InvalidRequest(f"{name} names a resource of this server, such as Patient/123.")
        return reference.type, reference.id

    def _patient(self, text: str) -> str:
        kind, rid = self._reference(text, "patient")
        return self._is_patient(rid) if kind in (None, "Patient") else "FALSE"

    def _is_patient(self, rid: str) -> str:
        number = self.bind(type_number("Patient"))
        uid = self.bind(self._key_of(rid)[0])
        one = f"(SELECT num FROM party WHERE rt = {number}::smallint AND uid = {uid}::uuid)"
        return f"(t.pat = {one} OR t.pats @> ARRAY[{one}]) AND {self._untold}"

    def _agent(self, text: str) -> str:
        kind, rid = self._reference(text, "agent")
        if kind:
            return f"t.agent = {self.bind(f'{kind}/{rid}')}"
        one = self.bind(rid)
        return f"t.agent = {one} OR split_part(t.agent, '/', 2) = {one}"

    def _application(self, text: str) -> str:
        """Return the condition on what an application did, by its client id."""
        client = parse_token(text, "altid").code or ""
        return f"t.detail = {self.bind(of_application(client))}"

    def _entity(self, text: str) -> str:
        kind, rid = self._reference(text, "entity")
        if kind is None:
            raise InvalidRequest("entity is written Type/id, such as Observation/123.")
        number = self.bind(type_number(kind))
        uid = self.bind(self._key_of(rid)[0])
        entity = f"t.rt = {number}::smallint AND t.uid = {uid}::uuid"
        if self._unnamed:  # who is not told the name of a resource cannot ask by it either
            named = f"coalesce(label_now(t.rt, t.uid), t.label) & {_UNNAMED} = 0"
            entity += f" AND {named}"
        if kind == "Patient":
            return f"({entity}) OR {self._is_patient(rid)}"
        return entity

    def _action(self, text: str) -> str:
        code = _code(text, "action", system=_ACTIONS, codes=_CODES)
        if code != "E":
            return f"t.interaction = ANY ({self.bind(interactions_of(code))}::text[])"
        others = [name for other in _CODES[:4] for name in interactions_of(other)]
        return f"t.interaction <> ALL ({self.bind(others)}::text[])"

    def _outcome(self, text: str) -> str:
        return _STATUS[_code(text, "outcome", system=_OUTCOMES, codes=tuple(_STATUS))]

    def _date(self, text: str) -> str:
        value = parse_date(text, "date", zone=self._zone)
        low, high = value.low, value.high
        if value.prefix == "ap":
            low, high = approximate_date(value, now=self._clock.now())
        places = {
            name: f"{self.bind(bound)}::timestamptz"
            for name, bound in (("low", low), ("high", high))
            if f"{{{name}}}" in _DATES[value.prefix]
        }
        return _DATES[value.prefix].format(**places)


def _code(text: str, name: str, *, system: str, codes: Sequence[str]) -> str:
    token = parse_token(text, name)
    if token.system in (None, "", system) and token.code in codes:
        return token.code or ""
    raise InvalidRequest(f"{name} is one of {', '.join(codes)}.")
