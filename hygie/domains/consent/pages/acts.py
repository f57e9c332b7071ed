"""What a person may change about the record: each act says what it does before it is done."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from hygie.domains.consent.service import decisions
from hygie.kernel.security.caller import Caller
from hygie.kernel.store import Repository


@dataclass(frozen=True, slots=True)
class Order:
    """An act about to be done: who, whose record, what exactly (empty for most), when."""

    repository: Repository
    caller: Caller
    patient: str
    key: str
    at: datetime


Do = Callable[[Order], Coroutine[object, object, None]]


@dataclass(frozen=True, slots=True)
class Act:
    """One act.

    Attributes:
        title: the question of its page.
        effect: what changes, one sentence a line.
        button: what is pressed.
        done: what the page of choices says afterwards.
        do: does it.
        sensitive: the password is asked again before.
    """

    title: Promise
    effect: Promise
    button: Promise
    done: Promise
    do: Do
    sensitive: bool = False


def _switch(use: Callable[..., Coroutine[object, object, None]], **state: bool) -> Do:
    async def do(order: Order) -> None:
        await use(order.repository, order.caller, order.patient, at=order.at, **state)

    return do


def _keyed(use: Callable[..., Coroutine[object, object, None]]) -> Do:
    async def do(order: Order) -> None:
        await use(order.repository, order.caller, order.patient, key=order.key, at=order.at)

    return do


ACTS: Final[dict[str, Act]] = {
    "team-agree": Act(
        _("Donner votre accord à votre équipe de soins ?"),
        _(
            "Les professionnels qui vous soignent liront votre dossier, chacun selon sa "
            "profession. Vous pouvez revenir sur cet accord à tout moment."
        ),
        _("Donner mon accord"),
        _("Votre équipe de soins peut lire votre dossier."),
        _switch(decisions.consent_to_team),
    ),
    "team-withdraw": Act(
        _("Retirer votre accord à votre équipe de soins ?"),
        _(
            "Dès maintenant, les membres de votre équipe ne liront plus votre dossier. Votre "
            "médecin traitant et les personnes à qui vous avez donné accès le lisent encore. "
            "Des soins peuvent être moins sûrs si un soignant ignore une allergie ou un "
            "traitement."
        ),
        _("Retirer mon accord"),
        _("Votre équipe de soins ne peut plus lire votre dossier."),
        _switch(decisions.withdraw_from_team),
        sensitive=True,
    ),
    "emergency-refuse": Act(
        _("Refuser l’accès en urgence ?"),
        _(
            "Si vous ne pouvez pas parler et que votre vie est en danger, un médecin qui ne "
            "vous connaît pas ne pourra pas ouvrir votre dossier."
        ),
        _("Refuser l’accès en urgence"),
        _("L’accès en urgence est refusé."),
        _switch(decisions.refuse_emergency, refused=True),
        sensitive=True,
    ),
    "emergency-allow": Act(
        _("Permettre l’accès en urgence ?"),
        _(
            "Un médecin pourra ouvrir votre dossier pendant quatre heures, avec un motif écrit. "
            "Vous serez prévenu et quelqu’un contrôlera cet accès. Il ne verra jamais vos "
            "documents masqués ni ceux que vous avez déposés."
        ),
        _("Permettre l’accès en urgence"),
        _("L’accès en urgence est possible."),
        _switch(decisions.refuse_emergency, refused=False),
        sensitive=True,
    ),
    "centre-15-refuse": Act(
        _("Refuser l’accès du Centre 15 ?"),
        _(
            "Le médecin qui répond quand on appelle le 15 pour vous ne pourra pas ouvrir votre "
            "dossier."
        ),
        _("Refuser l’accès du Centre 15"),
        _("L’accès du Centre 15 est refusé."),
        _switch(decisions.refuse_centre_15, refused=True),
        sensitive=True,
    ),
    "centre-15-allow": Act(
        _("Permettre l’accès du Centre 15 ?"),
        _(
            "Le médecin qui répond quand on appelle le 15 pour vous pourra ouvrir votre dossier "
            "pendant quatre heures. Vous serez prévenu."
        ),
        _("Permettre l’accès du Centre 15"),
        _("L’accès du Centre 15 est possible."),
        _switch(decisions.refuse_centre_15, refused=False),
        sensitive=True,
    ),
    "research-refuse": Act(
        _("Vous opposer à l’usage de vos données pour la recherche ?"),
        _(
            "Vos données n’entreront plus dans les études. Vos soins ne changent pas, et vous "
            "n’avez pas à dire pourquoi."
        ),
        _("M’opposer"),
        _("Vos données ne servent plus à la recherche."),
        _switch(decisions.refuse_research, refused=True),
    ),
    "research-allow": Act(
        _("Permettre de nouveau l’usage de vos données pour la recherche ?"),
        _("Vos données, sans votre nom, pourront servir à des études."),
        _("Permettre"),
        _("Vos données, sans votre nom, peuvent servir à la recherche."),
        _switch(decisions.refuse_research, refused=False),
    ),
    "close": Act(
        _("Fermer ce dossier ?"),
        _(
            "Plus personne d’autre que vous ne le lira, même en urgence. Rien ne sera effacé "
            "tout de suite : il est gardé dix ans, puis détruit. Pendant ce temps vous pouvez "
            "le rouvrir."
        ),
        _("Fermer le dossier"),
        _("Le dossier est fermé."),
        _switch(decisions.close),
        sensitive=True,
    ),
    "reopen": Act(
        _("Rouvrir ce dossier ?"),
        _("Il s’ouvre de nouveau, avec les choix que vous aviez faits."),
        _("Rouvrir le dossier"),
        _("Le dossier est rouvert."),
        _switch(decisions.reopen),
        sensitive=True,
    ),
    "oppose": Act(
        _("Refuser ce dossier ?"),
        _(
            "Le dossier ne sera ouvert à personne. Vos soignants gardent leurs propres "
            "dossiers. Vous pouvez changer d’avis."
        ),
        _("Refuser le dossier"),
        _("Vous avez refusé ce dossier."),
        _switch(decisions.oppose),
        sensitive=True,
    ),
    "accept": Act(
        _("Accepter ce dossier ?"),
        _("Le dossier s’ouvre. Personne ne le lit avant que vous ayez fait vos choix."),
        _("Accepter le dossier"),
        _("Le dossier est ouvert."),
        _switch(decisions.accept),
        sensitive=True,
    ),
    "end-membership": Act(
        _("Retirer de votre équipe de soins ?"),
        _("Dès maintenant, cette personne ne lira plus votre dossier comme membre de l’équipe."),
        _("Retirer"),
        _("Cette personne ne fait plus partie de votre équipe de soins."),
        _keyed(decisions.end_membership),
    ),
    "end-access": Act(
        _("Mettre fin à cet accès ?"),
        _("Dès maintenant, cette personne ne lira plus votre dossier."),
        _("Mettre fin à cet accès"),
        _("L’accès est terminé."),
        _keyed(decisions.end_access),
    ),
    "unblock": Act(
        _("Débloquer cette personne ?"),
        _("Elle pourra lire votre dossier si elle fait partie de votre équipe de soins."),
        _("Débloquer"),
        _("Cette personne n’est plus bloquée."),
        _keyed(decisions.unblock),
    ),
    "end-helper": Act(
        _("Mettre fin à cette aide ?"),
        _(
            "Dès maintenant, cette personne ne lira plus votre dossier "
            "et ne décidera plus pour vous."
        ),
        _("Mettre fin à cette aide"),
        _("Cette personne n’agit plus en votre nom."),
        _keyed(decisions.end_helper),
        sensitive=True,
    ),
}
"""Every act, by the name in its address."""
