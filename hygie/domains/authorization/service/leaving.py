"""Sign-outs: of the person here, then of the session at each application.

Sources: OpenID Connect RP-Initiated Logout 1.0; Back-Channel Logout 1.0.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.contrib.auth.signals import user_logged_out

from hygie.domains.authorization.model import words
from hygie.domains.authorization.orm import App, Family, Notice, Visit
from hygie.domains.authorization.service import tokens
from hygie.domains.authorization.service.outbound import send_form
from hygie.domains.authorization.service.places import issuer, now, subject_of
from hygie.domains.authorization.service.requesting import leave
from hygie.domains.authorization.service.server import server
from hygie.domains.authorization.service.signing import read_hint, sign
from hygie.kernel.errors import HygieError, InvalidRequest
from hygie.kernel.web.visits import VISIT

if TYPE_CHECKING:
    from django.http import HttpRequest

log = logging.getLogger(__name__)
EVENT = "http://schemas.openid.net/event/backchannel-logout"
MOST_TRIES = 6
TOKEN_LIVES = timedelta(minutes=2)


def listen() -> None:
    """Hear of every sign-out."""
    user_logged_out.connect(_over, dispatch_uid="authorization.leaving")


def _over(request: HttpRequest | None, user: Any, **_: Any) -> None:
    """End a session: what was granted for its length, and what applications believe of it."""
    kept = request.session.get(VISIT) if request is not None else None
    if kept:
        end_visit(uuid.UUID(kept), subject_of(user) if user is not None else "")


def end_visit(visit: uuid.UUID, subject: str) -> None:
    """End the consents that last for a session, and queue the notices of its end."""
    Visit.objects.filter(pk=visit).update(ended=now())
    families = list(Family.objects.filter(visit=visit, ended=None).select_related("app"))
    tokens.end(one for one in families if words.OFFLINE not in one.scope)
    told = {one.app_id for one in families if one.app.logout_uri}
    Notice.objects.bulk_create(
        [Notice(app_id=app, visit=visit, subject=subject) for app in told], ignore_conflicts=True
    )


def tell_applications() -> int:
    """Send the notices that wait; return how many were taken. One that fails is tried again."""
    waiting = Notice.objects.filter(next__lte=now()).select_related("app")[:100]
    return sum(_tell(one) for one in waiting)


def _tell(notice: Notice) -> bool:
    at = now()
    claims = {
        "iss": issuer(),
        "aud": notice.app.client_id,
        "sub": notice.subject,
        "sid": str(notice.visit),
        "iat": int(at.timestamp()),
        "exp": int((at + TOKEN_LIVES).timestamp()),
        "jti": str(uuid.uuid4()),
        "events": {EVENT: {}},
    }
    token = sign(claims, algorithm=notice.app.signature, kind="logout+jwt")
    try:
        send_form(notice.app.logout_uri, {"logout_token": token})
    except HygieError:
        log.info("logout.not_told", extra={"client": notice.app.client_id, "tries": notice.tries})
        _again(notice)
        return False
    notice.delete()
    return True


def _again(notice: Notice) -> None:
    notice.tries += 1
    if notice.tries >= MOST_TRIES:
        notice.delete()
        return
    notice.next = now() + timedelta(seconds=5 * 4**notice.tries)
    notice.save(update_fields=["tries", "next"])


def way_out(values: Mapping[str, str]) -> tuple[App | None, str, str]:
    """Return who asks for a sign-out, where it goes next, and the session it names.

    Raises:
        InvalidRequest: the address was not registered, or nobody is said to ask.
    """
    hint = values.get("id_token_hint", "")
    claims = read_hint(hint) if hint else {}
    name = str(claims.get("aud") or values.get("client_id") or "")
    if values.get("client_id", name) != name:
        raise InvalidRequest("client_id is not the audience of id_token_hint.")
    app = server().query_client(name) if name else None
    back = values.get("post_logout_redirect_uri", "")
    if back and (app is None or back not in app.post_logout_uris):
        raise InvalidRequest("post_logout_redirect_uri was not registered.")
    state = values.get("state", "")
    if back and state:
        back = leave(back, {"state": state}, state="")
    return app, back, str(claims.get("sid", ""))
