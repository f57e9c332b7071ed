"""The predicate algebra of access: atoms, rules, one disjunction, deny by default.

One ``Policy`` object gives every face of a rule: the decision in memory, the SQL predicate, the
SQL expression that names the rule which allowed, and the sentences. Nothing else in the code base
decides who may see what (trust, D1).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

from hygie.kernel.security.caller import Caller

Language = Literal["fr", "en"]


@dataclass(frozen=True, slots=True)
class Subject:
    """The facts of one resource that the rules read.

    Attributes:
        pat: surrogate number of its patient, None for a resource of no patient.
        directory: True for types that hold no patient (Organization, ValueSet...).
        others: further patients in whose compartment it stands.
        relations: (patient, party, kind) of each care relation with these patients now.
        label: confidentiality labels, the bits of ``Label``.
        author: party that wrote it, None where nobody is named.
    """

    pat: int | None
    directory: bool = False
    others: frozenset[int] = frozenset()
    relations: frozenset[tuple[int, int, int]] = frozenset()
    label: int = 1
    author: int | None = None

    @property
    def patients(self) -> frozenset[int]:
        """Return every patient in whose compartment it stands."""
        return self.others if self.pat is None else self.others | {self.pat}


@dataclass(frozen=True, slots=True)
class Columns:
    """The SQL names the atoms are printed with.

    ``row`` is the alias of ``resource`` or ``resource_history``; ``kind`` and ``party`` are
    expressions: bound parameters for one caller, columns for a group of callers.
    """

    row: str
    kind: str
    party: str


@dataclass(frozen=True, slots=True)
class Atom:
    """One elementary fact, in memory, in SQL (two-valued, never NULL) and in words.

    ``caller_only`` atoms are known before any row is read, so they are evaluated away when the
    predicate is printed for one caller.
    """

    name: str
    test: Callable[[Caller, Subject], bool]
    sql: Callable[[Columns], str]
    fr: str
    en: str
    caller_only: bool = False


@dataclass(frozen=True, slots=True)
class Rule:
    """A conjunction of atoms that permits."""

    name: str
    atoms: tuple[Atom, ...]

    def allows(self, caller: Caller, subject: Subject) -> bool:
        """Tell whether every atom holds."""
        return all(atom.test(caller, subject) for atom in self.atoms)

    def sentence(self, language: Language) -> str:
        """Return the rule in words: the sentences of its atoms."""
        texts = [atom.fr if language == "fr" else atom.en for atom in self.atoms]
        return f"{' ; '.join(texts)}."


_ANYBODY = Subject(None)


@dataclass(frozen=True, slots=True)
class Policy:
    """One disjunction of rules; whatever no rule permits is refused."""

    rules: tuple[Rule, ...]

    def allowing(self, caller: Caller, subject: Subject) -> Rule | None:
        """Return the first rule that permits, or None."""
        for rule in self.rules:
            if rule.allows(caller, subject):
                return rule
        return None

    def rules_for(self, caller: Caller) -> list[tuple[Rule, tuple[Atom, ...]]]:
        """Return the rules that may still permit this caller, with the atoms left to check."""
        left: list[tuple[Rule, tuple[Atom, ...]]] = []
        for rule in self.rules:
            known = [atom for atom in rule.atoms if atom.caller_only]
            if all(atom.test(caller, _ANYBODY) for atom in known):
                left.append((rule, tuple(atom for atom in rule.atoms if not atom.caller_only)))
        return left

    def predicate_for(self, caller: Caller, columns: Columns) -> str:
        """Return the SQL predicate for one caller, partly evaluated."""
        branches = [_conjunction(atoms, columns) for _, atoms in self.rules_for(caller)]
        return _disjunction(branches)

    def predicate(self, columns: Columns) -> str:
        """Return the SQL predicate where the callers are rows of the query."""
        return _disjunction([_conjunction(rule.atoms, columns) for rule in self.rules])

    def rule_name(self, columns: Columns) -> str:
        """Return the SQL expression that names the permitting rule, or NULL."""
        cases = " ".join(
            f"WHEN {_conjunction(rule.atoms, columns)} THEN '{rule.name}'" for rule in self.rules
        )
        return f"CASE {cases} END"

    def explain(self, caller: Caller, subject: Subject, language: Language = "fr") -> str:
        """Return why this caller may or may not see this resource, in one sentence."""
        rule = self.allowing(caller, subject)
        if rule is not None:
            return rule.sentence(language)
        return "Aucune règle ne permet cet accès." if language == "fr" else "No rule permits this."


def _conjunction(atoms: Iterable[Atom], columns: Columns) -> str:
    texts = [f"({atom.sql(columns)})" for atom in atoms]
    return " AND ".join(texts) if texts else "TRUE"


def _disjunction(branches: list[str]) -> str:
    if "TRUE" in branches:
        return "TRUE"
    return f"({' OR '.join(branches)})" if branches else "FALSE"
