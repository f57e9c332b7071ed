"""Who may do what with a record: the book of rules, first chapter.

Each table is checked against the whole store: decision, search, counts, histories and writes.
"permit" is done; "hidden" answers as if nothing were there; "refuse" says no openly, to somebody
who may already know that the record exists.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

Table = Callable[[str], Awaitable[None]]


async def test_a_person_reads_their_own_record_and_changes_nothing(access: Table) -> None:
    """Patients read everything about themselves; writing goes through the services of care."""
    await access("""
        reader | record             | read   | vread  | history | feed   | search | count  | update
        Anne   | Anne's record      | permit | permit | permit  | permit | permit | permit | refuse
        Anne   | Anne's observation | permit | permit | permit  | permit | permit | permit | refuse
        Anne   | Bob's observation  | hidden | hidden | hidden  | hidden | hidden | hidden | hidden
        Bob    | Anne's record      | hidden | hidden | hidden  | hidden | hidden | hidden | hidden
        Bob    | Bob's observation  | permit | permit | permit  | permit | permit | permit | refuse
    """)


async def test_a_helper_reads_while_the_patient_lets_them(access: Table) -> None:
    """A consent of the patient opens the record to a helper, for its period."""
    await access("""
        reader        | record             | read   | history | search | count  | update
        Anne's helper | Anne's record      | permit | permit  | permit | permit | refuse
        Anne's helper | Anne's observation | permit | permit  | permit | permit | refuse
        Anne's helper | Bob's observation  | hidden | hidden  | hidden | hidden | hidden
        former helper | Anne's observation | hidden | hidden  | hidden | hidden | hidden
    """)


async def test_the_care_team_reads_and_writes_during_its_dates(access: Table) -> None:
    """A professional sees the patients of their care teams, from the first day to the last."""
    await access("""
        reader            | record             | read   | history | search | count  | update
        Anne's physician  | Anne's record      | permit | permit  | permit | permit | permit
        Anne's physician  | Anne's observation | permit | permit  | permit | permit | permit
        Anne's physician  | Bob's observation  | hidden | hidden  | hidden | hidden | hidden
        former physician  | Anne's observation | hidden | hidden  | hidden | hidden | hidden
        future physician  | Anne's observation | hidden | hidden  | hidden | hidden | hidden
        removed physician | Anne's observation | hidden | hidden  | hidden | hidden | hidden
        other physician   | Anne's observation | hidden | hidden  | hidden | hidden | hidden
    """)


async def test_what_is_about_two_patients_is_read_by_each_and_changed_for_both(
    access: Table,
) -> None:
    """A resource in two records is read from either; changing it takes both care teams."""
    await access("""
        reader            | record        | read   | history | search | count  | update
        Anne              | visit of both | permit | permit  | permit | permit | refuse
        Bob               | visit of both | permit | permit  | permit | permit | refuse
        Anne's helper     | visit of both | permit | permit  | permit | permit | refuse
        Anne's physician  | visit of both | permit | permit  | permit | permit | refuse
        physician of both | visit of both | permit | permit  | permit | permit | permit
        former physician  | visit of both | hidden | hidden  | hidden | hidden | hidden
    """)


async def test_the_directory_is_open_to_whoever_is_known(access: Table) -> None:
    """Organizations, practitioners and definitions hold no patient."""
    await access("""
        reader           | record          | read   | history | search | count  | update
        Anne             | an organization | permit | permit  | permit | permit | refuse
        Anne's physician | an organization | permit | permit  | permit | permit | refuse
        other physician  | an organization | permit | permit  | permit | permit | refuse
        administrator    | an organization | permit | permit  | permit | permit | refuse
        researcher       | an organization | permit | permit  | permit | permit | refuse
    """)


async def test_administrators_and_researchers_see_no_clinical_data(access: Table) -> None:
    """Running a house and doing research give no right on anybody's record."""
    await access("""
        reader        | record             | read   | history | feed   | search | count  | update
        administrator | Anne's record      | hidden | refuse  | refuse | refuse | refuse | hidden
        administrator | Anne's observation | hidden | refuse  | refuse | refuse | refuse | hidden
        researcher    | Anne's record      | hidden | refuse  | refuse | refuse | refuse | hidden
        researcher    | Anne's observation | hidden | refuse  | refuse | refuse | refuse | hidden
    """)


async def test_what_names_no_patient_is_nobody_s_to_read(access: Table) -> None:
    """Clinical data without a patient is closed, not open."""
    await access("""
        reader           | record               | read   | history | search | count  | update
        Anne             | nobody's observation | hidden | hidden  | hidden | hidden | hidden
        Anne's physician | nobody's observation | hidden | hidden  | hidden | hidden | hidden
        operator         | nobody's observation | permit | permit  | permit | permit | permit
    """)


async def test_the_local_operator_reads_and_writes_all(access: Table) -> None:
    """The operator of the machine is traced like everybody else."""
    await access("""
        reader   | record             | read   | history | feed   | search | count  | update
        operator | Anne's record      | permit | permit  | permit | permit | permit | permit
        operator | Bob's observation  | permit | permit  | permit | permit | permit | permit
        operator | an organization    | permit | permit  | permit | permit | permit | permit
    """)
