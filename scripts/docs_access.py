"""Print docs/reference/access.md from the access rules and the list of directory types."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from importlib.resources import files

from docs_markdown import code, codes, page, table

from hygie.domains.consent.policy.labelling import RELABEL, RELABELS
from hygie.domains.consent.policy.rules import READ, WRITE
from hygie.kernel.security.algebra import Policy, Rule
from hygie.kernel.security.caller import Kind, Right
from hygie.kernel.security.clauses import Atom, Clause, Either, Not
from hygie.kernel.security.labels import Label
from hygie.kernel.security.relations import PRINCIPAL, Relation


def access_page() -> str:
    """Return the page."""
    return page(
        "Who may see and do what",
        "The rules are `hygie/domains/consent/policy/rules.py`. A rule permits when all its facts "
        "hold; facts in brackets are alternatives. Whatever no rule permits is refused. The same "
        "object decides in memory, prints the SQL predicate of every query, and prints these "
        "sentences. The name of the rule that permitted stands in every trace. The tables of "
        "`tests/spec` say the same with people and records; `tests/proof` proves it.",
        "## Reading",
        _rules(READ),
        "A resource of several patients is read where the rules permit for one of them.",
        "## Creating, changing, deleting",
        _rules(WRITE),
        "A change needs the rule on what is stored and on the new content, for every patient it "
        "names: nobody moves a resource into a record, or out of one, that they may not write. "
        "Only the local operator makes a new Patient or a resource of no patient, and chooses the "
        "id of a new resource. What opens or closes a record to somebody passes a second check, "
        "`hygie/domains/consent/policy/guard.py`: who may state which fact.",
        "## Changing labels",
        _labels(RELABEL),
        "## Facts",
        table(
            ("Fact", "Where it holds", "Where it does not", "In English", "About the caller alone"),
            [_atom(atom) for atom in _atoms()],
        ),
        "A label is a code in `meta.security` or, for a document, `securityLabel`: "
        f"{codes(_names(_LABELS))}. The mark of a withdrawn version is none of them.",
        "## Relations",
        "Rows of `care_relation`, written in the transaction of the FHIR resource that states "
        "them. A decision reads them as one number of 64 bits: bit *k* is a relation of kind *k* "
        f"of the caller or of the caller's structure; bit *k* + {PRINCIPAL} one of a professional "
        "under whom the caller acts.",
        table(("Kind", "Number"), [(code(one.name.lower()), str(int(one))) for one in Relation]),
        "## The access log",
        "AuditEvent has rules of its own (`hygie/kernel/audit/query.py`).",
        "## Kinds of callers",
        f"Kinds: {codes(kind.name.lower() for kind in Kind)}. "
        f"Rights given to an account and not deduced from a relation: {codes(Right)}.",
        "## Types that concern no patient",
        "Any known caller reads these, as long as the resource names no patient.",
        table(("Why", "Types"), _directory()),
    )


def _rules(policy: Policy) -> str:
    return table(
        ("Rule", "Facts, all needed", "French", "English"), [_rule(rule) for rule in policy.rules]
    )


def _labels(policy: Policy) -> str:
    return table(
        ("Rule", "Facts, all needed", "French", "English", "Adds", "Removes"),
        [
            (*_rule(rule), codes(_names(moves.adds)), codes(_names(moves.removes)))
            for rule in policy.rules
            for moves in [RELABELS[rule.name]]
        ],
    )


_LABELS = ~Label.WITHDRAWN


def _names(labels: Label) -> list[str]:
    return [label.name.lower() for label in labels if label.name]


def _rule(rule: Rule) -> tuple[str, str, str, str]:
    facts = " ".join(_clause(clause) for clause in rule.clauses)
    return code(rule.name), facts, rule.sentence("fr"), rule.sentence("en")


def _clause(clause: Clause) -> str:
    if isinstance(clause, Either):
        told = [" and ".join(_clause(one) for one in branch) for branch in clause.branches]
        return f"[{' or '.join(told)}]"
    if isinstance(clause, Not):
        return f"not {code(clause.atom.name)}"
    return " ".join(code(atom.name) for atom in clause.atoms())


def _atoms() -> Iterable[Atom]:
    every = (atom for policy in (READ, WRITE, RELABEL) for atom in policy.atoms())
    return {atom.name: atom for atom in every}.values()


def _atom(atom: Atom) -> tuple[str, ...]:
    said = atom.said
    return code(atom.name), said.fr, said.fr_not, said.en, "yes" if atom.caller_only else "no"


def _directory() -> list[tuple[str, str]]:
    text = (
        files("hygie.kernel.store").joinpath("definitions/directory_types.csv").read_text("ascii")
    )
    types: dict[str, list[str]] = {}
    for row in csv.DictReader(text.splitlines()):
        types.setdefault(row["why"], []).append(row["type"])
    return [(why, codes(names)) for why, names in types.items()]
