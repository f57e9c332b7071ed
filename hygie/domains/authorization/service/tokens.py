"""Tokens of one consent: issued together, ended together.

Access tokens stand in the kernel's table, where each request looks them up; refresh tokens and
codes stand here, by their SHA-256. An ID token is for the application alone: the engine knows none.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any

from hygie.domains.authorization.model import words
from hygie.domains.authorization.model.levels import acr
from hygie.domains.authorization.model.lifetimes import ACCESS, ID_TOKEN, IDLE
from hygie.domains.authorization.orm import App, Family, Refresh
from hygie.domains.authorization.orm.apps import digest
from hygie.domains.authorization.service.people import caller_for
from hygie.domains.authorization.service.places import fhir_base, issuer, now, subject_of
from hygie.domains.authorization.service.signing import sign
from hygie.kernel.platform import Granted
from hygie.kernel.web import tokens as kernel
from hygie.kernel.web.launching import launch_context

Json = dict[str, Any]


def answer(
    family: Family, scope: Sequence[str], *, grant: str, account: Any, nonce: str = ""
) -> Json:
    """Return the answer of the token endpoint, with the context of the launch.

    Source: SMART App Launch 2.2.0, "Launch context arrives with your access_token".
    """
    at = now()
    valid = min(ACCESS[grant], family.until - at)
    token = kernel.give(
        caller_for(account, family),
        client=family.app.client_id,
        scope=tuple(scope),
        patient=family.patient,
        family=family.pk,
        valid=valid,
    )
    told: Json = {
        "access_token": token,
        "token_type": "Bearer",
        "expires_in": int(valid.total_seconds()),
        "scope": " ".join(scope),
    }
    if lasts(family.scope):
        told["refresh_token"] = _refresh(family)
    if words.OPENID in scope:
        told["id_token"] = id_token(family, scope, account=account, nonce=nonce, access=token)
    return told | context(family) | _of_others(family, account, scope)


def _of_others(family: Family, account: Any, scope: Sequence[str]) -> Json:
    """Return what other domains add to the context, in a session of the pages."""
    if family.visit is None:
        return {}
    return launch_context(Granted(family.visit, family.pk, subject_of(account), tuple(scope)))


def context(family: Family) -> Json:
    """Return what an application is opened on."""
    told: Json = {}
    if family.patient:
        told = {
            "patient": family.patient,
            "need_patient_banner": family.banner,
            "smart_style_url": f"{issuer()}/oauth/style.json",
        }
    if family.encounter:
        told["encounter"] = family.encounter
    return told


def lasts(scope: Iterable[str]) -> bool:
    """Tell whether a refresh token goes with this scope."""
    return bool({words.ONLINE, words.OFFLINE} & set(scope))


def _refresh(family: Family) -> str:
    token = secrets.token_urlsafe(32)
    until = min(family.until, now() + IDLE)
    Refresh.objects.create(digest=digest(token), family=family, expires=until)
    return token


def id_token(family: Family, scope: Sequence[str], *, account: Any, nonce: str, access: str) -> str:
    """Return the ID token of a consent (OpenID Connect Core 1.0, section 2)."""
    at = now()
    half = hashlib.sha256(access.encode()).digest()[:16]
    claims: Json = {
        "iss": issuer(),
        "sub": subject_of(account),
        "aud": family.app.client_id,
        "iat": int(at.timestamp()),
        "exp": int((at + ID_TOKEN).timestamp()),
        "auth_time": int(family.auth_time.timestamp()),
        "acr": acr(family.level),
        "at_hash": base64.urlsafe_b64encode(half).decode().rstrip("="),
        **about(account, scope),
    }
    claims |= {"nonce": nonce} if nonce else {}
    claims |= {"amr": family.amr} if family.amr else {}
    claims |= {"sid": str(family.visit)} if family.visit else {}
    return sign(claims, algorithm=family.app.signature)


def about(account: Any, scope: Sequence[str]) -> Json:
    """Return what the scope tells of the person."""
    told: Json = {"name": account.display_name} if words.PROFILE in scope else {}
    if words.FHIR_USER in scope and account.fhir_reference:
        told["fhirUser"] = f"{fhir_base()}/{account.fhir_reference}"
    return told


def end(families: Iterable[Family]) -> None:
    """End consents: what was issued from them is refused from the next request on."""
    standing = [one for one in families if one.ended is None]
    Family.objects.filter(pk__in=[one.pk for one in standing]).update(ended=now())
    kernel.end_families([one.pk for one in standing])


def service_answer(app: App, scope: Sequence[str]) -> Json:
    """Return the token of a service that acts as its account, for what the operator approved."""
    account = app.acts_as
    grant = "client_credentials"
    family = Family(
        app=app, account=account, scope=list(scope), level=2, auth_time=now(), until=now()
    )
    valid: timedelta = ACCESS[grant]
    token = kernel.give(
        caller_for(account, family),
        client=app.client_id,
        scope=tuple(scope),
        patient="",
        family=family.pk,
        valid=valid,
    )
    return {
        "access_token": token,
        "token_type": "Bearer",
        "expires_in": int(valid.total_seconds()),
        "scope": " ".join(scope),
    }
