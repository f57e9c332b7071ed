"""The tree of errors: each says what happened and what to do, never a person's data.

Each class carries the HTTP status of RFC 9110 and the ``issue.code`` of the FHIR value set
``http://hl7.org/fhir/issue-type``. They are caught once, at the edge (``api``, ``pages``, ``jobs``).
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
    """The request cannot be read: bad JSON, duplicate keys, wrong types. Correct it and retry."""

    status = 400
    code = "structure"


class InvalidRequest(HygieError):
    """The request can be read but a parameter or header is wrong."""

    status = 400
    code = "invalid"


class NotSupported(HygieError):
    """The request asks for a feature Hygie does not offer; the CapabilityStatement agrees."""

    status = 400
    code = "not-supported"


class Unprocessable(HygieError):
    """The resource breaks a rule of FHIR or of a profile."""

    status = 422
    code = "invariant"


class Unauthenticated(HygieError):
    """No valid bearer token or session came with the request."""

    status = 401
    code = "login"


class Forbidden(HygieError):
    """The caller is known and the whole kind of request is refused to them."""

    status = 403
    code = "forbidden"


class NotFound(HygieError):
    """Nothing visible to this caller is there; hidden and absent answer alike."""

    status = 404
    code = "not-found"


class Gone(HygieError):
    """The resource was deleted."""

    status = 410
    code = "deleted"


class MethodNotAllowed(HygieError):
    """The interaction does not exist on this path."""

    status = 405
    code = "not-supported"


class NotAcceptable(HygieError):
    """None of the formats the caller accepts is offered."""

    status = 406
    code = "not-supported"


class UnsupportedMediaType(HygieError):
    """The body is in a format that is not read here."""

    status = 415
    code = "not-supported"


class Conflict(HygieError):
    """The write contradicts what is stored; read again and retry."""

    status = 409
    code = "conflict"


class PreconditionFailed(HygieError):
    """``If-Match`` names another version, or a conditional request found several matches."""

    status = 412
    code = "conflict"


class TooLarge(HygieError):
    """The body or the answer is over a limit; split the request."""

    status = 413
    code = "too-long"


class TooCostly(HygieError):
    """The search would cost too much; narrow it."""

    status = 400
    code = "too-costly"


class Unavailable(HygieError):
    """A part needed to answer safely is not ready; retry later."""

    status = 503
    code = "transient"


class ConfigurationError(HygieError):
    """The settings contradict each other or are unsafe outside demonstration mode."""

    code = "exception"
