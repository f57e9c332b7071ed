"""The answer of a person to what an application asked from another device."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction

from hygie.domains.authorization.model.lifetimes import SESSION
from hygie.domains.authorization.orm import Ciba, Family
from hygie.domains.authorization.service.people import proven, visit_of
from hygie.domains.authorization.service.places import now
from hygie.kernel.errors import Forbidden, NotFound
from hygie.kernel.web.caller import EXERCISE

if TYPE_CHECKING:
    from django.http import HttpRequest


def answer(request: HttpRequest, number: int, *, allow: bool) -> None:
    """Grant or refuse a request of another device.

    Raises:
        NotFound: it is nobody's, was answered, or came too late.
        Forbidden: the session is not as strong as the application asks.
    """
    known = proven(request)
    with transaction.atomic():
        asked = (
            Ciba.objects.select_for_update(of=("self",))
            .filter(pk=number, account_id=request.user.pk, family=None, refused=False)
            .filter(expires__gt=now())
            .first()
        )
        if asked is None:
            raise NotFound("This request is over.")
        if not allow:
            asked.refused = True
            asked.save(update_fields=["refused"])
            return
        if known.level < asked.level:
            raise Forbidden("Sign in more strongly to grant this.")
        asked.family = Family.objects.create(
            app=asked.app,
            account_id=request.user.pk,
            scope=asked.scope,
            level=known.level,
            amr=known.amr,
            auth_time=known.auth_time,
            exercise=request.session.get(EXERCISE),
            visit=visit_of(request),
            until=now() + SESSION,
        )
        asked.save(update_fields=["family"])
