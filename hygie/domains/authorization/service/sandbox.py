"""The sandbox of integrators, in a demonstration: two applications, two people, one physician.

Everything in it is invented, has a fixed id, and comes back as it was at each reset.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import msgspec
from django.contrib.auth import get_user_model
from django.contrib.auth.hashers import make_password
from django.db import transaction

from hygie.domains.authorization.model import words
from hygie.domains.authorization.model.apps import CIBA, CODE, REFRESH, Audience, Proof, State
from hygie.domains.authorization.orm import App
from hygie.domains.authorization.service.places import issuer, now, realm
from hygie.domains.authorization.service.registering import tell_engine
from hygie.kernel.errors import NotSupported
from hygie.kernel.security.caller import SYSTEM
from hygie.kernel.web.bridge import ask, platform, repository
from hygie.kernel.web.tokens import end_application

BACK = "http://127.0.0.1:8765/back"
PATIENT_APP, DOCTOR_APP = "sandbox-patient", "sandbox-docteur"
ACCOUNTS = (
    ("bac.claire", "Claire Bac-à-sable", "patient", "Patient/sandbox-claire"),
    ("bac.docteur", "Dr Dominique Bac-à-sable", "professional", "Practitioner/sandbox-docteur"),
)
_DATA = ["patient/*.rs", "user/*.rs", "patient/Observation.cud"]
_COMMON = [words.OPENID, words.PROFILE, words.FHIR_USER, words.OFFLINE, words.ONLINE]
_ASKED = {
    PATIENT_APP: [*_COMMON, words.LAUNCH_PATIENT, "patient/*.rs"],
    DOCTOR_APP: [*_COMMON, words.LAUNCH, words.LAUNCH_PATIENT, words.LAUNCH_ENCOUNTER, *_DATA],
}
_WRITTEN = (
    *("Observation", "Condition", "DocumentReference", "QuestionnaireResponse", "Encounter"),
    *("AllergyIntolerance", "Immunization", "MedicationStatement", "DiagnosticReport"),
)
"""Types that an application may have added; whatever is not of the sandbox is taken away."""
MOST = "200"


@dataclass(frozen=True, slots=True)
class Shown:
    """The sandbox as its page shows it; ``ready`` once it was made."""

    ready: bool
    clients: tuple[str, ...]
    accounts: tuple[str, ...]
    password: str
    redirect_uri: str


def shown() -> Shown:
    """Return how to use the sandbox."""
    demo = platform().demo
    clients = tuple(_ASKED)
    ready = App.objects.filter(client_id__in=clients, sandbox=True).count() == len(clients)
    logins = tuple(login for login, *_ in ACCOUNTS)
    return Shown(ready, clients, logins, demo.password() if demo else "", BACK)


def reset() -> None:
    """Make the sandbox as it is at the beginning; what was granted in it ends.

    Raises:
        NotSupported: this is no demonstration.
    """
    demo = platform().demo
    if demo is None or realm() != "demonstration":
        raise NotSupported("There is a sandbox in a demonstration only.")
    ask(_restore())
    with transaction.atomic():
        App.objects.filter(sandbox=True).delete()
        apps = [_app(client, asked) for client, asked in _ASKED.items()]
        _open_accounts(demo.password())
    for app in apps:
        end_application(app.client_id)
        tell_engine(app)


async def _restore() -> None:
    records, kept = repository(), {(one["resourceType"], one["id"]) for one in _seeds()}
    for rid in [one["id"] for one in _seeds() if one["resourceType"] == "Patient"]:
        for rt in _WRITTEN:
            found = await records.search(SYSTEM, rt, [("patient", rid), ("_count", MOST)])
            for entry in found.entries:
                if (rt, entry.stored.rid) not in kept:
                    await records.delete(SYSTEM, rt, entry.stored.rid)
    for one in _seeds():
        body = msgspec.json.encode(one)
        await records.update(SYSTEM, one["resourceType"], one["id"], body)


def _app(client: str, asked: list[str]) -> App:
    doctor = client == DOCTOR_APP
    return App.objects.create(
        client_id=client,
        realm=realm(),
        sandbox=True,
        name="Bac à sable, cabinet" if doctor else "Bac à sable, patient",
        publisher="Hygie",
        contact="integrateurs@example.org",
        purpose_fr="Essayer Hygie depuis votre machine, sur des dossiers inventés.",
        purpose_en="Try Hygie from your own machine, on invented records.",
        privacy_url=f"{issuer()}/developers/",
        audience=Audience.PROFESSIONAL if doctor else Audience.PATIENT,
        redirect_uris=[BACK],
        launch_uri="http://127.0.0.1:8765/launch" if doctor else "",
        post_logout_uris=[BACK],
        proof=Proof.NONE,
        grants=[CODE, REFRESH, CIBA],
        asked=asked,
        approved=asked,
        state=State.APPROVED,
        decided=now(),
    )


def _open_accounts(password: str) -> None:
    model: Any = get_user_model()
    for login, name, kind, reference in ACCOUNTS:
        values = {
            "display_name": name,
            "kind": kind,
            "fhir_reference": reference,
            "password": make_password(password),
            "is_active": True,
        }
        model.objects.update_or_create(username=login, defaults=values)


@cache
def _seeds() -> list[dict[str, Any]]:
    table = files("hygie.domains.authorization").joinpath("definitions/sandbox.json")
    return list(msgspec.json.decode(table.read_bytes()))
