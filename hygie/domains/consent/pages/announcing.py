"""What the pages of a portal announce: a running emergency, the two questions, news of accesses."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.http import HttpRequest
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _

from hygie.domains.consent.pages.reading import now
from hygie.domains.consent.service.running import running
from hygie.domains.consent.service.told import News, home
from hygie.kernel.platform import Announcement
from hygie.kernel.web.bridge import ask, repository
from hygie.kernel.web.caller import account_of, caller_of


def emergencies(request: HttpRequest) -> list[Announcement]:
    """Announce, on every page of a professional, each emergency access that runs."""
    found = ask(running(repository(), caller_of(request)))
    return [
        Announcement(
            text=_("Accès en urgence ouvert : il reste %(time)s.") % {"time": _left(one.ends)},
            link=(
                _("Ouvrir le dossier"),
                reverse("professional:record:summary", kwargs={"patient": one.patient}),
            ),
            post=(
                _("Terminer maintenant"),
                reverse("professional:consent:end", kwargs={"key": one.key}),
            ),
            urgent=True,
        )
        for one in found
    ]


def news(request: HttpRequest) -> list[Announcement]:
    """Announce, on the home of a patient, the two questions and what happened to the record."""
    account = account_of(request)
    rt, _slash, patient = (account.fhir_reference if account else "").partition("/")
    if rt != "Patient":
        return []
    caller, at = caller_of(request), now()
    found = []
    choices, newest = ask(home(repository(), caller, patient, at=at))
    if not choices.answered:
        address = reverse("patient:consent:first", kwargs={"patient": patient})
        text = _("Deux questions pour choisir qui lit votre dossier.")
        found.append(Announcement(text, link=(_("Répondre"), address), urgent=True))
    address = reverse("patient:consent:accesses", kwargs={"patient": patient})
    for one in newest:
        link = (_("Voir les accès"), f"{address}?who={one.who}")
        text = _sentence(one.news, one.name or _("Une personne"), one.at)
        found.append(Announcement(text, link=link, urgent=one.news is News.EMERGENCY))
    return found


def _sentence(kind: News, name: str, at: datetime) -> str:
    words = {
        News.FIRST_ACCESS: _("%(name)s a ouvert votre dossier pour la première fois, le %(day)s."),
        News.EMERGENCY: _("%(name)s a ouvert votre dossier en urgence, le %(day)s."),
        News.CHOICE: _("%(name)s a changé un choix sur votre dossier, le %(day)s."),
        News.PROLONGED: _("%(name)s a prolongé sa place dans votre équipe de soins, le %(day)s."),
    }
    return words[kind] % {"name": name, "day": date_format(localtime(at), "j F Y, H:i")}


def _left(ends: datetime) -> str:
    minutes = max(0, (ends - now()) // timedelta(minutes=1))
    return _("%(hours)d h %(minutes)02d") % {"hours": minutes // 60, "minutes": minutes % 60}
