"""What rules are made of: elementary facts, their negations, and one of several.

Each is told in memory, in SQL, in words and as a symbol of a proof.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, TypeVar

from hygie.kernel.security.caller import Caller

Language = Literal["fr", "en"]
F = TypeVar("F")


@dataclass(frozen=True, slots=True)
class Subject:
    """The facts of one resource, for one of its patients and one caller.

    Attributes:
        pat: surrogate number of the patient, None for a resource of no patient.
        directory: True for types that hold no patient (Organization, ValueSet...).
        bits: what the caller and the patient are to each other now (``relations``).
        label: confidentiality labels, the bits of ``Label``.
        matter: what it is about (``matters``), 0 where nobody can tell.
        author: party that wrote it, None where nobody is named.
    """

    pat: int | None
    directory: bool = False
    bits: int = 0
    label: int = 1
    matter: int = 0
    author: int | None = None


@dataclass(frozen=True, slots=True)
class Columns:
    """The SQL expressions that atoms are printed with.

    ``row`` is the alias of the resource; ``pat`` the patient considered; ``bits`` the relations
    with that patient; ``party`` and ``matters`` are the caller's.
    """

    row: str
    pat: str
    bits: str
    party: str
    matters: str


class Clause(Protocol):
    """Something that holds or not: an atom, its negation, or one of several."""

    def test(self, caller: Caller, subject: Subject) -> bool:
        """Tell whether it holds."""
        ...

    def print(self, columns: Columns) -> str:
        """Return it as SQL, never NULL."""
        ...

    def words(self, language: Language, *, holds: bool) -> str:
        """Return what it says where it holds, or where it does not."""
        ...

    def atoms(self) -> Iterator[Atom]:
        """Yield the atoms it is made of."""
        ...

    def formula(self, symbol: Callable[[Atom], F], logic: Logic[F]) -> F:
        """Return it in another logic, with a symbol for each atom."""
        ...


class Logic(Protocol[F]):
    """The connectives of a logic, such as those of a theorem prover."""

    def every(self, parts: Sequence[F]) -> F:
        """Return the conjunction."""
        ...

    def some(self, parts: Sequence[F]) -> F:
        """Return the disjunction."""
        ...

    def negation(self, part: F) -> F:
        """Return the negation."""
        ...


@dataclass(frozen=True, slots=True)
class Words:
    """One fact in words: as a part of a sentence, where it holds and where it does not."""

    fr: str
    fr_not: str
    en: str
    en_not: str

    def tell(self, language: Language, *, holds: bool) -> str:
        """Return the words."""
        if language == "fr":
            return self.fr if holds else self.fr_not
        return self.en if holds else self.en_not


@dataclass(frozen=True, slots=True)
class Atom:
    """One elementary fact, in memory, in SQL (two-valued, never NULL) and in words.

    An atom without SQL is about the caller alone: it reads only the kind, the purpose, the rights
    and the level, so that it is evaluated away before any row is read. ``relation`` is the kind of
    ``care_relation`` that it reads, if any, and ``bit`` where it stands among the relations.
    """

    name: str
    holds: Callable[[Caller, Subject], bool]
    sql: Callable[[Columns], str] | None
    said: Words
    relation: int | None = None
    bit: int = 0

    @property
    def caller_only(self) -> bool:
        """Tell whether it is known before any row is read."""
        return self.sql is None

    @property
    def needs_relations(self) -> bool:
        """Tell whether it reads the relations with the patient."""
        probe = Columns("r", "", "<bits>", "", "")
        return self.sql is not None and "<bits>" in self.sql(probe)

    def test(self, caller: Caller, subject: Subject) -> bool:
        """Tell whether it holds."""
        return self.holds(caller, subject)

    def print(self, columns: Columns) -> str:
        """Return it as SQL."""
        if self.sql is None:
            raise ValueError(f"{self.name} is about the caller alone: it has no SQL")
        return f"({self.sql(columns)})"

    def words(self, language: Language, *, holds: bool) -> str:
        """Return what it says."""
        return self.said.tell(language, holds=holds)

    def atoms(self) -> Iterator[Atom]:
        """Yield itself."""
        yield self

    def formula(self, symbol: Callable[[Atom], F], logic: Logic[F]) -> F:
        """Return its symbol."""
        del logic
        return symbol(self)

    def __invert__(self) -> Not:
        return Not(self)


@dataclass(frozen=True, slots=True)
class Not:
    """An atom that must not hold."""

    atom: Atom

    def test(self, caller: Caller, subject: Subject) -> bool:
        """Tell whether the atom does not hold."""
        return not self.atom.holds(caller, subject)

    def print(self, columns: Columns) -> str:
        """Return it as SQL."""
        return f"(NOT {self.atom.print(columns)})"

    def words(self, language: Language, *, holds: bool) -> str:
        """Return what it says."""
        return self.atom.words(language, holds=not holds)

    def atoms(self) -> Iterator[Atom]:
        """Yield its atom."""
        yield self.atom

    def formula(self, symbol: Callable[[Atom], F], logic: Logic[F]) -> F:
        """Return the negation of the symbol."""
        return logic.negation(symbol(self.atom))


@dataclass(frozen=True, slots=True)
class Either:
    """A disjunction inside a rule: one of several must hold; each may be a conjunction."""

    branches: tuple[tuple[Atom | Not, ...], ...]

    @classmethod
    def of(cls, *branches: Atom | Not | tuple[Atom | Not, ...]) -> Either:
        """Return the disjunction of atoms, or of conjunctions of them."""
        return cls(tuple(one if isinstance(one, tuple) else (one,) for one in branches))

    def test(self, caller: Caller, subject: Subject) -> bool:
        """Tell whether one branch holds."""
        for branch in self.branches:
            for one in branch:
                if not one.test(caller, subject):
                    break
            else:
                return True
        return False

    def print(self, columns: Columns) -> str:
        """Return it as SQL."""
        return f"({' OR '.join(conjunction(branch, columns) for branch in self.branches)})"

    def words(self, language: Language, *, holds: bool) -> str:
        """Return what it says: one branch where it holds, none of them where it does not."""
        both, between = (" et ", " ou " if holds else " ; ") if language == "fr" else (
            " and ", " or " if holds else "; "
        )  # fmt: skip
        told = [
            both.join(one.words(language, holds=holds) for one in branch)
            for branch in self.branches
        ]
        return between.join(told)

    def atoms(self) -> Iterator[Atom]:
        """Yield the atoms of every branch."""
        for branch in self.branches:
            for one in branch:
                yield from one.atoms()

    def formula(self, symbol: Callable[[Atom], F], logic: Logic[F]) -> F:
        """Return the disjunction of the branches."""
        return logic.some(
            [
                logic.every([one.formula(symbol, logic) for one in branch])
                for branch in self.branches
            ]
        )


def conjunction(clauses: Sequence[Clause], columns: Columns) -> str:
    """Return clauses that must all hold, as SQL; relations are compared all at once."""
    wanted = [one.bit for one in clauses if isinstance(one, Atom) and one.bit]
    barred = [one.atom.bit for one in clauses if isinstance(one, Not) and one.atom.bit]
    parts = [one.print(columns) for one in clauses if not _stands_alone(one)]
    if wanted or barred:
        parts.insert(0, f"({columns.bits} & {sum({*wanted, *barred})}) = {sum(set(wanted))}")
    return " AND ".join(parts) if parts else "TRUE"


def _stands_alone(clause: Clause) -> bool:
    """Tell whether it is one relation, or one that must not be."""
    atom = clause.atom if isinstance(clause, Not) else clause
    return isinstance(atom, Atom) and atom.bit > 0
