"""Simulator of Pro Santé Connect: professional claims, and the telephone of the e-CPS (CIBA).

Claims: ``SubjectNameID``, ``SubjectRole``, ``SubjectRefPro`` and others, as named by the
national agency for digital health; the nested keys are to confirm. Userinfo is plain JSON.
"""

from __future__ import annotations

import secrets
from html import escape
from typing import Any

from hygie.testing.simulators.people import Professional
from hygie.testing.simulators.provider import (
    Character,
    Simulator,
    is_client,
    name_of,
    tokens_for,
)
from hygie.testing.simulators.web import Asked, Reply, hidden, page, told, wrong

ROLES = "1.2.250.1.213.1.1.5.5"
GRANT = "urn:openid:params:grant-type:ciba"
EVERY, LASTS = 2, 120
WAITING = {"fr": "Votre téléphone e-CPS", "en": "Your e-CPS telephone"}
NOTHING = {"fr": "Aucune demande en attente.", "en": "No request is waiting."}
COMPARE = {
    "fr": "{name}, approuvez seulement si votre écran montre ces lettres :",
    "en": "{name}, approve only if your screen shows these letters:",
}
APPROVE = {"fr": "Approuver", "en": "Approve"}
REFUSE = {"fr": "Refuser", "en": "Refuse"}
LOOK = {"fr": "Regarder à nouveau", "en": "Look again"}


def professional_claims(person: Professional, _scopes: frozenset[str]) -> dict[str, Any]:
    """Return what Pro Santé Connect says of a professional."""
    return {
        "preferred_username": person.national_id,
        "given_name": person.given,
        "family_name": person.family.upper(),
        "SubjectNameID": person.national_id,
        "SubjectRole": [f"{one.profession}^{ROLES}" for one in person.exercises],
        "Mode_Acces_Raison": "",
        "AccesRegulationMedicale": "true" if person.regulates else "false",
        "UITVersion": "1.0",
        "Palier_Authentification": "APPPRIP3^1.2.250.1.213.1.5.1.1.1",
        "PSI_Locale": "1.2.250.1.213.1.3.1.1",
        "otherIds": [{"identifiant": person.rpps, "origine": "RPPS", "qualite": 1}],
        "SubjectRefPro": {
            "codeCivilite": "M",
            "exercices": [
                {
                    "codeProfession": one.profession,
                    "codeCategorieProfessionnelle": "C",
                    "nomDexercice": person.family.upper(),
                    "prenomDexercice": person.given,
                    "codeTypeSavoirFaire": "S" if one.specialty else "",
                    "codeSavoirFaire": one.specialty,
                    "activities": [
                        {
                            "codeModeExercice": "L",
                            "codeSecteurDactivite": place.sector,
                            "numeroFinessSite": place.finess,
                            "numeroSiretSite": place.siret,
                            "identifiantTechniqueDeLaStructure": place.structure,
                            "raisonSocialeSite": place.name,
                        }
                        for place in one.activities
                    ],
                }
                for one in person.exercises
            ],
        },
    }


PRO_SANTE_CONNECT = Character(
    name="pro-sante-connect",
    title="Pro Santé Connect",
    levels=("eidas1",),
    userinfo="plain",
    scopes=("openid", "scope_all"),
    people=lambda everybody: everybody.professionals,
    claims=professional_claims,
    ciba=True,
)


class ProSanteConnect(Simulator):
    """The simulator with its back channel (OpenID CIBA Core 1.0, poll mode)."""

    def reply(self, asked: Asked) -> Reply:
        """Return the answer of an endpoint, those of CIBA too."""
        if asked.path == "/ciba":
            return self._asked(asked)
        if asked.path.startswith("/phone"):
            return self._phone(asked)
        if asked.path == "/token" and asked.form.get("grant_type") == GRANT:
            return self._polled(asked)
        return Simulator.reply(self, asked)

    def _asked(self, asked: Asked) -> Reply:
        if not is_client(self, asked):
            return wrong("invalid_client", status=401)
        hint, form = asked.form.get("login_hint", ""), asked.form
        known = {one.national_id for one in self.population() if isinstance(one, Professional)}
        if hint not in known:
            return wrong("unknown_user_id")
        number = secrets.token_urlsafe(24)
        kept = {name: form.get(name, "") for name in ("scope", "acr_values", "binding_message")}
        self.drawer.put("ciba", {**kept, "hint": hint, "state": "waiting"}, key=number)
        return told({"auth_req_id": number, "expires_in": LASTS, "interval": EVERY})

    def _polled(self, asked: Asked) -> Reply:
        if not is_client(self, asked):
            return wrong("invalid_client", status=401)
        number = asked.form.get("auth_req_id", "")
        kept = self.drawer.read("ciba", number)
        if kept is None:
            return wrong("expired_token")
        if kept["state"] == "waiting":
            return wrong("authorization_pending")
        if self.drawer.take("ciba", number) is None or kept["state"] != "approved":
            return wrong("access_denied")
        person = next(
            one
            for one in self.population()
            if isinstance(one, Professional) and one.national_id == kept["hint"]
        )
        return told(tokens_for(self, person, kept))

    def _phone(self, asked: Asked) -> Reply:
        """Show what waits for a professional on the second device, and take the answer."""
        language, who = asked.language, asked.values.get("who", "")
        number, decision = asked.form.get("request", ""), asked.form.get("decision", "")
        kept = self.drawer.read("ciba", number) if number else None
        if kept and decision in {"approved", "refused"} and kept["hint"] == who:
            self.drawer.put("ciba", {**kept, "state": decision}, key=number)
        return page(
            self.character.title,
            language,
            title=WAITING[language],
            body=self._waiting(who, language),
        )

    def _waiting(self, who: str, language: str) -> str:
        people = [one for one in self.population() if isinstance(one, Professional)]
        lines = "".join(
            _line(number, kept, person, language)
            for number, kept in self.drawer.all("ciba").items()
            for person in people
            if kept["state"] == "waiting"
            and person.national_id == kept["hint"]
            and who in {"", kept["hint"]}
        )
        again = f'<p><a href="{escape(self.root)}/phone?who={escape(who)}">{LOOK[language]}</a></p>'
        return (f"<ul>{lines}</ul>" if lines else f"<p>{NOTHING[language]}</p>") + again


def _line(number: str, kept: dict[str, Any], person: Professional, language: str) -> str:
    fields = hidden({"request": number, "who": kept["hint"]})
    return (
        f"<li><p>{escape(COMPARE[language].format(name=name_of(person)))}</p>"
        f'<p class="words">{escape(kept["binding_message"])}</p>'
        f'<form method="post">{fields}'
        f'<p><button name="decision" value="approved">{APPROVE[language]}</button></p>'
        f'<p><button name="decision" value="refused">{REFUSE[language]}</button></p></form></li>'
    )
