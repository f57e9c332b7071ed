"""Read the part of FHIRPath that SearchParameter expressions use (FHIR R4, searchparameter.html).

An expression becomes a tuple of branches, one for each side of ``|``. A branch is a path, such as
``Observation.component.value as Quantity``, or a condition that yields true or false, such as
``Patient.deceased.exists() and Patient.deceased != false``. Nothing is evaluated here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from hygie.kernel.errors import NotSupported


@dataclass(frozen=True, slots=True)
class Field:
    """Step down to an element by its name in the StructureDefinition (``value``, ``code``)."""

    name: str


@dataclass(frozen=True, slots=True)
class As:
    """Keep the values of one type: ``as X``, ``.as(X)``, ``.ofType(X)``."""

    type: str


@dataclass(frozen=True, slots=True)
class Where:
    """Keep the elements whose child ``field`` is the text ``value``."""

    field: str
    value: str


@dataclass(frozen=True, slots=True)
class ResolvesTo:
    """Keep the references to one resource type: ``where(resolve() is Patient)``."""

    type: str


@dataclass(frozen=True, slots=True)
class Item:
    """Keep one element of a list, counted from 0."""

    index: int


Step = Field | As | Where | ResolvesTo | Item


@dataclass(frozen=True, slots=True)
class Path:
    """A chain of steps.

    ``root`` is a resource type, ``%resource``, or the empty text for a path from the context.
    """

    root: str
    steps: tuple[Step, ...] = ()


@dataclass(frozen=True, slots=True)
class Test:
    """A path that must exist, or must differ from ``differs_from`` when that is not None."""

    path: Path
    differs_from: bool | None = None


@dataclass(frozen=True, slots=True)
class Condition:
    """Tests joined by ``and``; always yields one boolean."""

    tests: tuple[Test, ...]

    @property
    def root(self) -> str:
        """Return the resource type that the tests start from."""
        return self.tests[0].path.root


Branch = Path | Condition

_TOKEN = re.compile(
    r"\s*(?:(?P<name>[%$]?[A-Za-z_]\w*)|'(?P<text>(?:[^'\\]|\\.)*)'|(?P<number>\d+)"
    r"|(?P<sign>!=|[.()|\[\]=]))"
)
_EXISTS = Field("exists()")
_BOOLEANS = {"true": True, "false": False}


def parse_expression(expression: str) -> tuple[Branch, ...]:
    """Return the branches of a SearchParameter expression.

    >>> parse_expression("Patient.deceased.exists() and Patient.deceased != false")[0].root
    'Patient'
    >>> parse_expression("(Goal.target.due as date)")[0].steps[-1]
    As(type='date')

    Raises:
        NotSupported: the expression uses more of FHIRPath than search does.
    """
    reader = _Reader(expression)
    branches = [reader.branch()]
    while reader.accept("|"):
        branches.append(reader.branch())
    reader.expect_end()
    return tuple(branches)


class _Reader:
    """A recursive descent over the tokens of one expression."""

    def __init__(self, expression: str) -> None:
        self._expression = expression
        self._tokens = _tokens(expression)
        self._at = 0

    def branch(self) -> Branch:
        """Read one side of ``|``: tests joined by ``and``, or a lone path."""
        parts = [self._test()]
        while self.accept("and"):
            parts.append(self._test())
        if len(parts) == 1 and isinstance(parts[0], Path):
            return parts[0]
        return Condition(tuple(p if isinstance(p, Test) else Test(p) for p in parts))

    def accept(self, text: str) -> bool:
        """Consume the next token if it is a name or sign equal to ``text``."""
        kind, value = self._peek()
        if kind in ("name", "sign") and value == text:
            self._at += 1
            return True
        return False

    def expect_end(self) -> None:
        """Refuse whatever is left."""
        if self._at < len(self._tokens):
            raise self._unsupported()

    def _test(self) -> Path | Test:
        path = self._typed()
        if self.accept("!="):
            return Test(path, differs_from=self._boolean())
        if path.steps[-1:] == (_EXISTS,):
            return Test(Path(path.root, path.steps[:-1]))
        return path

    def _typed(self) -> Path:
        path = self._path()
        if self.accept("as"):
            return Path(path.root, (*path.steps, As(self._take("name"))))
        return path

    def _path(self) -> Path:
        if self.accept("("):
            inner = self._typed()
            self._expect(")")
            root, steps = inner.root, list(inner.steps)
        else:
            root, steps = self._start(self._take("name"))
        while True:
            if self.accept("."):
                steps.extend(self._step(self._take("name")))
            elif self.accept("["):
                steps.append(Item(int(self._take("number"))))
                self._expect("]")
            else:
                return Path(root, tuple(steps))

    def _start(self, name: str) -> tuple[str, list[Step]]:
        if name == "$this":
            return "", []
        if name[0].isupper() or name == "%resource":
            return name, []
        return "", self._step(name)

    def _step(self, name: str) -> list[Step]:
        if not self.accept("("):
            return [Field(name)]
        steps = self._call(name)
        self._expect(")")
        return steps

    def _call(self, function: str) -> list[Step]:
        if function in ("as", "ofType"):
            return [As(self._take("name"))]
        if function == "extension":
            return [Field("extension"), Where("url", self._take("text"))]
        if function == "where":
            return [self._filter()]
        if function == "exists":
            return [_EXISTS]
        raise self._unsupported()

    def _filter(self) -> Step:
        name = self._take("name")
        if name == "resolve" and self.accept("("):
            self._expect(")")
            self._expect("is")
            return ResolvesTo(self._take("name"))
        self._expect("=")
        return Where(name, self._take("text"))

    def _boolean(self) -> bool:
        name = self._take("name")
        if name not in _BOOLEANS:
            raise self._unsupported()
        return _BOOLEANS[name]

    def _peek(self) -> tuple[str, str]:
        return self._tokens[self._at] if self._at < len(self._tokens) else ("end", "")

    def _take(self, kind: str) -> str:
        found, value = self._peek()
        if found != kind:
            raise self._unsupported()
        self._at += 1
        return value

    def _expect(self, text: str) -> None:
        if not self.accept(text):
            raise self._unsupported()

    def _unsupported(self) -> NotSupported:
        return NotSupported(
            f"The search expression {self._expression!r} uses FHIRPath that search does not offer "
            f"(near token {self._at + 1}); rewrite it with paths, as, where and unions."
        )


def _tokens(expression: str) -> list[tuple[str, str]]:
    tokens: list[tuple[str, str]] = []
    at, text = 0, expression.rstrip()
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None or match.lastgroup is None:
            raise NotSupported(f"The search expression {expression!r} is not readable FHIRPath.")
        tokens.append((match.lastgroup, match[match.lastgroup]))
        at = match.end()
    return tokens
