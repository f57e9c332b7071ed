"""A prepared copy ends with the right of who asked, and with what is hidden from them since."""

from __future__ import annotations

from datetime import date
from typing import Any

from hygie.domains.rights.api import FILES
from hygie.domains.rights.service.exports import folder_of
from hygie.domains.rights.tests.conftest import Over
from hygie.domains.rights.tests.test_copy_over_fhir import gone, prepared, urls
from hygie.domains.rights.tests.test_representatives import speaks_for
from hygie.testing.factories import condition, patient
from hygie.testing.stories import LUCIE, TOM

SECRET = {"system": "urn:oid:1.2.250.1.213.1.1.4.13", "code": "INVISIBLE_REPRESENTANTS_LEGAUX"}
UNTOLD = {"system": "urn:oid:1.2.250.1.213.1.1.4.13", "code": "INVISIBLE_PATIENT"}


def old_uncle(over: Over, name: str, **values: Any) -> None:
    """Tell of a person whom Lucie represents with a mandate."""
    over.tell(
        patient("Roy", name, id=name, **({"birthDate": "1940-01-01", "ins": ""} | values)),
        speaks_for(LUCIE, name, "mandate"),
        condition(f"Patient/{name}", "Asthme", id=f"asthma-{name}"),
    )


def test_a_copy_ends_with_the_mandate_of_who_asked(over: Over) -> None:
    old_uncle(over, "uncle-mandate")
    lucie = over.person(LUCIE)
    status = prepared(over, lucie, "uncle-mandate")
    manifest = lucie("GET", status).json
    assert manifest["extension"][FILES]["complete"] is False
    assert not any("traces/" in one for one in urls(manifest))
    over.tell(speaks_for(LUCIE, "uncle-mandate", "mandate") | {"status": "inactive"})
    for one in (status, *urls(manifest)):
        assert gone(lucie("GET", one)), one
    assert lucie("DELETE", status).status == 202


def test_a_copy_ends_when_the_person_gives_the_representative_less(over: Over) -> None:
    old_uncle(over, "uncle-less")
    lucie = over.person(LUCIE)
    status = prepared(over, lucie, "uncle-less")
    reader = speaks_for(LUCIE, "uncle-less", "mandate")
    reader["provision"]["actor"][0]["role"]["coding"][0]["code"] = "helper"
    over.tell(reader)
    refused = lucie("GET", f"{status}/dossier.pdf")
    assert refused.status in (403, 404)


def test_a_copy_that_a_parent_prepared_ends_at_majority(over: Over) -> None:
    mother = over.person(LUCIE)
    status = prepared(over, mother, TOM)
    manifest = mother("GET", status).json
    child = over.operator()("GET", f"Patient/{TOM}").json
    before = child["birthDate"]
    grown = date.today().replace(day=1).replace(year=date.today().year - 18)  # noqa: DTZ011
    over.tell(child | {"birthDate": grown.isoformat()})
    try:
        for one in (status, *urls(manifest)):
            assert mother("GET", one).status in (403, 404), one
    finally:
        over.tell(child | {"birthDate": before})


def test_what_is_hidden_since_takes_the_whole_copy_away(over: Over) -> None:
    name, data = "uncle-hides", over.service.platform.settings.data
    old_uncle(over, name)
    lucie, own = over.person(LUCIE), over.person(name)
    status, mine = prepared(over, lucie, name), prepared(over, own, name)
    assert lucie("GET", f"{status}/fhir/Condition.ndjson").status == 200
    label = {"resourceType": "Parameters", "parameter": [
        {"name": "meta", "valueMeta": {"security": [SECRET]}}]}  # fmt: skip
    assert over.operator()("POST", f"Condition/asthma-{name}/$meta-add", label).status == 200
    assert gone(lucie("GET", f"{status}/dossier.pdf"))
    assert not (folder_of(data) / status.rpartition("/")[2]).exists()
    assert own("GET", f"{mine}/dossier.pdf").status == 200
    label["parameter"] = [{"name": "meta", "valueMeta": {"security": [UNTOLD]}}]
    assert over.operator()("POST", f"Condition/asthma-{name}/$meta-add", label).status == 200
    assert gone(own("GET", f"{mine}/dossier.pdf"))


def test_what_the_person_saw_deleted_leaves_them_their_copy(over: Over) -> None:
    name = "uncle-deletes"
    old_uncle(over, name)
    own = over.person(name)
    status = prepared(over, own, name)
    assert over.operator()("DELETE", f"Condition/asthma-{name}").status == 204
    assert own("GET", f"{status}/dossier.pdf").status == 200
