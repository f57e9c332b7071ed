"""The access matrix: the lines that were read, whoever reads nothing, and the boundaries."""

from __future__ import annotations

from datetime import date

import pytest

from hygie.domains.consent.model.roles import ROLES, labels, may_declare, role_of
from hygie.domains.consent.policy.matrix import LINES, Matrix, check_lines
from hygie.kernel.errors import HygieError
from hygie.kernel.security.matters import BY_CODE, MATTERS, UNKNOWN, holds

MATRIX = Matrix()
DAY = date(2026, 3, 1)
DOCUMENTS = {code for code, one in BY_CODE.items() if one.document_class != "own"}


def reads(role: str, at: date = DAY) -> set[str]:
    readable = MATRIX.readable([role], at)
    return {one.code for number, one in MATTERS.items() if holds(readable, number)}


def test_doctors_read_every_document_but_certificates_of_residence() -> None:
    assert DOCUMENTS - reads("10") == {"ATTEST-RESID"}
    assert holds(MATRIX.readable(["10"], DAY), UNKNOWN)


def test_dentists_lack_the_six_types_of_the_order() -> None:
    missing = DOCUMENTS - reads("40")
    assert missing == {
        *("80788-3", "75496-0", "83981-1", "83901-9", "68599-0", "EXPPAT_3", "ATTEST-RESID"),
    }


def test_podiatrists_do_not_read_delivery_reports() -> None:
    assert "15508-5" not in reads("80")


@pytest.mark.parametrize("role", ["21", "60"])
def test_pharmacists_and_nurses_read_slightly_fewer_types_than_doctors(role: str) -> None:
    assert reads(role) < reads("10")
    assert len(DOCUMENTS & (reads("10") - reads(role))) <= 12


@pytest.mark.parametrize("role", ["41", "42", "51", "300", "331", "secretary"])
def test_social_care_and_secretaries_read_much_less(role: str) -> None:
    assert 0 < len(DOCUMENTS & reads(role)) <= 20


@pytest.mark.parametrize("role", ["insurer", "employer", "303", "312", "nobody", "job:unknown"])
def test_insurers_employers_and_unlisted_roles_read_nothing(role: str) -> None:
    assert reads(role) == set()
    assert MATRIX.readable([role], DAY) == bytes(32)


def test_who_is_blocked_or_helps_is_read_by_no_profession() -> None:
    professions = [key[0] for key in ROLES.by_key if not key[0].startswith("job:")]
    assert not [role for role in professions if "CHOICES" in reads(role)]


def test_only_doctors_and_jobs_that_need_it_read_what_nobody_can_place() -> None:
    lines = {row.key[0] for row in LINES.rows if UNKNOWN in row.value.matters()}
    assert lines == {"doctor", "centre-15", "job-announce", "job-new-documents"}


@pytest.mark.parametrize("role", ["notices", "retention"])
def test_jobs_that_tell_read_no_document(role: str) -> None:
    assert reads(f"job:{role}") & DOCUMENTS == set()


def test_several_roles_read_what_one_of_them_reads() -> None:
    both = MATRIX.readable(["40", "41"], DAY)
    one, other = MATRIX.readable(["40"], DAY), MATRIX.readable(["41"], DAY)
    assert both == bytes(a | b for a, b in zip(one, other, strict=True))


def test_the_matrix_opens_on_the_day_of_the_order() -> None:
    assert reads("10", date(2023, 10, 29)) == set()
    assert reads("10", date(2023, 10, 30)) != set()
    assert reads("insurer", date(2020, 1, 1)) == set()


def test_every_profession_of_the_health_code_has_a_line() -> None:
    g15 = {key[0] for key, rows in ROLES.by_key.items() if rows[-1].value.family == "G15"}
    assert g15 == {
        *("10", "21", "26", "28", "31", "32", "35", "36", "37", "38", "39", "40", "50", "60"),
        *("69", "70", "80", "81", "82", "83", "84", "85", "86", "91", "92", "94", "95", "96"),
        "98",
    }
    assert all(reads(role) for role in g15)


@pytest.mark.parametrize(
    ("system", "code", "role"),
    [
        ("urn:oid:1.2.250.1.71.1.2.7", "60", "60"),
        ("urn:oid:1.2.250.1.213.1.1.4.5", "G15_10/SM04", "10"),
        ("urn:oid:1.2.250.1.213.1.1.4.5", "G16_10", "training:10"),
        ("urn:oid:1.2.250.1.213.1.6.1.4", "41", "41"),
        ("https://hygie.example.org/fhir/CodeSystem/role", "secretary", "secretary"),
        ("urn:oid:1.2.250.1.71.1.2.7", "41", None),
        ("urn:oid:1.2.250.1.213.1.6.1.4", "10", None),
        ("https://hygie.example.org/fhir/CodeSystem/role", "job:oversight", None),
        ("http://snomed.info/sct", "10", None),
    ],
)
def test_a_role_is_named_by_the_code_systems_of_its_family(
    system: str, code: str, role: str | None
) -> None:
    assert role_of(system, code) == role


def test_centre_15_is_for_the_regulator_alone() -> None:
    every = [key[0] for key in ROLES.by_key]
    assert [one for one in every if may_declare([one], centre_15=True, at=DAY)] == [
        "samu-regulator"
    ]


def test_roles_are_named_in_both_languages() -> None:
    assert labels(["10"], "fr") == "Médecin"
    assert labels(["60", "10"], "en") == "Doctor, Nurse"
    assert labels(["unheard-of"], "fr") == ""


def test_cautious_lines_are_told_to_the_administrator() -> None:
    assert "pharmacist" in MATRIX.unconfirmed
    assert "doctor" not in MATRIX.unconfirmed


def test_no_table_is_broken_by_a_role_without_a_line() -> None:
    with pytest.raises(HygieError, match="lacks: wizard"):
        check_lines(["doctor", "wizard"])
