"""The banner of who acts for somebody, and what people are told of helps on their home page."""

from __future__ import annotations

from datetime import UTC, datetime

from django.http import HttpRequest
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _

from hygie.domains.helping.model import limits
from hygie.domains.helping.model.invitations import State
from hygie.domains.helping.model.measures import Stage
from hygie.domains.helping.orm import DeskMandate, Invitation, Protection, Standing
from hygie.domains.helping.pages.asking import account, now, own_id
from hygie.domains.helping.pages.words import QUALITIES, last_day
from hygie.domains.helping.service.news import News, news_of
from hygie.domains.helping.service.people import Helped, whom
from hygie.kernel.platform import Announcement
from hygie.kernel.web.acting import acting_of
from hygie.kernel.web.bridge import ask, repository
from hygie.kernel.web.caller import caller_of


def banner(request: HttpRequest) -> list[Announcement]:
    """Say, on every page, for whom one acts, in what quality and until when; offer to stop."""
    acting = acting_of(request)
    if acting is None:
        return []
    words = {"name": acting.name, "quality": QUALITIES[acting.quality]}
    ends = acting.ends and datetime.fromtimestamp(acting.ends, UTC)
    if not ends:
        text = _("Vous agissez pour %(name)s, %(quality)s.") % words
    elif acting.quality == "desk":
        words["end"] = date_format(localtime(ends), "H:i")
        text = _("Vous agissez pour %(name)s, %(quality)s, jusqu’à %(end)s.") % words
    else:
        words["end"] = date_format(last_day(ends) or ends, "j F Y")
        text = _("Vous agissez pour %(name)s, %(quality)s, jusqu’au %(end)s.") % words
    return [
        Announcement(
            text=text,
            link=(_("Son dossier"), reverse("patient:home:home")),
            post=(_("Arrêter"), reverse("patient:helping:stop")),
            urgent=True,
        )
    ]


def news(request: HttpRequest) -> list[Announcement]:
    """Announce, on a home, whom one may act for; each answer, first act, end and majority."""
    own, at = own_id(request), now()
    helped = [_offer(one) for one in whom(repository(), account(request)) if one.patient != own]
    return [*helped, *(_of_oneself(request, own, at) if own else [])]


def _offer(one: Helped) -> Announcement:
    address = reverse("patient:helping:act", kwargs={"patient": one.patient})
    text = _("Vous pouvez agir pour %(name)s.") % {"name": one.name}
    return Announcement(text, link=(_("Agir pour cette personne"), address))


def _of_oneself(request: HttpRequest, own: str, at: datetime) -> list[Announcement]:
    told = ask(news_of(repository(), caller_of(request), at=at))
    since = at - limits.days("told-for", at=at.date())
    names = _names(own)
    said = [_sentence(one.news, names.get(one.who, ""), _day(one.at)) for one in told]
    mine = (_("Qui m’aide, qui j’aide"), reverse("patient:helping:mine"))
    return [Announcement(text, link=mine) for text in (*_written(own, since), *said)]


def _names(own: str) -> dict[str, str]:
    """Return how those are called who came by an invitation, a desk or a document."""
    invited = Invitation.objects.filter(patient=own).exclude(reference="")
    beside = Standing.objects.filter(patient=own)
    named = Protection.objects.filter(patient=own)
    return {
        **dict(named.values_list("representative", "name")),
        **dict(beside.values_list("reference", "account__display_name")),
        **dict(invited.values_list("reference", "name")),
    }


def _written(own: str, since: datetime) -> list[str]:
    """Return what happened to invitations, at a desk and to measures since a day."""
    told = [
        (one.answered or since, _answers()[one.state] % {"name": one.name})
        for one in Invitation.objects.filter(
            patient=own, answered__gte=since, state__in=list(_answers())
        )
    ]
    told += [
        (one.starts or since, _("Un agent vous aide au guichet : %(act)s") % {"act": one.act})
        for one in DeskMandate.objects.filter(patient=own, starts__gte=since)
    ]
    told += [
        (one.answered or since, _("%(name)s peut agir en votre nom") % {"name": one.name})
        for one in Protection.objects.filter(
            patient=own, answered__gte=since, state=Stage.CONFIRMED.value
        )
    ]
    newest = sorted(told, key=lambda one: one[0], reverse=True)
    return [_("%(what)s, le %(day)s.") % {"what": what, "day": _day(when)} for when, what in newest]


def _answers() -> dict[str, str]:
    return {
        State.ACCEPTED.value: _("%(name)s a accepté de vous aider"),
        State.DECLINED.value: _("%(name)s ne souhaite pas vous aider"),
        State.LEFT.value: _("%(name)s a cessé de vous aider"),
    }


def _sentence(kind: News, name: str, day: str) -> str:
    words = {
        News.FIRST_ACT: _("%(name)s a ouvert votre dossier pour vous aider, le %(day)s."),
        News.ENDED: _("Une aide a pris fin le %(day)s."),
        News.MAJORITY_OWN: _("18 ans, le %(day)s : vous seul décidez, vos parents ne lisent plus."),
        News.MAJORITY_CHILD: _("Un de vos enfants a 18 ans le %(day)s : lui seul décide ensuite."),
        News.RENEWAL: _("Une mesure de protection finit le %(day)s : pensez à la renouveler."),
    }
    return words[kind] % {"name": name or _("Un proche"), "day": day}


def _day(at: datetime) -> str:
    return date_format(localtime(at), "j F Y")
