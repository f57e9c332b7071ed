"""What a patient and somebody are to each other, and what holds of a record: the facts of rules.

Each is a row of table ``care_relation``: patient, member, kind, from, until. What holds of the
record itself has member 0. A decision reads them as one number of 64 bits: bit ``k`` says that the
caller has relation ``k`` now (or that the record has it), bit ``k + 32`` that a professional under
whom the caller acts has it.
"""

from __future__ import annotations

from enum import IntEnum

OF_THE_RECORD = 0
"""Member of a fact that holds of a record and of nobody in particular."""
PRINCIPAL = 32
"""How far the bits of the professionals under whom one acts are shifted."""


class Relation(IntEnum):
    """Kinds of ``care_relation``; the numbers are stored and never change."""

    CARE_TEAM = 1
    HELPER = 2
    """Reads the whole record in the patient's name."""
    TREATING = 3
    """The treating physician the patient declared (*médecin traitant*)."""
    CONSENTED = 4
    """Explicit consent to somebody outside the care team."""
    BLOCKED = 5
    EMERGENCY = 6
    """Break-glass: declared with a reason, for a few hours."""
    CENTRE_15 = 7
    PARENT = 8
    """Counts only while the patient is a minor."""
    GUARDIAN = 9
    MANAGES = 10
    """May also state choices and deposit in the patient's name."""
    HELPER_ADMINISTRATIVE = 11
    """Reads what is administrative: agenda, reimbursements, certificates of rights."""

    MINOR = 16
    TEAM_CONSENT = 17
    """The patient agreed once that the care team reads."""
    CLOSED = 18
    OPPOSED = 19
    """The patient opposed the opening of the record."""
    REFUSES_EMERGENCY = 20
    REFUSES_CENTRE_15 = 21
    RESTRICTED = 22
    """Processing is restricted (GDPR, article 18)."""
    REFUSES_RESEARCH = 23

    ACTS_UNDER = 24
    """Between professionals: the member acts under ``pat`` until a date."""

    UNDER_16 = 25
    """Of the record: too young to decide alone. The age is a dated row; 16 when this was named."""

    @property
    def bit(self) -> int:
        """Return the bit of the caller's own relation, or of the record's."""
        return 1 << self

    @property
    def principal_bit(self) -> int:
        """Return the bit of the relation of somebody under whom the caller acts."""
        return 1 << (self + PRINCIPAL)
