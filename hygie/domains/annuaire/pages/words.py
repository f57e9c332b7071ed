"""The words of public listings: languages, accessibility, fees."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from hygie.domains.annuaire.model.listing import Access, Sector

LANGUAGE_NAMES: dict[str, Promise] = {
    "fr": _("français"),
    "en": _("anglais"),
    "ar": _("arabe"),
    "de": _("allemand"),
    "es": _("espagnol"),
    "it": _("italien"),
    "pl": _("polonais"),
    "pt": _("portugais"),
    "ro": _("roumain"),
    "ru": _("russe"),
    "tr": _("turc"),
    "uk": _("ukrainien"),
    "zh": _("chinois"),
    "fsl": _("langue des signes française"),
}
ACCESS: dict[Access, Promise] = {
    Access.STEP_FREE: _("Entrée sans marche"),
    Access.LIFT: _("Ascenseur"),
    Access.TOILET: _("Toilettes accessibles"),
    Access.PARKING: _("Place de stationnement réservée"),
    Access.SIGN_LANGUAGE: _("Accueil en langue des signes"),
    Access.INDUCTION_LOOP: _("Boucle magnétique"),
}
SECTORS: dict[Sector, Promise] = {
    Sector.ONE: _("Secteur 1 : tarifs de l’Assurance Maladie"),
    Sector.TWO: _("Secteur 2 : honoraires libres"),
    Sector.TWO_OPTAM: _("Secteur 2 avec OPTAM : dépassements modérés"),
    Sector.NONE: _("Non conventionné"),
}
