"""The access rules of the shared record: who reads and writes what, and why.

Sources: articles L.1110-4, L.1110-12 and L.1111-14 and following of the public health code; order
of 26 October 2023 (matrix); Conseil d'État, 15 October 2025 (initial consent before the care team
reads); CI-SIS value set JDV_J08 (labels). What the sources leave open is written in
``docs/adr/0019-choices.md``.
"""

from __future__ import annotations

from typing import Final

from hygie.domains.consent.policy import words as said
from hygie.kernel.security.algebra import Policy, Rule
from hygie.kernel.security.atoms import (
    AUTHOR,
    IN_DIRECTORY,
    IN_MATRIX,
    IS_JOB,
    IS_PATIENT,
    IS_PROFESSIONAL,
    IS_SYSTEM,
    MASKED,
    OWN_RECORD,
    SECRET,
    UNANNOUNCED,
    VERY_RESTRICTED,
    WITHDRAWN,
    has_right,
    matter_in,
    principal_related,
    purpose_in,
    related,
)
from hygie.kernel.security.caller import Right
from hygie.kernel.security.clauses import Clause, Either
from hygie.kernel.security.matters import BY_CODE, CHOICE, CHOICES, EMERGENCY_DECLARATION
from hygie.kernel.security.relations import Relation

ADMINISTRATIVE = frozenset(one.number for one in BY_CODE.values() if one.administrative)
BILLING = frozenset(one.number for one in BY_CODE.values() if one.billing)
PERSONAL = frozenset(one.number for one in BY_CODE.values() if one.personal)
DECLARATION = frozenset({EMERGENCY_DECLARATION})
DECISION = frozenset({CHOICE})

FOR_CARE = purpose_in("for_care", {"TREAT", "ETREAT"}, said.FOR_CARE)
FOR_PAYMENT = purpose_in("for_payment", {"HPAYMT"}, said.FOR_PAYMENT)
MAY_REVIEW = has_right(Right.REVIEW, said.MAY_REVIEW)

IN_TEAM = related(Relation.CARE_TEAM, said.IN_TEAM)
TEAM_CONSENT = related(Relation.TEAM_CONSENT, said.TEAM_CONSENT)
TREATING = related(Relation.TREATING, said.TREATING)
CONSENTED = related(Relation.CONSENTED, said.CONSENTED)
BLOCKED = related(Relation.BLOCKED, said.BLOCKED)
EMERGENCY = related(Relation.EMERGENCY, said.EMERGENCY)
CENTRE_15 = related(Relation.CENTRE_15, said.CENTRE_15)
HELPER = related(Relation.HELPER, said.HELPER)
HELPER_ADMINISTRATIVE = related(Relation.HELPER_ADMINISTRATIVE, said.HELPER_ADMINISTRATIVE)
MANAGES = related(Relation.MANAGES, said.MANAGES)
PARENT = related(Relation.PARENT, said.PARENT)
GUARDIAN = related(Relation.GUARDIAN, said.GUARDIAN)
MINOR = related(Relation.MINOR, said.MINOR)
UNDER_16 = related(Relation.UNDER_16, said.UNDER_16)
CLOSED = related(Relation.CLOSED, said.CLOSED)
OPPOSED = related(Relation.OPPOSED, said.OPPOSED)
RESTRICTED = related(Relation.RESTRICTED, said.RESTRICTED)
REFUSES_EMERGENCY = related(Relation.REFUSES_EMERGENCY, said.REFUSES_EMERGENCY)
REFUSES_CENTRE_15 = related(Relation.REFUSES_CENTRE_15, said.REFUSES_CENTRE_15)
PRINCIPAL_IN_TEAM = principal_related(Relation.CARE_TEAM, said.PRINCIPAL_IN_TEAM)
PRINCIPAL_TREATING = principal_related(Relation.TREATING, said.PRINCIPAL_TREATING)
PRINCIPAL_CONSENTED = principal_related(Relation.CONSENTED, said.PRINCIPAL_CONSENTED)
PRINCIPAL_BLOCKED = principal_related(Relation.BLOCKED, said.PRINCIPAL_BLOCKED)

IS_ADMINISTRATIVE = matter_in("administrative", ADMINISTRATIVE, said.ADMINISTRATIVE)
IS_BILLING = matter_in("billing", BILLING, said.BILLING)
IS_PERSONAL = matter_in("personal", PERSONAL, said.PERSONAL)
IS_CHOICE = matter_in("choice", CHOICES, said.CHOICE)
IS_DECISION = matter_in("decision", DECISION, said.DECISION)
IS_DECLARATION = matter_in("declaration", DECLARATION, said.DECLARATION)

OPEN: Final[tuple[Clause, ...]] = (~CLOSED, ~OPPOSED)
CARE: Final[tuple[Clause, ...]] = (IS_PROFESSIONAL, FOR_CARE, ~BLOCKED, *OPEN, ~RESTRICTED)
"""A professional who asks for care, in a record that is open to professionals."""
UNMASKED: Final = Either.of(~MASKED, AUTHOR)
DISCREET: Final = Either.of(~VERY_RESTRICTED, AUTHOR)
SHOWN: Final[tuple[Clause, ...]] = (IN_MATRIX, UNMASKED, DISCREET)
"""What a professional of the team reads of it."""
EXCEPTIONAL: Final[tuple[Clause, ...]] = (IN_MATRIX, ~MASKED, ~VERY_RESTRICTED, ~IS_PERSONAL)
"""What an exceptional access reads of it: never masked, never personal."""
FOR_OTHERS: Final[tuple[Clause, ...]] = (*OPEN, ~UNANNOUNCED, ~SECRET)
"""What somebody reads in the patient's name."""
VALID: Final = Either.of(~WITHDRAWN, AUTHOR)
"""Who wrote a version answers for it, and reads it after it was withdrawn."""
PRINCIPAL_OPENS: Final = Either.of(
    (PRINCIPAL_IN_TEAM, TEAM_CONSENT), PRINCIPAL_TREATING, PRINCIPAL_CONSENTED
)

SYSTEM = Rule("system", (IS_SYSTEM,), *said.SYSTEM_RULE)

READ: Final = Policy(
    (
        SYSTEM,
        Rule("job", (IS_JOB, IN_MATRIX, ~WITHDRAWN), *said.JOB_RULE),
        Rule("directory", (IN_DIRECTORY,), *said.DIRECTORY_RULE),
        Rule("own-record", (IS_PATIENT, OWN_RECORD, ~UNANNOUNCED), *said.OWN_RECORD_RULE),
        Rule("review", (MAY_REVIEW, IS_DECLARATION), *said.REVIEW_RULE),
        Rule("parent", (IS_PATIENT, PARENT, MINOR, *FOR_OTHERS, ~WITHDRAWN), *said.PARENT_RULE),
        Rule("guardian", (IS_PATIENT, GUARDIAN, *FOR_OTHERS, ~WITHDRAWN), *said.GUARDIAN_RULE),
        Rule("helper", (IS_PATIENT, HELPER, *FOR_OTHERS, ~WITHDRAWN), *said.HELPER_RULE),
        Rule(
            "helper-administrative",
            (IS_PATIENT, HELPER_ADMINISTRATIVE, IS_ADMINISTRATIVE, *FOR_OTHERS, ~WITHDRAWN),
            *said.HELPER_ADMINISTRATIVE_RULE,
        ),
        Rule(
            "manager",
            (IS_PATIENT, MANAGES, IS_CHOICE, ~UNANNOUNCED, ~SECRET, ~OPPOSED, ~WITHDRAWN),
            *said.MANAGER_RULE,
        ),
        Rule("treating", (*CARE, TREATING, IN_MATRIX, VALID), *said.TREATING_RULE),
        Rule("care-team", (*CARE, IN_TEAM, TEAM_CONSENT, *SHOWN, VALID), *said.CARE_TEAM_RULE),
        Rule("consented", (*CARE, CONSENTED, *SHOWN, VALID), *said.CONSENTED_RULE),
        Rule(
            "delegate",
            (
                *CARE,
                ~PRINCIPAL_BLOCKED,
                PRINCIPAL_OPENS,
                IN_MATRIX,
                UNMASKED,
                ~VERY_RESTRICTED,
                VALID,
            ),
            *said.DELEGATE_RULE,
        ),
        Rule(
            "emergency",
            (*CARE, EMERGENCY, ~REFUSES_EMERGENCY, *EXCEPTIONAL, ~WITHDRAWN),
            *said.EMERGENCY_RULE,
        ),
        Rule(
            "centre-15",
            (*CARE, CENTRE_15, ~REFUSES_CENTRE_15, *EXCEPTIONAL, ~WITHDRAWN),
            *said.CENTRE_15_RULE,
        ),
        Rule(
            "payment",
            (
                IS_PROFESSIONAL,
                FOR_PAYMENT,
                IS_BILLING,
                ~BLOCKED,
                *OPEN,
                ~RESTRICTED,
                Either.of(
                    IN_TEAM,
                    TREATING,
                    (PRINCIPAL_IN_TEAM, ~PRINCIPAL_BLOCKED),
                    (PRINCIPAL_TREATING, ~PRINCIPAL_BLOCKED),
                ),
                Either.of(~MASKED, AUTHOR, TREATING),
                ~WITHDRAWN,
            ),
            *said.PAYMENT_RULE,
        ),
    )
)
"""Who may read a resource, a version of it, or count it."""

REPRESENTS = Either.of((PARENT, MINOR), GUARDIAN, MANAGES)

WRITE: Final = Policy(
    (
        SYSTEM,
        Rule("job", (IS_JOB, IN_MATRIX), *said.JOB_RULE),
        Rule("own-choice", (IS_PATIENT, OWN_RECORD, ~UNDER_16, IS_CHOICE), *said.OWN_CHOICE_RULE),
        Rule(
            "own-deposit",
            (IS_PATIENT, OWN_RECORD, AUTHOR, IS_PERSONAL, *OPEN),
            *said.OWN_DEPOSIT_RULE,
        ),
        Rule(
            "representative-choice",
            (IS_PATIENT, REPRESENTS, IS_CHOICE, ~SECRET),
            *said.REPRESENTATIVE_CHOICE_RULE,
        ),
        Rule(
            "emergency-declaration",
            (IS_PROFESSIONAL, FOR_CARE, AUTHOR, IS_DECLARATION, ~BLOCKED, *OPEN),
            *said.DECLARATION_RULE,
        ),
        Rule(
            "care-team",
            (
                *CARE,
                Either.of(
                    IN_TEAM,
                    TREATING,
                    CONSENTED,
                    (EMERGENCY, ~REFUSES_EMERGENCY),
                    (CENTRE_15, ~REFUSES_CENTRE_15),
                    (PRINCIPAL_IN_TEAM, ~PRINCIPAL_BLOCKED),
                    (PRINCIPAL_TREATING, ~PRINCIPAL_BLOCKED),
                    (PRINCIPAL_CONSENTED, ~PRINCIPAL_BLOCKED),
                ),
                Either.of(~MASKED, AUTHOR, TREATING),
                ~IS_DECLARATION,
                ~IS_DECISION,
            ),
            *said.WRITING_RULE,
        ),
    ),
    every=True,
)
"""Who may create, change or delete a resource, before and after the change.

Of every patient it names: one patient of one's own must not open the record of another.
"""
