"""The first rule set: own record, care team, helper, directory, system.

The rules of the national record (matrix by profession, masking, break-glass) narrow and extend
this one from ``domains/consent``.
"""

from __future__ import annotations

from collections.abc import Callable

from hygie.kernel.security.algebra import Atom, Columns, Policy, Rule, Subject
from hygie.kernel.security.caller import Caller, Kind
from hygie.kernel.security.labels import Label

CARE_TEAM = 1
"""``care_relation.kind`` of a member of the care team."""
HELPER = 2
"""``care_relation.kind`` of a person whom the patient lets read."""


def _related_to(match: str, kind: int, columns: Columns) -> str:
    return (
        f"EXISTS (SELECT 1 FROM care_relation f WHERE f.member = {columns.party} "
        f"AND f.kind = {kind} AND now() >= f.starts AND now() < f.ends AND {match})"
    )


def _relation(kind: int, columns: Columns) -> str:
    row = columns.row
    direct = _related_to(f"f.pat = {row}.pat", kind, columns)
    other = _related_to(f"f.pat = ANY ({row}.others)", kind, columns)
    return f"{direct} OR ({row}.others IS NOT NULL AND {other})"


def _relation_to_all(kind: int, columns: Columns) -> str:
    row = columns.row
    direct = _related_to(f"f.pat = {row}.pat", kind, columns)
    other = _related_to("f.pat = o.pat", kind, columns)
    return (
        f"{direct} AND ({row}.others IS NULL OR NOT EXISTS "
        f"(SELECT 1 FROM unnest({row}.others) AS o (pat) WHERE NOT {other}))"
    )


def _own(columns: Columns) -> str:
    row, party = columns.row, columns.party
    return (
        f"coalesce({row}.pat = {party}, FALSE) "
        f"OR ({row}.others IS NOT NULL AND {party} = ANY ({row}.others))"
    )


def _directory(columns: Columns) -> str:
    return (
        f"{columns.row}.pat IS NULL "
        f"AND {columns.row}.rt = ANY (ARRAY (SELECT t.rt FROM directory_type t))"
    )


def _is(kind: Kind) -> Atom:
    words = {
        Kind.SYSTEM: ("vous êtes l'exploitant local", "you are the local operator"),
        Kind.PATIENT: ("vous êtes un patient ou son aidant", "you are a patient or a helper"),
        Kind.PROFESSIONAL: ("vous êtes un professionnel", "you are a professional"),
    }
    fr, en = words[kind]
    return Atom(
        name=f"is_{kind.name.lower()}",
        test=lambda caller, _: caller.kind == kind,
        sql=lambda columns: f"{columns.kind} = {int(kind)}",
        fr=fr,
        en=en,
        caller_only=True,
    )


def _related(kind: int) -> Callable[[Caller, Subject], bool]:
    return lambda caller, subject: any(
        (patient, caller.party, kind) in subject.relations for patient in subject.patients
    )


def _related_to_all(kind: int) -> Callable[[Caller, Subject], bool]:
    return lambda caller, subject: (
        subject.pat is not None
        and all((patient, caller.party, kind) in subject.relations for patient in subject.patients)
    )


IS_SYSTEM = _is(Kind.SYSTEM)
IS_PATIENT = _is(Kind.PATIENT)
IS_PROFESSIONAL = _is(Kind.PROFESSIONAL)

OWN_RECORD = Atom(
    name="own_record",
    test=lambda caller, subject: caller.party == subject.pat or caller.party in subject.others,
    sql=_own,
    fr="c'est votre propre dossier",
    en="this is your own record",
)
IN_CARE_TEAM = Atom(
    name="in_care_team",
    test=_related(CARE_TEAM),
    sql=lambda columns: _relation(CARE_TEAM, columns),
    fr="vous faites partie de l'équipe de soins de ce patient",
    en="you belong to this patient's care team",
)
IN_EVERY_CARE_TEAM = Atom(
    name="in_every_care_team",
    test=_related_to_all(CARE_TEAM),
    sql=lambda columns: _relation_to_all(CARE_TEAM, columns),
    fr="vous faites partie de l'équipe de soins de chaque patient nommé",
    en="you belong to the care team of every patient it names",
)
IS_HELPER = Atom(
    name="is_helper",
    test=_related(HELPER),
    sql=lambda columns: _relation(HELPER, columns),
    fr="cette personne vous laisse lire son dossier",
    en="this person lets you read their record",
)
IN_DIRECTORY = Atom(
    name="in_directory",
    test=lambda _, subject: subject.pat is None and subject.directory,
    sql=_directory,
    fr="cette information ne concerne aucun patient",
    en="this information is about no patient",
)


def _without(label: Label, *, name: str, fr: str, en: str) -> Atom:
    return Atom(
        name=name,
        test=lambda _, subject: not subject.label & label,
        sql=lambda columns: f"({columns.row}.label & {int(label)}) = 0",
        fr=fr,
        en=en,
    )


ANNOUNCED = _without(
    Label.HIDDEN_FROM_PATIENT,
    name="announced",
    fr="rien n'oblige à vous l'annoncer d'abord",
    en="it needs no announcement to you first",
)
OPEN_TO_REPRESENTATIVES = _without(
    Label.HIDDEN_FROM_REPRESENTATIVES,
    name="open_to_representatives",
    fr="la personne ne l'a pas caché à ses proches",
    en="the person did not hide it from relatives",
)
UNMASKED = Atom(
    name="unmasked",
    test=lambda caller, subject: (
        not subject.label & Label.MASKED_FROM_PROFESSIONALS or caller.party == subject.author
    ),
    sql=lambda columns: (
        f"({columns.row}.label & {int(Label.MASKED_FROM_PROFESSIONALS)}) = 0 "
        f"OR coalesce({columns.row}.author = {columns.party}, FALSE)"
    ),
    fr="le patient ne l'a pas masqué, ou vous en êtes l'auteur",
    en="the patient did not mask it, or you wrote it",
)

DIRECTORY = Rule("directory", (IN_DIRECTORY,))

READ = Policy(
    (
        Rule("system", (IS_SYSTEM,)),
        Rule("own-record", (IS_PATIENT, OWN_RECORD, ANNOUNCED)),
        Rule("helper", (IS_PATIENT, IS_HELPER, ANNOUNCED, OPEN_TO_REPRESENTATIVES)),
        Rule("care-team", (IS_PROFESSIONAL, IN_CARE_TEAM, UNMASKED)),
        DIRECTORY,
    )
)
"""Who may read a resource, a version of it, or count it."""

WRITE = Policy(
    (
        Rule("system", (IS_SYSTEM,)),
        Rule("care-team", (IS_PROFESSIONAL, IN_EVERY_CARE_TEAM, UNMASKED)),
    )
)
"""Who may create, change or delete a resource; the care team may before and after the change.

Of every patient it names: one patient of one's own must not open the record of another, such as
by a CareTeam about a stranger in which the own patient takes part.
"""
