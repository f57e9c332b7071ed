"""The tree of errors: each says what happened and what to do, never a person's data.

Each class carries the HTTP status of RFC 9110 and the ``issue.code`` of the FHIR value set
``http://hl7.org/fhir/issue-type``. They are caught once, at the edge (``api``, ``pages``,
``jobs``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

Severity = Literal["fatal", "error", "warning", "information"]


@dataclass(frozen=True, slots=True)
class Issue:
    """One line of an OperationOutcome (FHIR R4, operationoutcome.html).

    ``expression`` is a FHIRPath to the faulty element, such as ``Patient.name[0].family``, or
    None when the fault has no place in a resource.
    """

    code: str
    diagnostics: str
    expression: str | None = None
    severity: Severity = "error"


class HygieError(Exception):
    """An expected refusal, with the sentence that is shown to the caller."""

    status: ClassVar[int] = 500
    code: ClassVar[str] = "exception"

    def __init__(
        self, sentence: str, *, expression: str | None = None, issues: Sequence[Issue] = ()
    ) -> None:
        super().__init__(sentence)
        self.issues = tuple(issues) or (Issue(self.code, sentence, expression),)


class Malformed(HygieError):
    """The request cannot be read: bad JSON, duplicate keys, wrong types, an unknown element.

    Correct the text and retry.
    """

    status = 400
    code = "structure"


class InvalidRequest(HygieError):
    """The request can be read but a parameter, a header or an address is wrong.

    Correct the one that the sentence names.
    """

    status = 400
    code = "invalid"


class NotSupported(HygieError):
    """The request asks for a feature Hygie does not offer.

    Look for another way in the CapabilityStatement.
    """

    status = 400
    code = "not-supported"


class Unprocessable(HygieError):
    """The resource breaks a rule of FHIR or of a profile.

    Correct the element that ``expression`` points at.
    """

    status = 422
    code = "invariant"


class Unauthenticated(HygieError):
    """No valid bearer token or session came with the request.

    Sign in, or ask for a new token.
    """

    status = 401
    code = "login"


class Forbidden(HygieError):
    """The caller is known and this is refused to them.

    Use an account that has the right.
    """

    status = 403
    code = "forbidden"


class NotFound(HygieError):
    """Nothing visible to this caller is there; hidden and absent answer alike.

    Check the address, and who you are.
    """

    status = 404
    code = "not-found"


class Gone(HygieError):
    """The resource was deleted; only who could see it learns so.

    Read an earlier version in its history.
    """

    status = 410
    code = "deleted"


class MethodNotAllowed(HygieError):
    """The interaction does not exist on this path.

    Look for the interaction in the CapabilityStatement.
    """

    status = 405
    code = "not-supported"


class NotAcceptable(HygieError):
    """None of the formats the caller accepts is offered.

    Accept ``application/fhir+json``.
    """

    status = 406
    code = "not-supported"


class UnsupportedMediaType(HygieError):
    """The body is in a format that is not read here.

    Send ``application/fhir+json``; a search by POST sends a form.
    """

    status = 415
    code = "not-supported"


class Conflict(HygieError):
    """The write contradicts what is stored.

    Read again and retry.
    """

    status = 409
    code = "conflict"


class PreconditionFailed(HygieError):
    """``If-Match`` names another version, or a conditional request found several matches.

    Read again, or make the criteria select one resource.
    """

    status = 412
    code = "conflict"


class TooLarge(HygieError):
    """The body or the answer is over a limit.

    Split the request.
    """

    status = 413
    code = "too-long"


class TooCostly(HygieError):
    """The search would cost too much.

    Narrow it.
    """

    status = 400
    code = "too-costly"


class Unavailable(HygieError):
    """A part needed to answer safely is not ready.

    Retry in a few seconds; after a write, read first.
    """

    status = 503
    code = "transient"


class ConfigurationError(HygieError):
    """The settings contradict each other or are unsafe outside demonstration mode.

    Change the setting that the sentence names.
    """

    code = "exception"
