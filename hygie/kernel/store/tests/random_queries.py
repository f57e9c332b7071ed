"""Random searches over every kind of parameter, drawn from the same small vocabularies."""

from __future__ import annotations

from hypothesis import strategies as st

from hygie.kernel.fhir.search.registry import Parameter, parameters
from hygie.kernel.store.search.query import SUPPORTED_MODIFIERS
from hygie.kernel.store.tests.random_records import (
    CITIES,
    CODES,
    DATES,
    FAMILIES,
    GIVENS,
    IDS,
    LABELS,
    MAKERS,
    NUMBERS,
    PROFILES,
    SYSTEMS,
    UCUM,
)
from hygie.testing.oracle import BASE

Pair = tuple[str, str]
PREFIXES = ["", "eq", "ne", "gt", "lt", "ge", "le", "sa", "eb", "ap"]
TARGETS = ["Patient", "Practitioner", "Group", "Organization", "Encounter", "DocumentReference"]
WORDS = [*CODES, *LABELS, "true", "false", "final", "active", "male", "female", "0601", "current"]
# Composites of which one part can be asked: the others are refused (see store.compose).
COMPOSITES = {
    "Observation": [
        "code-value-concept", "code-value-date", "code-value-quantity", "code-value-string",
        "combo-code-value-concept", "combo-code-value-quantity", "component-code-value-concept",
        "component-code-value-quantity",
    ],
    "DocumentReference": ["relationship"],
    "ValueSet": ["context-type-quantity", "context-type-value"],
}  # fmt: skip


def escaped(text: str) -> str:
    """Return a value in which no character separates."""
    for character in "\\,|$":
        text = text.replace(character, f"\\{character}")
    return text


def cut(text: str) -> st.SearchStrategy[str]:
    return st.builds(
        lambda start, length: text[start : start + length] or text,
        st.integers(0, 2),
        st.integers(1, 12),
    )


words = st.sampled_from(WORDS).map(escaped)
systems = st.sampled_from(SYSTEMS)
codes = st.sampled_from(CODES).map(escaped)
numbers = st.sampled_from(NUMBERS)
prefixed_numbers = st.builds(str.__add__, st.sampled_from(PREFIXES), numbers)
dates = st.builds(str.__add__, st.sampled_from(PREFIXES), st.sampled_from(DATES))
texts = (
    st.sampled_from([*FAMILIES, *GIVENS, *CITIES])
    .flatmap(lambda text: st.one_of(st.just(text), cut(text), st.just(text.upper())))
    .filter(lambda text: bool(text.strip(" -',.;_")))
    .map(escaped)
)
pair_tokens = st.builds("{}|{}".format, systems, codes)
tokens = st.one_of(words, pair_tokens, words.map("|{}".format), systems.map("{}|".format))
quantities = st.one_of(
    prefixed_numbers,
    st.builds("{}||{}".format, prefixed_numbers, st.sampled_from(["mg", "milligram", "tablet"])),
    st.builds(
        "{}|{}|{}".format,
        prefixed_numbers,
        st.sampled_from([UCUM, UCUM, "urn:s:1"]),
        st.sampled_from(["mg", "g", "kg", "mmol/L", "umol/L", "min", "h", "a"]),
    ),
)
identifiers = st.one_of(codes, pair_tokens, codes.map("|{}".format))


def implied(one: Parameter) -> st.SearchStrategy[str]:
    """Return tokens that name the system a code of this parameter belongs to."""
    return st.builds("{}|{}".format, st.sampled_from(one.implicit_systems), st.just("") | words)


def references() -> st.SearchStrategy[str]:
    ids = st.sampled_from(IDS)
    literal = st.builds("{}/{}".format, st.sampled_from(TARGETS), ids)
    return st.one_of(
        ids,
        literal,
        literal,
        literal.map(f"{BASE}/{{}}".format),
        literal.map("http://other.test/fhir/{}".format),
    )


def composites(one: Parameter) -> st.SearchStrategy[str]:
    kinds = {
        "token": st.one_of(codes, pair_tokens, codes.map("|{}".format)),
        "quantity": quantities,
        "date": dates,
        "string": texts,
        "reference": st.builds("{}/{}".format, st.just("DocumentReference"), st.sampled_from(IDS)),
    }
    if one.code == "relationship":
        kinds["token"] = st.just("replaces")
    return st.tuples(*(kinds[part.kind] for part in one.components)).map("$".join)


def values(one: Parameter, modifier: str) -> st.SearchStrategy[str]:
    """Return values that suit a parameter and a modifier."""
    if modifier == "missing":
        return st.sampled_from(["true", "false"])
    if modifier == "of-type":
        return st.builds("{}|{}|{}".format, systems, codes, codes)
    if modifier == "identifier":
        return identifiers
    simple = {
        "string": texts,
        "token": tokens | implied(one) if one.implicit_systems else tokens,
        "date": dates,
        "number": prefixed_numbers,
        "quantity": quantities,
        "uri": st.sampled_from(PROFILES),
    }
    if one.kind in simple:
        return simple[one.kind]
    return references() if one.kind == "reference" else composites(one)


def searchable(rt: str) -> list[Parameter]:
    """Return the parameters of a type that can be searched."""
    return [
        one
        for one in parameters(rt).values()
        if one.expression
        and one.kind != "special"
        and one.code not in ("_id", "_lastUpdated")
        and (one.kind != "composite" or one.code in COMPOSITES.get(rt, []))
    ]


@st.composite
def clauses(draw: st.DrawFn, rt: str) -> Pair:
    """Return one parameter with its values."""
    one = draw(st.sampled_from(searchable(rt)))
    modifiers = sorted(SUPPORTED_MODIFIERS[one.kind] - {"of-type"})
    if one.code == "identifier":
        modifiers.append("of-type")
    if one.kind == "reference":
        modifiers += sorted({"Patient", "Practitioner"} & {*one.targets})
    modifier = draw(st.sampled_from(["", "", *modifiers]))
    most = 1 if modifier == "missing" else 3
    chosen = draw(st.lists(values(one, modifier), min_size=1, max_size=most))
    return (f"{one.code}:{modifier}" if modifier else one.code), ",".join(chosen)


def ids() -> st.SearchStrategy[Pair]:
    chosen = st.lists(st.sampled_from([*IDS, "nobody"]), min_size=1, max_size=4)
    return chosen.map(lambda some: ("_id", ",".join(some)))


@st.composite
def sorts(draw: st.DrawFn, rt: str) -> Pair:
    """Return a ``_sort`` of one to three keys."""
    keys = [one.code for one in searchable(rt) if one.kind in ("date", "string", "number")]
    keys += [one.code for one in searchable(rt) if one.kind == "quantity"]
    key = st.builds(str.__add__, st.sampled_from(["", "-"]), st.sampled_from([*keys, "_id"]))
    return "_sort", ",".join(draw(st.lists(key, min_size=1, max_size=3, unique=True)))


def includes(rt: str) -> st.SearchStrategy[Pair]:
    """Return an ``_include`` or ``_revinclude``."""
    forth = [
        ("_include", f"{rt}:{one.code}{target}")
        for one in searchable(rt)
        if one.kind == "reference"
        for target in ("", *(f":{kind}" for kind in one.targets if kind in ("Patient", "Group")))
    ]
    back = [
        ("_revinclude", f"{source}:{one.code}")
        for source in MAKERS
        for one in searchable(source)
        if one.kind == "reference" and rt in one.targets
    ]
    return st.sampled_from([*forth, *back])


@st.composite
def searches(draw: st.DrawFn) -> tuple[str, list[Pair]]:
    """Return a resource type and the parameters of a search."""
    rt = draw(st.sampled_from(sorted(MAKERS)))
    pairs = draw(st.lists(clauses(rt) | clauses(rt) | ids(), max_size=3))
    if draw(st.booleans()):
        pairs.append(draw(sorts(rt)))
    if draw(st.booleans()):
        pairs += draw(st.lists(includes(rt), min_size=1, max_size=2))
    return rt, pairs
