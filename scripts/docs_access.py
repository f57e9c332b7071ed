"""Print docs/reference/access.md from the access rules and the list of directory types."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from importlib.resources import files

from docs_markdown import code, codes, page, table

from hygie.kernel.security import rules
from hygie.kernel.security.algebra import Atom, Policy
from hygie.kernel.security.caller import Kind, Right
from hygie.kernel.security.labels import Label


def access_page() -> str:
    """Return the page."""
    return page(
        "Who may see and do what",
        "The rules are `hygie/kernel/security/rules.py`. A rule permits when all its atoms hold. "
        "Whatever no rule permits is refused. The same object decides in memory, prints the SQL "
        "predicate of every query, and prints these sentences. The name of the rule that permitted "
        "stands in every trace. The tables of `tests/spec` say the same with people and records. "
        "No rule is by profession yet; there is no emergency access.",
        "## Reading",
        _rules(rules.READ),
        "## Creating, changing, deleting",
        _rules(rules.WRITE),
        "A change needs the rule on what is stored and on the new content: nobody moves a resource "
        "into a record, or out of one, that they may not write. Only the local operator makes a "
        "new Patient or a resource of no patient, and chooses the id of a new resource.",
        "## Atoms",
        table(
            ("Atom", "French", "English", "Known before any row is read"),
            [_atom(atom) for atom in _atoms()],
        ),
        "A label is a code in `meta.security` or, for a document, `securityLabel`: "
        f"{codes(label.name.lower() for label in Label if label.name)}. "
        "The care team of a patient is what active CareTeam resources say, each member for their "
        "period. A helper is a person whom an active Consent of the patient permits. Both are "
        "written in the transaction of that resource (`hygie/domains/consent/fhir.py`).",
        "## The access log",
        "AuditEvent has rules of its own (`hygie/kernel/audit/query.py`): a patient reads the "
        "traces of their own record, a professional those of their own acts, the local operator "
        "all, nobody else any.",
        "## Kinds of callers",
        f"Kinds: {codes(kind.name.lower() for kind in Kind)}. "
        f"Rights given to an account and not deduced from a relation: {codes(Right)}.",
        "## Types that concern no patient",
        "Any known caller reads these, as long as the resource names no patient.",
        table(("Why", "Types"), _directory()),
    )


def _rules(policy: Policy) -> str:
    return table(
        ("Rule", "Atoms, all needed", "French", "English"),
        [
            (
                code(rule.name),
                codes(atom.name for atom in rule.atoms),
                rule.sentence("fr"),
                rule.sentence("en"),
            )
            for rule in policy.rules
        ],
    )


def _atoms() -> Iterable[Atom]:
    every = (
        atom for policy in (rules.READ, rules.WRITE) for rule in policy.rules for atom in rule.atoms
    )
    return {atom.name: atom for atom in every}.values()


def _atom(atom: Atom) -> tuple[str, ...]:
    return code(atom.name), atom.fr, atom.en, "yes" if atom.caller_only else "no"


def _directory() -> list[tuple[str, str]]:
    text = (
        files("hygie.kernel.store").joinpath("definitions/directory_types.csv").read_text("ascii")
    )
    types: dict[str, list[str]] = {}
    for row in csv.DictReader(text.splitlines()):
        types.setdefault(row["why"], []).append(row["type"])
    return [(why, codes(names)) for why, names in types.items()]
