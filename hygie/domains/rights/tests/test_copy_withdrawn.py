"""What was withdrawn since leaves the copy that a representative prepared."""

from __future__ import annotations

from typing import Any

from hygie.domains.rights.tests.conftest import Over
from hygie.domains.rights.tests.test_copy_ending import old_uncle
from hygie.domains.rights.tests.test_copy_over_fhir import gone, prepared
from hygie.testing.stories import LUCIE

Json = dict[str, Any]
REMOVAL = {"role": "removal"}


def corrected(over: Over, name: str, body: Json) -> None:
    """Replace a condition and withdraw what stood before, as the page of corrections does."""
    place = f"Condition/asthma-{name}"
    provenance = {
        "resourceType": "Provenance", "recorded": "2026-11-22T09:00:00+01:00",
        "target": [{"reference": place}],
        "agent": [{"who": {"reference": f"Patient/{name}"}}],
        "entity": [{**REMOVAL, "what": {"reference": f"{place}/_history/1"}}],
    }  # fmt: skip
    bundle = {
        "resourceType": "Bundle", "type": "transaction",
        "entry": [
            {"resource": body, "request": {"method": "PUT", "url": place}},
            {"resource": provenance, "request": {"method": "POST", "url": "Provenance"}},
        ],
    }  # fmt: skip
    reply = over.operator()("POST", "", bundle)
    assert reply.status == 200, reply.body


def test_what_was_corrected_since_takes_the_copy_of_a_representative_away(over: Over) -> None:
    name = "uncle-corrects"
    old_uncle(over, name)
    wrong = over.operator()("GET", f"Condition/asthma-{name}").json
    over.tell({**wrong, "code": {"text": "Asthme sévère"}})
    lucie, own = over.person(LUCIE), over.person(name)
    status, mine = prepared(over, lucie, name), prepared(over, own, name)
    assert "Asthme" in lucie("GET", f"{status}/history/Condition.ndjson").body.decode()
    assert lucie("GET", f"Condition/asthma-{name}/_history/1").status == 200
    corrected(over, name, {**wrong, "code": {"text": "Bronchite"}})
    assert lucie("GET", f"Condition/asthma-{name}/_history/1").status == 404
    assert gone(lucie("GET", f"{status}/history/Condition.ndjson"))
    assert own("GET", f"{mine}/history/Condition.ndjson").status == 200
