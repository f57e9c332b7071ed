"""Who reads a record, by whose choice: the book of rules, second chapter.

Each line is put to the rules themselves. The answer is the name of the rule that permits, or "no".
Relations hold at the instant of the request: one that ended yesterday is not written in the table.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from hygie.domains.consent.policy.labelling import RELABEL, RELABELS
from hygie.domains.consent.policy.matrix import Matrix
from hygie.domains.consent.policy.rules import READ, WRITE
from hygie.kernel.security.algebra import Policy
from hygie.kernel.security.policies import Moves, Policies

Rules = Callable[[str], None]


def test_the_care_team_reads_once_the_person_agreed(rules: Rules) -> None:
    """An initial consent opens the record to the team as a whole (Conseil d'État, 15 Oct 2025)."""
    rules("""
        reader | standing | record          | answer
        doctor | member   |                 | no
        doctor | member   | agreed          | care-team
        nurse  | member   | agreed          | care-team
        doctor |          | agreed          | no
        doctor | treating |                 | treating
        doctor | member   | agreed, closed  | no
        doctor | member   | agreed, opposed | no
    """)


def test_outside_the_team_one_reads_by_explicit_consent(rules: Rules) -> None:
    """The person gives access for a time, whatever was decided for the care team."""
    rules("""
        reader        | standing     | record | item        | answer
        doctor        | given access |        | lab report  | consented
        nurse         | given access |        | lab report  | consented
        social worker | given access |        | lab report  | no
        doctor        | given access | closed | lab report  | no
    """)


def test_a_blocked_professional_reads_nothing(rules: Rules) -> None:
    """A block is stronger than every other relation, an emergency included."""
    rules("""
        reader         | standing                        | record | answer
        doctor         | member, blocked                 | agreed | no
        doctor         | treating, blocked               | agreed | no
        doctor         | given access, blocked           | agreed | no
        doctor         | in an emergency, blocked        | agreed | no
        SAMU physician | regulating, blocked             | agreed | no
        secretary      | under a blocked member          | agreed | no
        secretary      | under a member, blocked         | agreed | no
    """)


def test_a_masked_document_is_for_its_author_and_the_treating_physician(rules: Rules) -> None:
    """MASQUE_PS hides a document from every other professional; never from the person."""
    rules("""
        reader         | standing           | record | mark           | answer
        doctor         | member             | agreed | masked         | no
        doctor         | member             | agreed | masked, author | care-team
        doctor         | treating           |        | masked         | treating
        doctor         | given access       |        | masked         | no
        doctor         | given access       |        | masked, author | consented
        secretary      | under the treating |        | masked         | no
        doctor         | in an emergency    |        | masked         | no
        doctor         | in an emergency    |        | masked, author | no
        person         |                    |        | masked         | own-record
    """)


def test_a_very_restricted_document_is_for_its_author_and_the_treating_physician(
    rules: Rules,
) -> None:
    """Confidentiality V is not for the team as a whole."""
    rules("""
        reader | standing        | record | mark                    | answer
        doctor | member          | agreed | very restricted         | no
        doctor | member          | agreed | very restricted, author | care-team
        doctor | treating        |        | very restricted         | treating
        doctor | in an emergency |        | very restricted         | no
        person |                 |        | very restricted         | own-record
    """)


def test_a_withdrawn_version_is_for_the_person_and_its_author(rules: Rules) -> None:
    """What stood before a correction or a deletion."""
    rules("""
        reader         | standing        | record | mark                      | answer
        person         |                 |        | withdrawn                 | own-record
        person         |                 | closed | withdrawn, masked, secret | own-record
        person         |                 |        | withdrawn, unannounced    | no
        doctor         | member          | agreed | withdrawn                 | no
        doctor         | member          | agreed | withdrawn, author         | care-team
        doctor         | member, blocked | agreed | withdrawn, author         | no
        doctor         |                 | agreed | withdrawn, author         | no
        doctor         | treating        |        | withdrawn                 | no
        doctor         | treating        |        | withdrawn, author         | treating
        doctor         | given access    |        | withdrawn                 | no
        intern         | under a member  | agreed | withdrawn                 | no
        intern         | under a member  | agreed | withdrawn, author         | delegate
        doctor         | in an emergency |        | withdrawn                 | no
        doctor         | in an emergency |        | withdrawn, author         | no
        SAMU physician | regulating      |        | withdrawn                 | no
        relative       | parent          | minor  | withdrawn                 | no
        relative       | guardian        |        | withdrawn                 | no
        relative       | helper          |        | withdrawn                 | no
        researcher     |                 |        | withdrawn                 | no
        operator       |                 |        | withdrawn                 | system
    """)
    rules("""
        reader   | standing         | mark              | item           | purpose | answer
        doctor   | member           | withdrawn, author | reimbursements | billing | no
        relative | paperwork helper | withdrawn         | appointment    |         | no
        relative | representative   | withdrawn         | choices        |         | no
    """)


def test_what_waits_for_an_announcement_is_hidden_from_the_person_and_relatives(
    rules: Rules,
) -> None:
    """INVISIBLE_PATIENT is lifted by a visit, or by the delay."""
    rules("""
        reader   | standing       | record | mark        | answer
        person   |                |        | unannounced | no
        relative | parent         | minor  | unannounced | no
        relative | guardian       |        | unannounced | no
        relative | representative |        | unannounced | no
        doctor   | member         | agreed | unannounced | care-team
    """)


def test_each_profession_reads_its_column_of_the_matrix(rules: Rules) -> None:
    """The matrix holds whatever the person authorised (order of 26 October 2023)."""
    rules("""
        reader        | standing | record | item                     | answer
        doctor        | member   | agreed | certificate of residence | no
        doctor        | member   | agreed | psychiatric summary      | care-team
        dentist       | member   | agreed | psychiatric summary      | no
        dentist       | member   | agreed | support plan             | no
        dentist       | member   | agreed | advance directives       | no
        dentist       | member   | agreed | lab report               | care-team
        podiatrist    | member   | agreed | delivery report          | no
        podiatrist    | member   | agreed | lab report               | care-team
        pharmacist    | member   | agreed | summary                  | care-team
        social worker | member   | agreed | summary                  | no
        social worker | member   | agreed | support plan             | care-team
        home help     | member   | agreed | lab report               | no
        insurer       | member   | agreed | reimbursements           | no
        employer      | member   | agreed | summary                  | no
    """)


def test_choices_are_read_by_no_professional(rules: Rules) -> None:
    """Who is blocked or helps is the person's own business; who is in the team is not secret."""
    rules("""
        reader   | standing       | record | item      | answer
        doctor   | member         | agreed | choices   | no
        doctor   | treating       | agreed | choices   | no
        doctor   | member         | agreed | care team | care-team
        person   |                |        | choices   | own-record
        relative | representative |        | choices   | helper
        relative | helper         |        | choices   | helper
    """)


def test_an_emergency_opens_a_part_of_the_record_for_a_few_hours(rules: Rules) -> None:
    """Break-glass needs no consent, and opens nothing that the person masked, left or refused."""
    rules("""
        reader  | standing        | record              | item               | answer
        doctor  | in an emergency |                     | lab report         | emergency
        doctor  | in an emergency |                     | advance directives | no
        doctor  | in an emergency |                     | own deposit        | no
        doctor  | in an emergency | refuses emergencies | lab report         | no
        doctor  | in an emergency | refuses Centre 15   | lab report         | emergency
        doctor  | in an emergency | closed              | lab report         | no
        doctor  | in an emergency | restricted          | lab report         | no
        dentist | in an emergency |                     | psychiatric summary | no
    """)


def test_centre_15_has_its_own_switch(rules: Rules) -> None:
    """The regulating physician of a call reads unless the person refused it beforehand."""
    rules("""
        reader         | standing   | record              | item               | answer
        SAMU physician | regulating |                     | lab report         | centre-15
        SAMU physician | regulating | refuses Centre 15   | lab report         | no
        SAMU physician | regulating | refuses emergencies | lab report         | centre-15
        SAMU physician | regulating |                     | advance directives | no
        SAMU physician |            | agreed              | lab report         | no
    """)


def test_parents_read_until_majority(rules: Rules) -> None:
    """Each parent by themself; nothing of a secret visit; nothing once the child is of age."""
    rules("""
        reader   | standing | record        | mark   | answer
        relative | parent   | minor         |        | parent
        relative | parent   |               |        | no
        relative | parent   | minor         | secret | no
        relative | parent   | minor, closed |        | no
        relative |          | minor         |        | no
        person   |          | minor         | secret | own-record
        doctor   | treating | minor         | secret | treating
    """)


def test_guardians_helpers_and_representatives_read_in_the_persons_name(rules: Rules) -> None:
    """Each within the scope the person, or the judge, gave."""
    rules("""
        reader   | standing         | record | item           | mark   | answer
        relative | guardian         |        | lab report     |        | guardian
        relative | guardian         |        | lab report     | secret | no
        relative | helper           |        | lab report     |        | helper
        relative | helper           |        | lab report     | secret | no
        relative | representative   |        | lab report     |        | helper
        relative | paperwork helper |        | appointment    |        | helper-administrative
        relative | paperwork helper |        | lab report     |        | no
        relative | paperwork helper |        | reimbursements |        | no
        relative | helper           | closed | lab report     |        | no
    """)


def test_one_acts_under_a_professional_within_both_rights(rules: Rules) -> None:
    """The principal's relation opens the record; one's own line of the matrix narrows it."""
    rules("""
        reader    | standing           | record | item                | answer
        intern    | under a member     | agreed | lab report          | delegate
        intern    | under a member     |        | lab report          | no
        intern    | under the treating |        | lab report          | delegate
        secretary | under a member     | agreed | appointment         | delegate
        secretary | under a member     | agreed | psychiatric summary | no
        secretary |                    | agreed | appointment         | no
    """)


def test_billing_sees_what_billing_needs(rules: Rules) -> None:
    """With the purpose HPAYMT every other rule of professionals is off."""
    rules("""
        reader    | standing       | record | item           | purpose | answer
        doctor    | member         | agreed | reimbursements | billing | payment
        doctor    | member         | agreed | identity       | billing | payment
        doctor    | member         | agreed | lab report     | billing | no
        secretary | under a member | agreed | reimbursements | billing | payment
        doctor    |                | agreed | reimbursements | billing | no
        doctor    | member         | closed | reimbursements | billing | no
    """)


def test_nobody_reads_for_research_or_for_running_the_house(rules: Rules) -> None:
    """Research reads no identified data; administrators read nothing clinical."""
    rules("""
        reader        | standing | record | purpose  | answer
        doctor        | member   | agreed | research | no
        researcher    |          | agreed | research | no
        administrator |          | agreed |          | no
        operator      |          |        |          | system
    """)


def test_a_closed_record_stays_the_persons_own(rules: Rules) -> None:
    """Closing shuts it for everybody else; it is kept ten years and may be reopened."""
    rules("""
        reader   | standing       | record     | answer
        person   |                | closed     | own-record
        person   |                | opposed    | own-record
        person   |                | restricted | own-record
        doctor   | treating       | closed     | no
        doctor   | member         | agreed, restricted | no
        relative | representative | closed     | no
    """)


def test_only_the_person_and_representatives_write_choices(writing_rules: Rules) -> None:
    """Then the guard narrows by what is stated: see the tests of the consent domain."""
    writing_rules("""
        reader   | standing       | record | item                  | mark   | answer
        person   |                |        | choices               |        | own-choice
        person   |                | closed | choices               |        | own-choice
        person   |                | minor  | choices               |        | own-choice
        person   |                | under sixteen | choices        |        | no
        person   |                |        | lab report            |        | no
        person   |                |        | own deposit           | author | own-deposit
        person   |                | closed | own deposit           | author | no
        relative | parent         | minor  | choices               |        | representative-choice
        relative | parent         | under sixteen | choices        |        | representative-choice
        relative | parent         |        | choices               |        | no
        relative | guardian       |        | choices               |        | representative-choice
        relative | representative |        | choices               |        | representative-choice
        relative | helper         |        | choices               |        | no
        doctor   |                |        | emergency declaration | author | emergency-declaration
        doctor   | blocked        |        | emergency declaration | author | no
        doctor   |                |        | lab report            | author | no
    """)


@pytest.fixture
def label_rules(lines: Any) -> Rules:
    """Give the check of who adds and lifts labels.

    The columns ``adds`` and ``lifts`` name the labels, or "none", "all", or "all but V" (all but
    very restricted); the marks that the item has stand under ``mark``.
    """
    return partial(move, lines)


def move(lines_of: Any, table: str) -> None:
    """Ask the rules of relabelling in memory, label by label, and compare."""
    header, *lines = [
        [cell.strip() for cell in line.split("|")] for line in table.strip().splitlines()
    ]
    policies = Policies(READ, WRITE, RELABEL, RELABELS, Matrix())
    wrong = []
    for line in lines:
        row = dict(zip(header, line, strict=True))
        found = {
            way: ", ".join(_moved(lines_of, policies, row, way=way)) or "none"
            for way in ("adds", "lifts")
        }
        if any(found[way] != _SEVERAL.get(row[way], row[way]) for way in found):
            wrong.append(f"{' | '.join(line)}: {found}")
    assert not wrong, "\n".join(wrong)


_SEVERAL = {
    "all": "masked, unannounced, secret, very restricted",
    "all but V": "masked, unannounced, secret",
}


def _moved(lines_of: Any, policies: Policies, row: dict[str, str], *, way: str) -> list[str]:
    asked, labels = lines_of
    moved = []
    for name, label in labels.items():
        places = policies.moving(Moves(adds=label) if way == "adds" else Moves(removes=label))
        rules = [one for n, one in enumerate(RELABEL.rules) if places >> n & 1]
        if Policy(tuple(rules)).allowing(*asked(row)):
            moved.append(name)
    return moved


def test_setting_a_label_and_lifting_it_are_two_acts(label_rules: Rules) -> None:
    """The author sets at deposit; then each profession has its part (L.1111-5, L.1111-5-1)."""
    label_rules("""
        reader     | standing       | record | mark   | adds                | lifts
        doctor     | member         | agreed |        | unannounced, secret | unannounced
        midwife    | member         | agreed |        | secret              | unannounced
        dentist    | member         | agreed |        | none                | unannounced
        nurse      | member         | agreed |        | secret              | none
        pharmacist | member         | agreed |        | none                | none
        secretary  | member         | agreed |        | none                | none
        intern     | under a member | agreed |        | none                | none
        doctor     | member         |        |        | none                | none
        doctor     |                | agreed |        | none                | none
        doctor     | member         | agreed, closed  | | none              | none
        doctor     | member         | agreed | masked | none                | none
        doctor     | member         | agreed | secret | unannounced, secret | unannounced
        doctor     | treating       |        |        | all but V           | all but V
        nurse      |                |        | author | all                 | all
        nurse      | blocked        |        | author | none                | none
    """)


def test_a_minor_keeps_a_secret_and_no_parent_lifts_it(label_rules: Rules) -> None:
    """From sixteen on alone; younger, by a doctor, a midwife or a nurse. Adults mask only."""
    label_rules("""
        reader   | standing       | record        | mark        | adds           | lifts
        person   |                | minor         |             | masked, secret | masked, secret
        person   |                | under sixteen |             | none           | none
        person   |                |               |             | masked         | masked
        person   |                | minor         | unannounced | none           | none
        relative | parent         | minor         |             | masked         | masked
        relative | parent         | minor         | secret      | none           | none
        relative | parent         |               |             | none           | none
        relative | guardian       |               |             | masked         | masked
        relative | representative |               | secret      | none           | none
        relative | helper         |               |             | none           | none
    """)
