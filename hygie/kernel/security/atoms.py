"""The elementary facts that access rules are made of; the rules themselves are the domains'."""

from __future__ import annotations

from collections.abc import Collection

from hygie.kernel.security.caller import Duty, Kind, Right
from hygie.kernel.security.clauses import Atom, Words
from hygie.kernel.security.labels import Label
from hygie.kernel.security.relations import Relation


def kind_is(kind: Kind, said: Words) -> Atom:
    """Return the atom that the caller is of a kind."""
    return Atom(f"is_{kind.name.lower()}", lambda caller, _: caller.kind == kind, None, said)


def purpose_in(name: str, purposes: Collection[str], said: Words) -> Atom:
    """Return the atom that the caller asks for one of these purposes."""
    wanted = frozenset(purposes)
    return Atom(name, lambda caller, _: caller.purpose in wanted, None, said)


def has_right(right: Right, said: Words) -> Atom:
    """Return the atom that the account has a right."""
    return Atom(f"may_{right.value}", lambda caller, _: right in caller.rights, None, said)


def has_duty(duty: Duty, said: Words) -> Atom:
    """Return the atom that the caller's profession has a duty."""
    name = f"duty_{duty.name.lower()}"
    return Atom(name, lambda caller, _: duty in caller.duties, None, said)


def related(relation: Relation, said: Words) -> Atom:
    """Return the atom that the caller has this relation with the patient now, or the record has."""
    bit = relation.bit
    return Atom(
        relation.name.lower(),
        lambda _, subject: bool(subject.bits & bit),
        lambda columns: f"({columns.bits} & {bit}) <> 0",
        said,
        int(relation),
        bit,
    )


def principal_related(relation: Relation, said: Words) -> Atom:
    """Return the atom that a professional under whom the caller acts has this relation."""
    bit = relation.principal_bit
    return Atom(
        f"principal_{relation.name.lower()}",
        lambda _, subject: bool(subject.bits & bit),
        lambda columns: f"({columns.bits} & {bit}) <> 0",
        said,
        int(relation),
        bit,
    )


def labelled(label: Label, name: str, said: Words) -> Atom:
    """Return the atom that the resource carries a label.

    Written with ``=``, which PostgreSQL expects to hold of few rows, and its negation of nearly
    all. With ``<>`` it expects the reverse, and looks relations up row by row.
    """
    bit = int(label)
    return Atom(
        name,
        lambda _, subject: bool(subject.label & bit),
        lambda columns: f"({columns.row}.label & {bit}) = {bit}",
        said,
    )


def matter_in(name: str, matters: Collection[int], said: Words) -> Atom:
    """Return the atom that the resource is about one of these matters."""
    wanted = frozenset(matters)
    listed = ",".join(map(str, sorted(wanted)))
    return Atom(
        name,
        lambda _, subject: subject.matter in wanted,
        lambda columns: f"{columns.row}.matter = ANY ('{{{listed}}}'::smallint[])",
        said,
    )


IS_SYSTEM = kind_is(
    Kind.SYSTEM,
    Words(
        "vous êtes l’exploitant local",
        "vous n’êtes pas l’exploitant local",
        "you are the local operator",
        "you are not the local operator",
    ),
)
IS_JOB = kind_is(
    Kind.JOB,
    Words(
        "c’est un travail automatique de la plateforme",
        "ce n’est pas un travail automatique de la plateforme",
        "it is a named job of the platform",
        "it is not a named job of the platform",
    ),
)
IS_PATIENT = kind_is(
    Kind.PATIENT,
    Words(
        "vous êtes un patient ou un proche",
        "vous n’êtes ni un patient ni un proche",
        "you are a patient or somebody close to one",
        "you are neither a patient nor somebody close to one",
    ),
)
IS_PROFESSIONAL = kind_is(
    Kind.PROFESSIONAL,
    Words(
        "vous êtes un professionnel",
        "vous n’êtes pas un professionnel",
        "you are a professional",
        "you are not a professional",
    ),
)
OWN_RECORD = Atom(
    "own_record",
    lambda caller, subject: subject.pat is not None and caller.party == subject.pat,
    lambda columns: f"coalesce({columns.pat} = {columns.party}, FALSE)",
    Words(
        "c’est votre propre dossier",
        "ce n’est pas votre dossier",
        "this is your own record",
        "this is not your own record",
    ),
)
AUTHOR = Atom(
    "author",
    lambda caller, subject: subject.author is not None and caller.party == subject.author,
    lambda columns: f"coalesce({columns.row}.author = {columns.party}, FALSE)",
    Words(
        "vous en êtes l’auteur",
        "vous n’en êtes pas l’auteur",
        "you wrote it",
        "you did not write it",
    ),
)
IN_DIRECTORY = Atom(
    "in_directory",
    lambda _, subject: subject.pat is None and subject.directory,
    lambda columns: (
        f"{columns.row}.pat IS NULL "
        f"AND {columns.row}.rt = ANY (ARRAY (SELECT t.rt FROM directory_type t))"
    ),
    Words(
        "cette information ne concerne aucun patient",
        "cette information concerne un patient, ou personne ne sait lequel",
        "this information is about no patient",
        "this information is about a patient, or nobody knows which",
    ),
)
IN_MATRIX = Atom(
    "in_matrix",
    lambda caller, subject: bool(caller.matters[subject.matter >> 3] >> (subject.matter & 7) & 1),
    lambda columns: f"get_bit({columns.matters}, {columns.row}.matter) = 1",
    Words(
        "votre profession peut lire ce type de document",
        "votre profession ne lit pas ce type de document",
        "your profession may read this type of document",
        "your profession does not read this type of document",
    ),
)
MASKED = labelled(
    Label.MASKED_FROM_PROFESSIONALS,
    "masked",
    Words(
        "le patient l’a masqué",
        "le patient ne l’a pas masqué",
        "the patient masked it",
        "the patient did not mask it",
    ),
)
UNANNOUNCED = labelled(
    Label.HIDDEN_FROM_PATIENT,
    "unannounced",
    Words(
        "il attend une consultation d’annonce",
        "rien n’oblige à l’annoncer d’abord",
        "it waits for an announcement visit",
        "it needs no announcement first",
    ),
)
SECRET = labelled(
    Label.HIDDEN_FROM_REPRESENTATIVES,
    "secret",
    Words(
        "la personne l’a caché à ses proches",
        "la personne ne l’a pas caché à ses proches",
        "the person hid it from relatives",
        "the person did not hide it from relatives",
    ),
)
WITHDRAWN = labelled(
    Label.WITHDRAWN,
    "withdrawn",
    Words(
        "cette version a été retirée",
        "cette version n’a pas été retirée",
        "this version was withdrawn",
        "this version was not withdrawn",
    ),
)
VERY_RESTRICTED = labelled(
    Label.VERY_RESTRICTED,
    "very_restricted",
    Words(
        "il est très confidentiel",
        "il n’est pas marqué très confidentiel",
        "it is very restricted",
        "it is not very restricted",
    ),
)
