"""Registers, impact assessments and breach reports as Markdown, in French or in English."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Literal

from hygie.domains.rights.model.measures import Breach, Measure
from hygie.domains.rights.model.register import Flow, resource_label
from hygie.domains.rights.service.controllers import Register

Language = Literal["fr", "en"]
Rows = Iterable[Sequence[str]]


def register_paper(register: Register, *, language: Language, at: date) -> str:
    """Return the register of processing of one controller (GDPR, article 30)."""
    say = _Say(language)
    title = say("Registre des activités de traitement", "Register of processing")
    parts = [
        f"# {title} — {register.controller.name}",
        f"{say('Établi le', 'Made on')} {at.isoformat()}. RGPD / GDPR 30.",
        _contacts(register, say),
    ]
    for activity, period in register.activities:
        parts.append(f"## {activity.purpose[language]}")
        label, basis = (
            _period(period.label_fr, period.label_en, say),
            say(period.basis_fr, period.basis_en),
        )
        rows = [
            (say("Base légale", "Legal basis"), activity.basis[language]),
            (say("Personnes", "People"), activity.people[language]),
            (say("Données", "Data"), activity.categories[language]),
            (say("Destinataires", "Recipients"), activity.recipients[language]),
            (say("Conservation", "Retention"), f"{label} — {period.years} {say('ans', 'years')}"),
            (say("Texte", "Text"), basis),
            (say("Transferts hors UE", "Transfers outside the EU"), say("aucun", "none")),
        ]
        parts.append(_table(("", ""), rows))
    parts.append(f"## {say('Sécurité', 'Security')} (RGPD / GDPR 32)")
    parts.append(_measures(register.measures, say))
    parts.append(f"## {say('Flux sortants', 'Outbound flows')}")
    parts.append(_flows(register.flows, say))
    return "\n\n".join(parts) + "\n"


def assessment_paper(register: Register, *, language: Language, at: date) -> str:
    """Return a draft of the impact assessment, in the outline of the CNIL's PIA method.

    What a person must judge is left to the structure, and said to be missing where it is.
    """
    say = _Say(language)
    missing = say("**À compléter par la structure.**", "**For the structure to complete.**")
    own = register.texts
    title = say("Analyse d’impact (projet)", "Impact assessment (draft)")
    parts = [
        f"# {title} — {register.controller.name}",
        f"{say('Établi le', 'Made on')} {at.isoformat()}. RGPD / GDPR 35.",
        _contacts(register, say),
        f"## 1. {say('Contexte', 'Context')}",
        f"### 1.1 {say('Vue d’ensemble', 'Overview')}",
        *(f"- {one.purpose[language]} — {one.basis[language]}" for one, _ in register.activities),
        f"### 1.2 {say('Données, processus et supports', 'Data, processes and assets')}",
        *(f"- {one.categories[language]}" for one, _ in register.activities),
        _flows(register.flows, say),
        f"## 2. {say('Principes fondamentaux', 'Fundamental principles')}",
        f"### 2.1 {say('Proportionnalité et nécessité', 'Proportionality and necessity')}",
        own.get("necessity", missing),
        f"### 2.2 {say('Droits des personnes', 'Rights of people')}",
        _rights(say),
        f"## 3. {say('Risques', 'Risks')}",
        f"### 3.1 {say('Mesures existantes', 'Existing measures')}",
        _measures(register.measures, say),
        f"### 3.2 {say('Accès illégitime', 'Illegitimate access')}",
        f"### 3.3 {say('Modification non désirée', 'Unwanted change')}",
        f"### 3.4 {say('Disparition de données', 'Disappearance of data')}",
        own.get("risks", missing),
        f"## 4. {say('Validation', 'Validation')}",
        own.get("opinion", missing),
    ]
    return "\n\n".join(parts) + "\n"


def breach_paper(
    breach: Breach, *, language: Language, at: datetime, measures: Sequence[Measure] = ()
) -> str:
    """Return the breach report under the headings of the CNIL's notification form."""
    say = _Say(language)
    judge = say("**À juger par l’exploitant.**", "**For the operator to judge.**")
    period = f"{breach.since.isoformat()} → {breach.until.isoformat()}"
    title = say("Notification de violation (projet)", "Breach notification (draft)")
    rows = [
        (say("Période", "Period"), period),
        (say("Accès tracés", "Traced accesses"), str(breach.accesses)),
        (say("Refus", "Refusals"), str(breach.refusals)),
        (say("Adresses réseau", "Network addresses"), str(breach.peers)),
        (say("Accès en urgence", "Emergency accesses"), str(breach.emergencies)),
        (say("Exports et opérations", "Exports and operations"), str(breach.exports)),
    ]
    types = [(resource_label(rt, language), str(count)) for rt, count in breach.types]
    parts = [
        f"# {title}",
        f"{say('Établi le', 'Made on')} {at.isoformat(timespec='seconds')}. RGPD / GDPR 33.",
        f"## 1. {say('Nature de la violation', 'Nature of the breach')}",
        judge,
        _table(("", ""), rows),
        f"## 2. {say('Personnes concernées', 'People concerned')}",
        _table(
            (say("Patients dont des données sont sorties", "Patients whose data left"),),
            [(str(breach.people),)],
        ),
        f"## 3. {say('Catégories de données', 'Categories of data')}",
        _table((say("Catégorie", "Category"), say("Accès", "Accesses")), types),
        f"## 4. {say('Qui', 'Who')}",
        _table((say("Qui", "Who"), say("Accès", "Accesses")), _counted(breach.agents)),
        f"## 5. {say('Règles qui ont permis', 'Rules that allowed')}",
        _table((say("Règle", "Rule"), say("Accès", "Accesses")), _counted(breach.rules)),
        f"## 6. {say('Conséquences probables', 'Likely consequences')}",
        judge,
        f"## 7. {say('Mesures prises ou proposées', 'Measures taken or proposed')}",
        _measures(measures, say) if measures else judge,
        f"## 8. {say('Communication aux personnes', 'Communication to people')} (RGPD / GDPR 34)",
        judge,
    ]
    return "\n\n".join(parts) + "\n"


class _Say:
    """Chooses the language of a text."""

    def __init__(self, language: Language) -> None:
        self.language = language

    def __call__(self, french: str, english: str) -> str:
        return french if self.language == "fr" else english


def _contacts(register: Register, say: _Say) -> str:
    unknown = say("non renseigné", "not given")
    return "\n".join(
        f"- {label} : {register.texts.get(part, unknown)}"
        for part, label in (
            ("contact", say("Responsable de traitement", "Controller")),
            ("dpo", say("Délégué à la protection des données", "Data protection officer")),
        )
    )


def _rights(say: _Say) -> str:
    rights = (
        ("Accès et portabilité : copie complète sur la page « Mes droits ».",
         "Access and portability: a complete copy from the page “My rights”."),
        ("Rectification : demande au professionnel, réponse motivée, provenance.",
         "Rectification: a request to the professional, a reasoned answer, provenance."),
        ("Effacement : immédiat pour ce qui n’est pas soumis à conservation, motivé sinon.",
         "Erasure: at once for what no retention covers, reasoned otherwise."),
        ("Limitation et opposition : effectives à l’instruction suivante.",
         "Restriction and objection: in force at the next statement."),
    )  # fmt: skip
    return "\n".join(f"- {say(*one)}" for one in rights)


def _measures(measures: Iterable[Measure], say: _Say) -> str:
    rows = [
        (say(*one.title), say(*one.state), say("oui", "yes") if one.active else say("non", "no"))
        for one in measures
    ]
    return _table((say("Mesure", "Measure"), say("État", "State"), say("Assurée", "Ensured")), rows)


def _flows(flows: Iterable[tuple[Flow, bool]], say: _Say) -> str:
    rows = [
        (
            one.recipient[say.language],
            one.country,
            one.data[say.language],
            one.basis[say.language],
            say("activé", "on") if on else say("coupé", "off"),
        )
        for one, on in flows
    ]
    head = (
        say("Destinataire", "Recipient"),
        say("Pays", "Country"),
        say("Données", "Data"),
        say("Base", "Basis"),
        say("État", "State"),
    )
    return _table(head, rows)


def _period(french: str, english: str, say: _Say) -> str:
    return say(french, english)


def _counted(pairs: Iterable[tuple[str, int]]) -> list[tuple[str, str]]:
    return [(name, str(count)) for name, count in pairs]


def _table(head: Sequence[str], rows: Rows) -> str:
    lines = [_row(head), _row(["---"] * len(head)), *(_row(row) for row in rows)]
    return "\n".join(lines)


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cell.replace('|', '/').replace(chr(10), ' ') for cell in cells)} |"
