"""What the pages call things."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _

from hygie.domains.federation.model.cases import State
from hygie.domains.federation.policy import Reason, Trait

if TYPE_CHECKING:
    from django.utils.functional import Promise

REASONS: dict[str, Promise] = {
    Reason.NOBODY: _("personne ici n’a cette identité"),
    Reason.SEVERAL: _("plusieurs personnes ont cette identité"),
    Reason.NEAR: _("une identité proche, pas la même"),
    Reason.PRESUMED_DATE: _("date de naissance incomplète"),
    Reason.NOT_QUALIFIED: _("identité pas encore qualifiée"),
    Reason.UNTRUSTED: _("identité marquée homonyme, douteuse ou fictive"),
    Reason.OTHER_REALM: _("matricule d’un autre domaine (test ou démonstration)"),
}
STATES: dict[str, Promise] = {
    State.WAITING: _("à vérifier"),
    State.DESK: _("attendue au guichet"),
    State.ACCEPTED: _("reconnue"),
    State.REFUSED: _("refusée"),
}
TRAITS: dict[Trait, Promise] = {
    Trait.FAMILY: _("Nom de naissance"),
    Trait.GIVEN: _("Prénoms"),
    Trait.BIRTH_DATE: _("Date de naissance"),
    Trait.SEX: _("Sexe"),
    Trait.BIRTH_PLACE: _("Lieu de naissance (code INSEE)"),
}
SEXES: dict[str, Promise] = {"female": _("femme"), "male": _("homme")}
