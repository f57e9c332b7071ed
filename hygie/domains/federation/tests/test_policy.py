"""Strict traits, levels and the description of providers: what is accepted and what is not."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from hygie.domains.federation.model.levels import check_level
from hygie.domains.federation.model.pivot import Pivot, pivot_of
from hygie.domains.federation.model.providers import Kind, read_providers, simulators
from hygie.domains.federation.policy import Reason, Trait, differences, judge, sought
from hygie.domains.federation.service.citizens import CALLER, matricule_of, recognise
from hygie.domains.federation.service.providers import known_of, providers_of
from hygie.domains.federation.tests.conftest import put
from hygie.domains.federation.tests.test_signing_in import person
from hygie.kernel.config import Settings
from hygie.kernel.errors import ConfigurationError, Forbidden, InvalidRequest, NotFound
from hygie.kernel.security.caller import Caller, Right, job
from hygie.kernel.security.caller import Kind as CallerKind
from hygie.kernel.store import Repository
from hygie.kernel.store.comparing import Candidate
from hygie.testing.simulators import described

DAY = date(2026, 11, 22)
TEST_NIR = "urn:oid:1.2.250.1.213.1.4.10"
REAL_NIR = "urn:oid:1.2.250.1.213.1.4.8"
PIVOT = Pivot("BRUN-ÉTÉ", ("Jeanne", "Marie-Lou"), "1971-03-09", "female", "41018")
KNOWN = Candidate(
    reference="Patient/jeanne",
    family="Brun Été",
    given=("Jeanne", "Marie Lou"),
    complete=True,
    birth_date="1971-03-09",
    sex="female",
    birth_place="41018",
    ins="271034101800130",
    ins_system=TEST_NIR,
    statuses=frozenset({"QUAL"}),
)


def test_case_accents_and_hyphens_are_no_difference() -> None:
    assert differences(PIVOT, KNOWN) == []
    assert judge(PIVOT, [KNOWN], realm="demonstration", at=DAY).person == KNOWN


@pytest.mark.parametrize(
    ("birth_date", "birth_place", "linked"),
    [
        ("1971-01-01", "99352", False),
        ("1971-03-09", "99352", True),
        ("1971-01-01", "41018", True),
    ],
)
def test_a_presumed_day_in_a_whole_country_proves_nobody(
    birth_date: str, birth_place: str, *, linked: bool
) -> None:
    told = replace(PIVOT, birth_date=birth_date, birth_place=birth_place)
    known = replace(KNOWN, birth_date=birth_date, birth_place=birth_place)
    verdict = judge(told, [known], realm="demonstration", at=DAY)
    assert (verdict.person is not None, verdict.reason) == (
        linked,
        None if linked else Reason.PRESUMED_DATE,
    )


@pytest.mark.parametrize(
    ("changed", "trait"),
    [
        ({"family": "Brune Été"}, Trait.FAMILY),
        ({"given": ("Jeanne",)}, Trait.GIVEN),
        ({"given": ("Marie-Lou", "Jeanne")}, Trait.GIVEN),
        ({"complete": False}, Trait.GIVEN),
        ({"birth_date": "1971-03"}, Trait.BIRTH_DATE),
        ({"birth_date": "1971-09-03"}, Trait.BIRTH_DATE),
        ({"sex": "unknown"}, Trait.SEX),
        ({"birth_place": ""}, Trait.BIRTH_PLACE),
        ({"birth_place": "41019"}, Trait.BIRTH_PLACE),
    ],
)
def test_one_trait_that_differs_is_a_near_match(changed: dict[str, Any], trait: Trait) -> None:
    near = replace(KNOWN, **changed)
    assert differences(PIVOT, near) == [trait]
    assert judge(PIVOT, [near], realm="demonstration", at=DAY).reason == Reason.NEAR


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"statuses": frozenset({"QUAL", "HOMD"})}, Reason.UNTRUSTED),
        ({"statuses": frozenset({"VALI", "DOUT"})}, Reason.UNTRUSTED),
        ({"statuses": frozenset({"FICT"})}, Reason.UNTRUSTED),
        ({"statuses": frozenset({"SOMETHING-NEW"})}, Reason.UNTRUSTED),
        ({"statuses": frozenset()}, Reason.NOT_QUALIFIED),
        ({"statuses": frozenset({"RECUP"})}, Reason.NOT_QUALIFIED),
        ({"statuses": frozenset({"VALI"}), "ins": "", "ins_system": ""}, Reason.NOT_QUALIFIED),
        ({"ins": "", "ins_system": ""}, Reason.NOT_QUALIFIED),
        ({"ins_system": REAL_NIR}, Reason.OTHER_REALM),
    ],
)
def test_the_same_traits_without_trust_go_to_a_human(
    changed: dict[str, Any], reason: Reason
) -> None:
    doubtful = replace(KNOWN, **changed)
    assert judge(PIVOT, [doubtful], realm="demonstration", at=DAY).reason == reason


@pytest.mark.parametrize(
    ("realm", "system", "linked"),
    [
        ("production", REAL_NIR, True),
        ("production", "urn:oid:1.2.250.1.213.1.4.9", True),
        ("production", TEST_NIR, False),
        ("production", "urn:oid:1.2.250.1.213.1.4.11", False),
        ("test", TEST_NIR, True),
        ("test", REAL_NIR, False),
        ("test", "urn:oid:1.2.250.1.213.1.4.11", False),
        ("demonstration", "urn:oid:1.2.250.1.213.1.4.11", True),
        ("demonstration", REAL_NIR, False),
    ],
)
def test_a_matricule_of_another_realm_is_never_linked(
    realm: str, system: str, *, linked: bool
) -> None:
    verdict = judge(PIVOT, [replace(KNOWN, ins_system=system)], realm=realm, at=DAY)
    assert (verdict.person is not None) == linked


def test_a_validated_identity_with_its_matricule_is_qualified() -> None:
    validated = replace(KNOWN, statuses=frozenset({"VALI"}))
    assert judge(PIVOT, [validated], realm="demonstration", at=DAY).person == validated


def test_nobody_and_several_go_to_a_human() -> None:
    other = replace(KNOWN, reference="Patient/other")
    assert judge(PIVOT, [], realm="test", at=DAY).reason == Reason.NOBODY
    assert judge(PIVOT, [KNOWN, other], realm="test", at=DAY).reason == Reason.SEVERAL


def test_a_presumed_date_is_looked_for_as_rniv_writes_it_and_never_linked_by_it() -> None:
    presumed = replace(PIVOT, birth_date="1971-01-01")
    assert "1971-12-31" in sought(presumed).births
    written = replace(KNOWN, birth_date="1971-12-31")
    assert judge(presumed, [written], realm="demonstration", at=DAY).reason == Reason.NEAR
    year = replace(PIVOT, birth_date="1971")
    known = replace(KNOWN, birth_date="1971")
    assert judge(year, [known], realm="demonstration", at=DAY).reason == Reason.PRESUMED_DATE


WHOLE = {
    "family_name": "BRUN",
    "given_name": "Jeanne",
    "birthdate": "1971-03-09",
    "gender": "female",
    "birthplace": "41018",
    "birthcountry": "99100",
}


def test_somebody_born_abroad_has_the_country_for_a_place() -> None:
    abroad = {**WHOLE, "birthplace": "", "birthcountry": "99126"}
    assert pivot_of(abroad).birth_place == "99126"
    assert pivot_of({**WHOLE, "birthplace": "2a004"}).birth_place == "2A004"


@pytest.mark.parametrize("name", list(WHOLE))
def test_each_of_the_six_claims_is_needed(name: str) -> None:
    with pytest.raises(InvalidRequest):
        pivot_of({key: value for key, value in WHOLE.items() if key != name})


@pytest.mark.parametrize(
    "wrong",
    [
        {"birthdate": "09/03/1971"},
        {"gender": "F"},
        {"birthplace": ""},
        {"birthplace": "Blois"},
        {"birthcountry": "FR"},
        {"family_name": "--"},
        {"given_name": " . "},
        {"family_name": "x" * 300},
    ],
)
def test_a_pivot_identity_that_cannot_be_read_is_refused(wrong: dict[str, str]) -> None:
    with pytest.raises(InvalidRequest):
        pivot_of({**WHOLE, **wrong})


@pytest.mark.parametrize(
    ("kind", "asked", "received", "accepted"),
    [
        (Kind.FRANCECONNECT, "eidas1", "eidas1", True),
        (Kind.FRANCECONNECT_PLUS, "eidas2", "eidas3", True),
        (Kind.FRANCECONNECT_PLUS, "eidas3", "eidas2", False),
        (Kind.FRANCECONNECT_PLUS, "eidas2", "eidas1", False),
        (Kind.FRANCECONNECT, "eidas1", "eidas9", False),
        (Kind.FRANCECONNECT, "eidas1", None, False),
        (Kind.FRANCECONNECT, "eidas1", 1, False),
        (Kind.PRO_SANTE_CONNECT, "eidas1", "eidas2", False),
        (Kind.APCV, "eidas2", "eidas1", False),
    ],
)
def test_levels_are_ordered_by_a_table(
    kind: Kind, asked: str, received: object, *, accepted: bool
) -> None:
    if accepted:
        assert check_level(kind, received, asked=asked, at=DAY) == received
        return
    with pytest.raises(Forbidden):
        check_level(kind, received, asked=asked, at=DAY)


GOOD = """
[[provider]]
name = "fc"
kind = "franceconnect"
realm = "production"
issuer = "https://oidc.franceconnect.gouv.fr/api/v2"
client_id = "hygie"
secret_file = "/secrets/fc"
scopes = ["openid", "identite_pivot"]
"""


def test_a_real_provider_is_described_by_settings_alone() -> None:
    (one,) = read_providers(GOOD, realm="production")
    assert (one.kind, one.acr, one.algorithms) == (Kind.FRANCECONNECT, "eidas1", ("ES256",))
    assert simulators([one]) == ()


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('realm = "production"', 'realm = "test"'),
        (
            "https://oidc.franceconnect.gouv.fr/api/v2",
            "https://fcp-low.sbx.dev-franceconnect.fr/api/v2",
        ),
        ("https://oidc.franceconnect.gouv.fr/api/v2", "https://auth.franceconnect.gouv.fr/api/v2"),
        ("https://oidc", "http://oidc"),
        ("https://oidc.franceconnect.gouv.fr", "http://127.0.0.1:8000"),
        ('name = "fc"', 'name = "FC/../x"'),
        ('kind = "franceconnect"', 'kind = "facebook"'),
        ('secret_file = "/secrets/fc"', ""),
        ('client_id = "hygie"', ""),
        ('"openid", ', ""),
        ("[[provider]]", "[provider]"),
        ("[[provider]]", "[[provider]"),
        ("scopes", 'algorithms = ["none"]\nscopes'),
        ("scopes", 'algorithms = ["HS256"]\nscopes'),
        ("scopes", "algorithms = []\nscopes"),
        ("scopes", 'userinfo = "plain"\nscopes'),
        ("scopes", 'userinfo = "encrypted"\nscopes'),
        ("scopes", "simulator = true\nscopes"),
        ("scopes", "mounted = true\nscopes"),
        ("scopes", 'colour = "blue"\nscopes'),
        ("scopes", 'authentication = "private_key_jwt"\nscopes'),
        ("scopes", 'authentication = "none"\nscopes'),
        ("scopes", '[provider.endpoints]\ntoken_endpoint = "http://x.example"\n#'),
    ],
)
def test_a_description_that_breaks_a_rule_is_refused(before: str, after: str) -> None:
    assert before in GOOD
    with pytest.raises(ConfigurationError):
        read_providers(GOOD.replace(before, after, 1), realm="production")


def test_two_providers_have_two_names() -> None:
    with pytest.raises(ConfigurationError):
        read_providers(GOOD + GOOD, realm="production")


@pytest.mark.parametrize("realm", ["test", "production"])
def test_simulators_are_refused_outside_demonstration(tmp_path: Path, realm: str) -> None:
    text = described(tmp_path, "http://127.0.0.1:8000")
    assert len(read_providers(text, realm="demonstration")) == 4
    with pytest.raises(ConfigurationError):
        read_providers(text, realm=realm)
    with pytest.raises(ConfigurationError, match="simulator"):
        read_providers(text.replace('"demonstration"', f'"{realm}"'), realm=realm)


def test_a_file_that_is_absent_is_said(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="absent"):
        providers_of(Settings(data=tmp_path, providers=tmp_path / "absent.toml"))
    assert providers_of(Settings(data=tmp_path)) == ()
    with pytest.raises(NotFound):
        known_of(Settings(data=tmp_path), "franceconnect")


def test_a_card_of_another_realm_is_refused() -> None:
    claims = {"ins": "271034101800130", "ins_oid": "1.2.250.1.213.1.4.10"}
    assert matricule_of(claims, realm="test") == "271034101800130"
    assert matricule_of({}, realm="production") == ""
    with pytest.raises(Forbidden):
        matricule_of(claims, realm="production")


async def test_the_job_recognises_and_nobody_without_the_right_compares(
    repository: Repository,
) -> None:
    await put(repository, person("jeanne"), person("other", family="Autre"))
    verdict = await recognise(repository, PIVOT, realm="demonstration", at=DAY)
    assert verdict.person is not None
    assert verdict.person.reference == "Patient/jeanne"
    right = frozenset({Right.IDENTIFY})
    refused = [
        job("notices"),
        Caller(CallerKind.ADMINISTRATOR, 0, "account/1"),
        Caller(CallerKind.PATIENT, 0, "Patient/x", rights=right),
        Caller(CallerKind.RESEARCHER, 0, "Practitioner/x", rights=right),
    ]
    for caller in refused:
        with pytest.raises(Forbidden):
            await repository.candidates(caller, sought(PIVOT))
    allowed = Caller(CallerKind.ADMINISTRATOR, 0, "account/1", rights=right)
    assert len(await repository.candidates(allowed, sought(PIVOT))) == 2


async def test_the_job_that_recognises_reads_no_record(repository: Repository) -> None:
    await put(repository, person("jeanne"))
    with pytest.raises((Forbidden, NotFound)):
        await repository.read(CALLER, "Patient", "jeanne")
