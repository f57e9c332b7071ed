"""One write on its way to the database, and what may become of it."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from hygie.kernel.errors import (
    Conflict,
    Forbidden,
    HygieError,
    NotFound,
    PreconditionFailed,
)
from hygie.kernel.fhir.names import type_number
from hygie.kernel.security.caller import Access, Caller, Kind
from hygie.kernel.security.labels import NO_LABEL, Label
from hygie.kernel.security.policies import Moves
from hygie.kernel.store.ids import key_of
from hygie.kernel.store.labels import codes_of
from hygie.kernel.store.prepare import Prepared
from hygie.kernel.store.reach import reaching
from hygie.kernel.store.tracing import Request

Method = Literal["create", "update", "delete", "relabel"]


@dataclass(frozen=True, slots=True)
class Change:
    """A create, update or delete of one resource, or an update of its labels alone.

    ``prepared`` is None for a delete. ``if_match`` is the version the writer believes current.
    ``withdraws`` tells that what stood before was wrong: earlier versions are withdrawn, as by a
    delete. ``lifts`` are labels to lift that reached the resource from what is gone.
    """

    access: Access
    request: Request
    method: Method
    rt: str
    rid: str
    prepared: Prepared | None = None
    if_match: int | None = None
    withdraws: bool = False
    lifts: Label = NO_LABEL

    @property
    def place(self) -> tuple[int, uuid.UUID]:
        """Return the key in ``resource_key``."""
        return type_number(self.rt), key_of(self.rid)[0]


@dataclass(frozen=True, slots=True)
class Current:
    """What stands in the store now, locked; ``ver`` is the last version, a deletion included.

    ``author`` is the party that its content names as such. ``label`` are its labels and
    ``own_label`` those that did not reach it from elsewhere.
    ``read_rule``, ``write_rule`` and ``relabel_rule`` name the rules that permit the caller, None
    where none does; the last one permits the very labels that the change moves.
    """

    key: int
    part: int
    deleted: bool
    former: tuple[int, ...]
    ver: int
    upd: datetime
    pat: int | None
    label: int
    own_label: int
    read_rule: str | None
    write_rule: str | None
    relabel_rule: str | None = None
    author: int | None = None


@dataclass(frozen=True, slots=True)
class Permit:
    """A change that will be made; ``rule`` permits it, ``current`` is None for a new id."""

    change: Change
    caller: Caller
    current: Current | None
    rule: str

    @property
    def version(self) -> int:
        """Return the number of the version this change makes."""
        return self.current.ver + 1 if self.current else 1

    @property
    def creates(self) -> bool:
        """Tell whether the resource did not exist before, or was deleted."""
        return self.current is None or self.current.deleted


@dataclass(frozen=True, slots=True)
class Nothing:
    """A change that has no effect: deleting what is already deleted."""

    change: Change
    current: Current
    rule: str


def moved_labels(change: Change, current: Current | None) -> Moves:
    """Return the labels that a change adds to a resource and removes from it.

    One that is lifted moves as a label of its own does.
    """
    if current is None or change.prepared is None:
        return Moves()
    own = Moves.between(reaching(current.own_label), reaching(change.prepared.indexed.label))
    return Moves(own.adds, own.removes | change.lifts)


def check_change(
    change: Change,
    caller: Caller,
    current: Current | None,
    new_rule: str | None,
) -> Permit | Nothing:
    """Return what to do with a change.

    Hidden and absent answer alike; a resource that may be read but not changed is refused openly.

    Raises:
        NotFound: there is nothing the caller may know of.
        Forbidden: the caller may not write this resource, or not with this content or these labels.
        PreconditionFailed: ``If-Match`` names another version.
        Conflict: the id of a create is taken.
    """
    if current is None:
        return _check_new(change, caller, new_rule)
    _check_known(change, current)
    if change.method == "relabel":
        rule = _check_labels(change, current)
        _check_version(change, current)
        return Permit(change, caller, current, rule)
    if current.write_rule is None:
        raise Forbidden(f"Your account may read {change.rt}/{change.rid} but not change it.")
    _check_version(change, current)
    if change.method == "delete" and current.deleted:
        return Nothing(change, current, current.write_rule)
    if change.method == "delete":
        return Permit(change, caller, current, current.write_rule)
    if moved_labels(change, current):
        _check_labels(change, current)
    return Permit(change, caller, current, _content_rule(new_rule))


def _check_known(change: Change, current: Current) -> None:
    if current.read_rule is None or (change.method == "relabel" and current.deleted):
        raise NotFound(f"{change.rt}/{change.rid} is not known here.")


def _check_version(change: Change, current: Current) -> None:
    if change.method == "create":
        raise Conflict(f"The id of {change.rt}/{change.rid} is taken; retry.")
    if change.if_match is not None and (current.deleted or change.if_match != current.ver):
        raise PreconditionFailed(
            f"If-Match names version {change.if_match} and the current one is {current.ver}: "
            "read it again, then repeat your change."
        )


def _check_labels(change: Change, current: Current) -> str:
    """Return the rule that lets the caller change the labels that the change moves."""
    if current.relabel_rule is None:
        raise Forbidden(
            f"Your account may not {told(moved_labels(change, current))} {change.rt}/{change.rid}: "
            "leave the confidentiality labels it has as they are, or ask its author."
        )
    return current.relabel_rule


def told(moves: Moves) -> str:
    """Return moves of labels in words, such as ``add MASQUE_PS to``.

    >>> told(Moves())
    'change the labels of'
    """
    ways = [("add", moves.adds, "to"), ("remove", moves.removes, "from")]
    said = [f"{verb} {', '.join(codes_of(one))} {to}" for verb, one, to in ways if one]
    return " or ".join(said) or "change the labels of"


def _check_new(change: Change, caller: Caller, new_rule: str | None) -> Permit:
    if change.method == "create":
        return Permit(change, caller, None, _content_rule(new_rule))
    if change.method == "delete" or caller.kind != Kind.SYSTEM:
        raise NotFound(f"{change.rt}/{change.rid} is not known here.")
    if change.if_match is not None:
        raise PreconditionFailed("If-Match names a version and the resource does not exist.")
    return Permit(change, caller, None, _content_rule(new_rule))


def _content_rule(rule: str | None) -> str:
    if rule is None:
        raise Forbidden("Your account may not write this: it is about no patient of yours.")
    return rule


Effect = Permit | Nothing | HygieError
