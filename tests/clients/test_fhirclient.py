"""A real client, fhirclient (SMART on FHIR for Python): its models against our answers."""

# ruff: noqa: ARG002, FBT002 - the signatures are fhirclient's

from __future__ import annotations

from typing import Any

import pytest

from hygie.testing.service import Service

# Its models call functions that Python deprecates; that is for its authors.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

server_module = pytest.importorskip("fhirclient.server")


class TokenServer(server_module.FHIRServer):  # type: ignore[misc,name-defined]
    """fhirclient's server with a bearer token in hand instead of a sign-in."""

    token = ""

    def _get(self, path: str, headers: dict[str, str] | None = None, nosign: bool = False) -> Any:
        return super()._get(path, self._with_token(headers), nosign=True)

    def post_json(self, path: str, resource_json: Any, nosign: bool = False) -> Any:
        return self._send("post", path, resource_json)

    def put_json(self, path: str, resource_json: Any, nosign: bool = False) -> Any:
        return self._send("put", path, resource_json)

    def delete_json(self, path: str, nosign: bool = False) -> Any:
        return self._send("delete", path, None)

    def _send(self, verb: str, path: str, body: Any) -> Any:
        url = f"{self.base_uri}{path}"
        headers = self._with_token({"Content-Type": "application/fhir+json"})
        answer = getattr(self.session, verb)(url, json=body, headers=headers)
        self.raise_for_status(answer)
        return answer

    def _with_token(self, headers: dict[str, str] | None) -> dict[str, str]:
        return {
            "Accept": "application/fhir+json",
            **(headers or {}),
            "Authorization": f"Bearer {self.token}",
        }


@pytest.fixture(scope="module")
def smart(service: Service) -> TokenServer:
    server = TokenServer(None, base_uri=service.base)
    server.token = service.token()
    return server


def test_models_are_created_read_updated_and_deleted(smart: TokenServer) -> None:
    from fhirclient.models.humanname import HumanName
    from fhirclient.models.patient import Patient

    patient = Patient()
    patient.name = [HumanName({"family": "Bihan", "given": ["Maël"]})]
    created = patient.create(smart)
    read = Patient.read(created["id"], smart)
    assert read.name[0].family == "Bihan"
    read.gender = "male"
    read.update(smart)
    assert Patient.read(created["id"], smart).gender == "male"
    read.delete(smart)
    with pytest.raises(Exception, match="410"):
        Patient.read(created["id"], smart)


def test_searches_give_models(smart: TokenServer) -> None:
    from fhirclient.models.organization import Organization

    for name in ("Smart Alpha", "Smart Beta"):
        Organization({"name": name}).create(smart)
    found = Organization.where({"name": "smart"}).perform_resources(smart)
    assert sorted(one.name for one in found) == ["Smart Alpha", "Smart Beta"]


def test_the_capability_statement_is_read(smart: TokenServer) -> None:
    assert smart.capabilityStatement.fhirVersion == "4.0.1"
