"""Keep what happens to an account, and tell its person by the channel they chose."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone, translation
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from hygie.domains.sign_in.model.telling import EVERYWHERE, SILENT, Channel, Told
from hygie.domains.sign_in.orm import Event, Message, User
from hygie.domains.sign_in.service.sending import sender_of
from hygie.kernel.errors import Unavailable
from hygie.kernel.web.bridge import platform

ONCE = timedelta(days=1)
"""How long nobody is invited again."""
log = logging.getLogger(__name__)


def tell(account: User, what: Told, *, by: User | None = None, detail: str = "") -> None:
    """Write what happened, and notify: by every known channel where it could be an attack."""
    Event.objects.create(account=account, what=what.value, by=by, detail=detail)
    told = {"account": account.pk, "by": by.pk if by else None, "what": what.value}
    log.info("account.event", extra=told)
    if what in SILENT:
        return
    channels = set(_known(account)) if what in EVERYWHERE else {_chosen(account)}
    for channel in sorted(channels):
        message = Message.objects.create(
            account=account, channel=channel, text=_text(account, what)
        )
        if channel is not Channel.LETTER:
            transaction.on_commit(lambda one=message: send(one))  # type: ignore[misc]


def invite_to_sign_in(references: Sequence[str]) -> int:
    """Tell the accounts of people that something awaits them; return how many are told.

    The sentence says nothing of what it is, and leaves at most once a day.
    """
    since, told = timezone.now() - ONCE, 0
    for account in User.objects.filter(fhir_reference__in=references, is_active=True):
        with translation.override(account.language):
            text = _("Hygie : quelque chose de nouveau vous attend. Connectez-vous pour le lire.")
        if account.messages.filter(text=text, made__gt=since).exists():
            continue
        message = Message.objects.create(account=account, channel=_chosen(account), text=text)
        if message.channel != Channel.LETTER:
            send(message)
        told += 1
    return told


def send(message: Message) -> bool:
    """Send a waiting message; tell whether it left. One that fails waits for the next time."""
    channel = Channel(message.channel)
    sender = sender_of(channel, platform().settings)
    to = message.account.phone if channel is Channel.SMS else message.account.email
    if sender is None or not to:
        return False
    try:
        sender.send(to, message.text)
    except Unavailable as error:
        message.failed = type(error.__cause__).__name__[:80]
        message.save(update_fields=["failed"])
        log.warning("message.failed", extra={"notice": message.pk, "channel": message.channel})
        return False
    message.sent = timezone.now()
    message.save(update_fields=["sent"])
    return True


def words(what: str) -> Any:
    """Return what an event is called on pages and in notices, in the reader's language."""
    return {
        Told.SIGNED_IN_NEW_DEVICE: _("Connexion depuis un appareil nouveau"),
        Told.FACTOR_ADDED: _("Nouvelle preuve d’identité ajoutée"),
        Told.FACTOR_REMOVED: _("Preuve d’identité retirée"),
        Told.PASSWORD_CHANGED: _("Mot de passe changé"),
        Told.SHEET_PRINTED: _("Feuille d’activation imprimée"),
        Told.ACTIVATED: _("Compte activé"),
        Told.CODES_PRINTED: _("Nouvelle liste de codes"),
        Told.PHONE_CHANGED: _("Téléphone changé"),
        Told.CHANNEL_CHANGED: _("Façon d’être prévenu changée"),
        Told.RECOVERY_ASKED: _("Récupération du compte demandée à l’accueil"),
        Told.RECOVERY_APPROVED: _("Récupération du compte acceptée à l’accueil"),
        Told.RECOVERY_REFUSED: _("Récupération du compte refusée à l’accueil"),
        Told.RECOVERY_STOPPED: _("Récupération du compte arrêtée"),
        Told.RECOVERED: _("Compte récupéré : les anciennes preuves ne valent plus"),
        Told.SESSIONS_ENDED: _("Sessions fermées"),
    }[Told(what)]


def _text(account: User, what: Told) -> str:
    with translation.override(account.language):
        day = date_format(timezone.localtime(), "j F Y H:i")
        return _(
            "Hygie, votre compte : %(what)s, le %(day)s. Si ce n’est pas vous, ouvrez la page "
            "« Sécurité de mon compte » ou prévenez l’accueil de votre structure."
        ) % {"what": words(what), "day": day}


def _known(account: User) -> list[Channel]:
    found = [Channel.EMAIL] if account.email else []
    found += [Channel.SMS] if account.phone_proved else []
    return found or [Channel.LETTER]


def _chosen(account: User) -> Channel:
    known = [*_known(account), Channel.LETTER]
    wanted = Channel(account.channel)
    return wanted if wanted in known else known[0]
