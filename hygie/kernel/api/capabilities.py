"""The CapabilityStatement, printed from what is registered (FHIR R4, capabilitystatement.html)."""

from __future__ import annotations

from functools import cache
from typing import Any

import msgspec

from hygie.kernel.api.discovery import SMART
from hygie.kernel.api.engine import Engine
from hygie.kernel.api.http import HttpRequest, Response
from hygie.kernel.api.negotiation import check_accepts_json
from hygie.kernel.api.operations import address_of, known
from hygie.kernel.api.routes import ON_RESOURCES, PROVIDED, ROUTES, Route
from hygie.kernel.audit.provider import PARAMETERS
from hygie.kernel.errors import InvalidRequest, MethodNotAllowed, NotSupported
from hygie.kernel.fhir.names import RESOURCE_TYPES
from hygie.kernel.fhir.search.registry import Parameter, parameters
from hygie.kernel.store.compose import is_searched

_SYSTEM_LEVEL = frozenset({"transaction", "batch", "history-system"})
_SINCE = "2026-11-22"
_OAUTH_URIS = (
    ("authorize", "authorization_endpoint"),
    ("token", "token_endpoint"),
    ("introspect", "introspection_endpoint"),
    ("revoke", "revocation_endpoint"),
)
_SMART = "http://fhir-registry.smarthealthit.org/StructureDefinition"
_SERVICES = "http://terminology.hl7.org/CodeSystem/restful-security-service"
_STANDARD = "http://hl7.org/fhir/OperationDefinition"

_Operations = tuple[tuple[str, str, str], ...]
"""Type, name and address of the definition of each operation of this server."""
_Uris = tuple[tuple[str, str], ...]
"""Name and address of each door of the authorization server; none where there is none."""


async def capabilities(engine: Engine, request: HttpRequest) -> Response:
    """Return what this server does; it needs no token.

    ``mode=normative`` gets the whole too: each part tells by its type whether it is normative.

    Raises:
        NotSupported: ``mode=terminology``.
    """
    if request.method not in ("GET", "HEAD"):
        raise MethodNotAllowed("The CapabilityStatement takes a GET.")
    check_accepts_json(request)
    mode = request.parameter("mode") or "full"
    if mode == "terminology":
        raise NotSupported("There is no TerminologyCapabilities; ask for mode=full.")
    if mode not in ("full", "normative"):
        raise InvalidRequest("mode is full, normative or terminology.")
    told = tuple(
        (one.rt, one.code, address_of(one, engine.base)) for one in known(engine.operations)
    )
    smart = engine.documents.get(SMART, {})
    uris = tuple((name, str(smart[key])) for name, key in _OAUTH_URIS if key in smart)
    return Response(200, _statement(engine.base, engine.version, told, uris))


@cache
def _statement(base: str, version: str, operations: _Operations, uris: _Uris) -> bytes:
    return msgspec.json.encode(
        {
            "resourceType": "CapabilityStatement",
            "url": f"{base}/metadata",
            "version": version,
            "name": "Hygie",
            "title": "Hygie FHIR R4 repository",
            "status": "active",
            "experimental": True,
            "date": _SINCE,
            "description": (
                "An open e-health platform. Not HDS-certified, not a medical device, "
                "not SESAM-Vitale approved."
            ),
            "kind": "instance",
            "software": {"name": "Hygie", "version": version},
            "implementation": {"description": "Hygie", "url": base},
            "fhirVersion": "4.0.1",
            "format": ["application/fhir+json", "json"],
            "rest": [_rest(operations, uris)],
        }
    )


def _rest(operations: _Operations, uris: _Uris) -> dict[str, Any]:
    return {
        "mode": "server",
        "security": _security(uris),
        "resource": [_resource(rt, operations) for rt in sorted(RESOURCE_TYPES)],
        "interaction": [{"code": code} for code in _codes(ROUTES) if code in _SYSTEM_LEVEL],
    }


def _security(uris: _Uris) -> dict[str, Any]:
    """Return how one signs in (SMART App Launch 2.2.0, "Conformance")."""
    found: dict[str, Any] = {
        "cors": bool(uris),
        "description": "Every interaction but this one needs a bearer token (RFC 6750).",
    }
    if uris:
        within = [{"url": name, "valueUri": address} for name, address in uris]
        found["extension"] = [{"url": f"{_SMART}/oauth-uris", "extension": within}]
        coding = {"system": _SERVICES, "code": "SMART-on-FHIR"}
        found["service"] = [{"coding": [coding], "text": "OAuth2 with the SMART profile"}]
    return found


def _resource(rt: str, operations: _Operations) -> dict[str, Any]:
    routes = PROVIDED.get(rt, ROUTES)
    stored = rt not in PROVIDED
    found: dict[str, Any] = {
        "type": rt,
        "interaction": [{"code": code} for code in _codes(routes) if code not in _SYSTEM_LEVEL],
        "versioning": "versioned-update" if stored else "no-version",
        "readHistory": stored,
        "searchParam": [_search_parameter(one) for one in _searchable(rt)],
    }
    if stored:
        found |= {
            "updateCreate": True,
            "conditionalCreate": True,
            "conditionalRead": "not-match",
            "conditionalUpdate": True,
            "conditionalDelete": "single",
            "referencePolicy": ["literal", "logical"],
            "searchInclude": [
                f"{rt}:{one.code}" for one in _searchable(rt) if one.kind == "reference"
            ],
            "searchRevInclude": _revincludes(rt),
        }
    found["operation"] = [
        {"name": name, "definition": address} for owner, name, address in operations if owner == rt
    ]
    if stored:
        found["operation"] += [
            {"name": name, "definition": f"{_STANDARD}/Resource-{name}"} for name in ON_RESOURCES
        ]
    return {name: value for name, value in found.items() if value != []}


def _codes(routes: tuple[Route, ...]) -> list[str]:
    return list(dict.fromkeys(route.code for route in routes))


def _searchable(rt: str) -> list[Parameter]:
    known = [one for one in parameters(rt).values() if is_searched(one)]
    if rt in PROVIDED:
        known = [one for one in known if one.code in PARAMETERS]
    return sorted(known, key=lambda one: one.code)


def _search_parameter(one: Parameter) -> dict[str, str]:
    found = {"name": one.code, "type": one.kind}
    return {**found, "definition": one.url} if one.url else found


@cache
def _referring() -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for source in sorted(RESOURCE_TYPES - set(PROVIDED)):
        for one in _searchable(source):
            for target in one.targets if one.kind == "reference" else ():
                found.setdefault(target, []).append(f"{source}:{one.code}")
    return found


def _revincludes(rt: str) -> list[str]:
    return _referring().get(rt, [])
