"""A request of a person about their data, and the states it goes through."""

from __future__ import annotations

import enum
from dataclasses import dataclass, replace

from hygie.domains.rights.model.retention import Verdict
from hygie.kernel.errors import Conflict

CODES = "https://hygie.example.org/fhir/CodeSystem/rights"
"""Code system of ``Task.code`` for requests under the GDPR."""


class Right(enum.StrEnum):
    """What is asked; the values are codes of ``CODES``."""

    RECTIFICATION = "rectification"
    ERASURE = "erasure"


class State(enum.StrEnum):
    """Where a request stands; the values are codes of ``Task.status`` (FHIR R4, task.html)."""

    REQUESTED = "requested"
    COMPLETED = "completed"
    REJECTED = "rejected"
    CANCELLED = "cancelled"


NEXT: dict[State, frozenset[State]] = {
    State.REQUESTED: frozenset({State.COMPLETED, State.REJECTED, State.CANCELLED}),
    State.COMPLETED: frozenset(),
    State.REJECTED: frozenset(),
    State.CANCELLED: frozenset(),
}
"""Allowed changes."""


@dataclass(frozen=True, slots=True)
class Request:
    """One request.

    Attributes:
        id: id of the Task, empty before it is stored.
        right: what is asked.
        state: where it stands.
        patient: id of the Patient it is about.
        requester: reference of who asked.
        focus: reference of the item it is about, empty where it is about the whole record.
        wish: the words of the person.
        answer: the words of who answered, empty before.
        asked: day of the request, ISO 8601.
        answered: day of the answer, empty before.
        owner: reference of who is to answer, empty where anybody of the care team may.
        version: version of the Task, for the answer to be about what was read.
        verdicts: of an erasure that was answered, what was decided of each part.
    """

    id: str
    right: Right
    state: State
    patient: str
    requester: str
    focus: str
    wish: str
    answer: str = ""
    asked: str = ""
    answered: str = ""
    owner: str = ""
    version: int = 0
    verdicts: tuple[Verdict, ...] = ()

    @property
    def open(self) -> bool:
        """Tell whether it waits for an answer."""
        return self.state == State.REQUESTED


def answered(request: Request, state: State, *, answer: str, day: str) -> Request:
    """Return the request with its answer.

    Raises:
        Conflict: it was answered before.
    """
    if state not in NEXT[request.state]:
        raise Conflict("This request was already answered. Read its answer.")
    return replace(request, state=state, answer=answer, answered=day)
