"""The predicate algebra of access: rules of clauses, one disjunction, deny by default.

One ``Policy`` object gives every face of a rule: the decision in memory, the SQL predicate and the
name of the rule that permitted (``faces``), the sentences, and a formula for proofs. Nothing else
in the code base decides who may see what (trust, D1).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from hygie.kernel.security.caller import Caller, Duty, Right
from hygie.kernel.security.clauses import Atom, Clause, Language, Logic, Subject

F = TypeVar("F")


@dataclass(frozen=True, slots=True)
class Rule:
    """A conjunction of clauses that permits; ``fr`` and ``en`` say it in one sentence."""

    name: str
    clauses: tuple[Clause, ...]
    fr: str
    en: str

    def allows(self, caller: Caller, subject: Subject) -> bool:
        """Tell whether every clause holds."""
        return all(clause.test(caller, subject) for clause in self.clauses)

    def sentence(self, language: Language) -> str:
        """Return why it permits, in one sentence."""
        return self.fr if language == "fr" else self.en

    def formula(self, symbol: Callable[[Atom], F], logic: Logic[F]) -> F:
        """Return the conjunction of its clauses."""
        return logic.every([clause.formula(symbol, logic) for clause in self.clauses])


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why somebody may or may not: ``rule`` permitted, or came closest (None: none could)."""

    allowed: bool
    rule: str | None
    sentence: str


@dataclass(frozen=True, slots=True)
class Live:
    """A rule that may still permit a caller: its place in the policy and what is left to check."""

    place: int
    rule: Rule
    clauses: tuple[Clause, ...]


_ANYBODY = Subject(None)
_NOBODY = {"fr": "Aucune règle ne permet cet accès.", "en": "No rule permits this access."}
Stance = tuple[int, str, frozenset[Right], int, frozenset[Duty]]


def stance_of(caller: Caller) -> Stance:
    """Return what of a caller the atoms about the caller alone read."""
    return int(caller.kind), caller.purpose, caller.rights, caller.level, caller.duties


@dataclass(frozen=True, slots=True)
class Policy:
    """One disjunction of rules; whatever no rule permits is refused.

    A resource of several patients is permitted if the rules permit for one of them, or, where
    ``every`` is set, for each of them.
    """

    rules: tuple[Rule, ...]
    every: bool = False
    _live: dict[Stance, tuple[Live, ...]] = field(
        default_factory=dict, repr=False, compare=False, hash=False
    )
    printed: dict[tuple[object, ...], str] = field(
        default_factory=dict, repr=False, compare=False, hash=False
    )
    """Texts of the rules, by stance and alias: pure, so that each is printed once."""

    def live(self, caller: Caller) -> tuple[Live, ...]:
        """Return the rules that may still permit this caller, with the clauses left to check.

        It depends on the kind, the purpose, the rights, the level and the duties only, never on a
        fact of the record, so it is worked out once for each combination.
        """
        stance = stance_of(caller)
        found = self._live.get(stance)
        if found is None:
            found = self._live[stance] = tuple(self._left(caller))
        return found

    def _left(self, caller: Caller) -> Iterator[Live]:
        for place, rule in enumerate(self.rules):
            known = [one for one in rule.clauses if _caller_only(one)]
            if all(one.test(caller, _ANYBODY) for one in known):
                left = tuple(one for one in rule.clauses if not _caller_only(one))
                yield Live(place, rule, left)

    def allowing(self, caller: Caller, subject: Subject) -> Rule | None:
        """Return the first rule that permits for one patient of a resource, or None."""
        for one in self.live(caller):
            for clause in one.clauses:
                if not clause.test(caller, subject):
                    break
            else:
                return one.rule
        return None

    def decide(self, caller: Caller, subjects: Sequence[Subject]) -> Rule | None:
        """Return the rule that permits a resource, given its facts for each of its patients."""
        found = [self.allowing(caller, subject) for subject in subjects]
        if self.every and not all(found):
            return None
        return next((rule for rule in found if rule is not None), None)

    def explain(self, caller: Caller, subject: Subject, language: Language = "fr") -> Explanation:
        """Return why this caller may or may not, in one sentence.

        A refusal tells what the rule that came closest still wants.
        """
        rule = self.allowing(caller, subject)
        if rule is not None:
            return Explanation(allowed=True, rule=rule.name, sentence=rule.sentence(language))
        closest: tuple[float, Rule, Clause] | None = None
        for one in self.live(caller):
            failing = [clause for clause in one.clauses if not clause.test(caller, subject)]
            missing = len(failing) / len(one.clauses)
            if closest is None or missing < closest[0]:
                closest = (missing, one.rule, failing[0])
        if closest is None:
            return Explanation(allowed=False, rule=None, sentence=_NOBODY[language])
        said = closest[2].words(language, holds=False)
        return Explanation(
            allowed=False, rule=closest[1].name, sentence=f"{said[:1].upper()}{said[1:]}."
        )

    def formula(self, symbol: Callable[[Atom], F], logic: Logic[F]) -> F:
        """Return the policy in another logic: a model for proofs."""
        return logic.some([rule.formula(symbol, logic) for rule in self.rules])

    def atoms(self) -> list[Atom]:
        """Return every atom, each once, in the order the rules name them."""
        found = (atom for rule in self.rules for one in rule.clauses for atom in one.atoms())
        return list({atom.name: atom for atom in found}.values())


def _caller_only(clause: Clause) -> bool:
    return all(atom.caller_only for atom in clause.atoms())
