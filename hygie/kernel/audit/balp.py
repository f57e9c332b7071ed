"""The shapes of IHE Basic Audit Log Patterns 1.1.3 (profiles.ihe.net/ITI/BALP), one per action.

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


@dataclass(frozen=True, slots=True)
class Pattern:
    """How one kind of interaction is told.

    Attributes:
        action: code of ``http://hl7.org/fhir/audit-event-action``.
        client: role of the calling application.
        server: role of this server.
        user: role of the person.
        profile: the BALP profile, without ``IHE.BasicAudit.``; None where BALP has none.
    """

    action: str
    client: Coding
    server: Coding
    user: Coding
    profile: str | None


READ = Pattern("R", DESTINATION, SOURCE, RECIPIENT, "Read")
HISTORY = Pattern("R", DESTINATION, SOURCE, RECIPIENT, None)
QUERY = Pattern("E", SOURCE, DESTINATION, RECIPIENT, "Query")
CREATE = Pattern("C", SOURCE, DESTINATION, AUTHOR, "Create")
UPDATE = Pattern("U", SOURCE, DESTINATION, AUTHOR, "Update")
DELETE = Pattern("D", APPLICATION, CUSTODIAN, AUTHOR, "Delete")
EXECUTE = Pattern("E", SOURCE, DESTINATION, AUTHOR, None)

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


def interactions_of(action: str) -> list[str]:
    """Return the interactions that have an action; for ``E``, those among :data:`PATTERNS`.

    >>> interactions_of("U")
    ['update', 'patch']
    """
    return [name for name, pattern in PATTERNS.items() if pattern.action == action]
