"""The shapes of IHE Basic Audit Log Patterns 1.1.4 (profiles.ihe.net/ITI/BALP), one per action.

Who is source and who is destination follows the request for a query and the data otherwise, as
the profiles have it.
"""

from __future__ import annotations

from dataclasses import dataclass

PROFILES = "https://profiles.ihe.net/ITI/BALP/StructureDefinition/"
REQUEST_ID = "https://profiles.ihe.net/ITI/BALP/CodeSystem/BasicAuditEntityType"
DICOM = "http://dicom.nema.org/resources/ontology/DCM"
PARTICIPATION = "http://terminology.hl7.org/CodeSystem/v3-ParticipationType"
PARTICIPANT = "http://terminology.hl7.org/CodeSystem/provenance-participant-type"

Coding = tuple[str, str, str]
"""System, code, display."""

SOURCE: Coding = (DICOM, "110153", "Source Role ID")
DESTINATION: Coding = (DICOM, "110152", "Destination Role ID")
APPLICATION: Coding = (DICOM, "110150", "Application")
CUSTODIAN: Coding = (PARTICIPANT, "custodian", "Custodian")
RECIPIENT: Coding = (PARTICIPATION, "IRCP", "information recipient")
AUTHOR: Coding = (PARTICIPATION, "AUT", "author (originator)")
ORGANIZATION: Coding = ("http://terminology.hl7.org/CodeSystem/v3-RoleClass", "PROV",
                        "healthcare provider")  # fmt: skip
ROLE_CODE = "http://terminology.hl7.org/CodeSystem/v3-RoleCode"
DELEGATEE: Coding = (ROLE_CODE, "DELEGATEE", "delegatee")
"""Who acts for somebody; the whole is told in the text of the role."""
DELEGATOR: Coding = (ROLE_CODE, "DELEGATOR", "delegator")
AUTHORIZER: Coding = ("http://terminology.hl7.org/CodeSystem/extra-security-role-type",
                      "authserver", "authorization server")  # fmt: skip

REST: Coding = (
    "http://terminology.hl7.org/CodeSystem/audit-event-type", "rest", "RESTful Operation"
)  # fmt: skip
EXPORT: Coding = (DICOM, "110106", "Export")
SECURITY_ALERT: Coding = (DICOM, "110113", "Security Alert")
DISCLOSE: Coding = ("http://terminology.hl7.org/CodeSystem/iso-21089-lifecycle", "disclose",
                    "Disclose Record Lifecycle Event")  # fmt: skip
BY_ROLE: Coding = (
    "https://profiles.ihe.net/ITI/BALP/CodeSystem/AuthZsubType", "AuthZ-Role",
    "Authorization Decision using only Roles",
)  # fmt: skip
BY_CONSENT: Coding = (
    "https://profiles.ihe.net/ITI/BALP/CodeSystem/AuthZsubType", "AuthZ-Consent",
    "Authorization Decision using Roles and Consent",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Pattern:
    """How one kind of interaction is told.

    Attributes:
        action: code of ``http://hl7.org/fhir/audit-event-action``.
        client: role of the calling application.
        server: role of this server.
        user: role of the person.
        profile: the BALP profile, without ``IHE.BasicAudit.``; None where BALP has none.
        kind: type of the event.
        subtypes: subtypes beside the interaction.
    """

    action: str
    client: Coding
    server: Coding
    user: Coding
    profile: str | None
    kind: Coding = REST
    subtypes: tuple[Coding, ...] = ()


READ = Pattern("R", DESTINATION, SOURCE, RECIPIENT, "Read")
HISTORY = Pattern("R", DESTINATION, SOURCE, RECIPIENT, None)
QUERY = Pattern("E", SOURCE, DESTINATION, RECIPIENT, "Query")
CREATE = Pattern("C", SOURCE, DESTINATION, AUTHOR, "Create")
UPDATE = Pattern("U", SOURCE, DESTINATION, AUTHOR, "Update")
DELETE = Pattern("D", APPLICATION, CUSTODIAN, AUTHOR, "Delete")
EXECUTE = Pattern("E", SOURCE, DESTINATION, AUTHOR, None)

DISCLOSURE = Pattern(
    "R", DESTINATION, SOURCE, RECIPIENT, "PrivacyDisclosure.Source", EXPORT, (DISCLOSE,)
)
DECISION = Pattern(
    "E", APPLICATION, AUTHORIZER, RECIPIENT, None, SECURITY_ALERT, (BY_ROLE, BY_CONSENT)
)
"""A refusal. It claims no profile: BALP's profile of decisions wants the Consent that was decided
upon, and here rules decide, of which consents are some of the facts."""
_REFUSED = (401, 403)
_FAILED = 400
_KEPT = frozenset({b"erasure"})
"""Operations on a person's data, as their trace names them, that send nothing out."""

PATTERNS = {
    "read": READ,
    "vread": READ,
    "history": HISTORY,
    "history-instance": HISTORY,
    "history-type": HISTORY,
    "history-system": HISTORY,
    "search": QUERY,
    "search-type": QUERY,
    "search-system": QUERY,
    "create": CREATE,
    "update": UPDATE,
    "patch": UPDATE,
    "delete": DELETE,
}
"""By interaction; every other one is :data:`EXECUTE`."""


def pattern_of(
    interaction: str, *, outcome: int, has_patient: bool, query: bytes | None = None
) -> Pattern:
    """Return how a row is told: a refusal is a decision, an operation on a person's data leaves.

    >>> pattern_of("read", outcome=403, has_patient=False) is DECISION
    True
    >>> pattern_of("operation", outcome=200, has_patient=True, query=b"erasure") is EXECUTE
    True
    """
    if outcome in _REFUSED:
        return DECISION
    leaves = interaction == "operation" and has_patient and query not in _KEPT
    if leaves and outcome < _FAILED:
        return DISCLOSURE
    return PATTERNS.get(interaction, EXECUTE)


def interactions_of(action: str) -> list[str]:
    """Return the interactions that have an action; for ``E``, those among :data:`PATTERNS`.

    >>> interactions_of("U")
    ['update', 'patch']
    """
    return [name for name, pattern in PATTERNS.items() if pattern.action == action]
