"""Print docs/reference/operations.md from the routes, the search and the limits."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from docs_markdown import code, codes, page, paragraphs, table

from hygie.kernel.api import discovery, history, meta, operations, routes, tokens
from hygie.kernel.api.routes import Route
from hygie.kernel.audit import provider
from hygie.kernel.config import Settings
from hygie.kernel.fhir import primitives, scan
from hygie.kernel.fhir.names import RESOURCE_TYPES
from hygie.kernel.fhir.operation import Operation
from hygie.kernel.fhir.search.registry import Parameter, parameters
from hygie.kernel.fhir.search.values import PREFIXES
from hygie.kernel.platform import Platform, discover
from hygie.kernel.store import bundles, compose, pairs, searching
from hygie.kernel.store.bodies import INLINE_LIMIT
from hygie.kernel.store.search import includes, plan, query

PATHS = {
    "base": "/fhir",
    "base/_history": "/fhir/_history",
    "type": "/fhir/{type}",
    "type/_search": "/fhir/{type}/_search",
    "type/_history": "/fhir/{type}/_history",
    "id": "/fhir/{type}/{id}",
    "id/_history": "/fhir/{type}/{id}/_history",
    "version": "/fhir/{type}/{id}/_history/{version}",
}
PREFIXED = ("number", "date", "quantity")


def operations_page() -> str:
    """Return the page."""
    return page(
        "Operations",
        "FHIR R4 4.0.1 in JSON. `GET /fhir/metadata` answers the CapabilityStatement of a running "
        "server, made from the same tables as this page; it needs no token. Everything else needs "
        "`Authorization: Bearer TOKEN` (`hygie token`).",
        "## Interactions",
        _interactions(routes.ROUTES),
        f"These hold for the {len(RESOURCE_TYPES) - len(routes.PROVIDED)} resource types that are "
        "stored. `AuditEvent` is served from the access log and cannot be written:",
        *(_interactions(provided) for provided in routes.PROVIDED.values()),
        f"Its search parameters are {codes(provider.PARAMETERS)} and `_count`.",
        "## Operations",
        _operations(),
        _summary(meta.__doc__)
        + " Each other operation is defined at `/fhir/OperationDefinition/{type}-{name}` in small "
        "letters, without a token; the CapabilityStatement gives the address.",
        "## Other addresses",
        table(
            ("Method", "Path", "What it does"),
            [
                ("GET", code("/fhir/metadata"), "The CapabilityStatement. No token."),
                ("GET", code("/healthz"), "200 when ready, else 503 with the reason. No token."),
                *(
                    ("GET", code(f"/{path}"), _summary(discovery.discovery.__doc__))
                    for path in (
                        discovery.SERVER,
                        ".well-known/openid-configuration",
                        discovery.SMART,
                    )
                ),
                ("POST", code(tokens.INTROSPECTION), _summary(tokens.introspection.__doc__)),
            ],
        ),
        "## Headers",
        _headers(),
        "## Search",
        *_search(),
        "## Refused as not supported",
        *_refused(),
        "## Limits",
        _limits(),
    )


def _operations() -> str:
    platform = Platform(Settings(data=Path("none")))
    discover(platform, "hygie.domains")
    ours = [row for one in operations.known(platform.operations) for row in _declared(one)]
    on_one = [
        (code(f"${name}"), one.method, code(f"{PATHS['id']}/${name}"), _summary(one.run.__doc__))
        for name, one in routes.ON_RESOURCES.items()
    ]
    return table(("Operation", "Method", "Path", "What it does"), [*ours, *on_one])


def _declared(operation: Operation) -> list[tuple[str, str, str, str]]:
    """Return the lines of an operation: its call, and what stands below its address."""
    middle = "" if operation.definition["type"] else "/{id}"
    path = f"/fhir/{operation.rt}{middle}/${operation.code}"
    name, told = code(f"${operation.code}"), operations.load(operation.run).__doc__
    methods = " ".join(operations.methods_of(operation))
    lines = [(name, methods, code(path), _summary(told))]
    if operation.below:
        told = operations.load(operation.below).__doc__
        lines.append((name, "GET DELETE", code(f"{path}/..."), _summary(told)))
    return lines


def _interactions(chosen: Iterable[Route]) -> str:
    rows = [
        (
            code(route.code) + (" (conditional)" if route.conditional else ""),
            route.method,
            code(PATHS[route.shape]),
            _summary(route.run.__doc__),
        )
        for route in chosen
    ]
    return table(("Interaction", "Method", "Path", "What it does"), rows)


def _headers() -> str:
    return table(
        ("Header", "Effect"),
        [
            (
                code("If-None-Match"),
                "a read answers 304 when the client has this version; a write refuses it",
            ),
            (
                code("If-Modified-Since"),
                "a read answers 304 when nothing changed since; `If-None-Match` goes first",
            ),
            (code("If-Match"), "an update or delete is refused (412) when another version came"),
            (code("If-None-Exist"), "a create answers the one resource that matches, unchanged"),
            (
                code("Prefer"),
                (
                    "`return=minimal`, `return=representation`, `return=OperationOutcome` on "
                    "writes; `handling=lenient` leaves unknown search parameters out instead of "
                    "refusing them; `respond-async` is needed by `$personal-copy`"
                ),
            ),
            (code("X-Request-Id"), "a UUID is kept in the traces; else one is made"),
        ],
    )


def _search() -> Iterable[str]:
    yield (
        "Every search parameter of the R4 registry works on its types, but those refused below. "
        "Several values separated by commas are alternatives; a parameter given twice must hold "
        "twice. An unknown parameter is refused."
    )
    yield table(
        ("Kind", "Modifiers", "Prefixes"),
        [
            (
                kind,
                codes(f":{name}" for name in sorted(known))
                + (" `:Type`" if kind == "reference" else ""),
                codes(PREFIXES) if kind in PREFIXED else "",
            )
            for kind, known in query.SUPPORTED_MODIFIERS.items()
        ],
    )
    yield (
        f"Parameters of the answer: {codes(_instructions())}. `_format` and `_pretty` are taken "
        "too. `_id` takes no modifier."
    )
    yield (
        "Without `_total` the answer tells the total as long as it is at most "
        f"{plan.MOST_COUNTED:,}; `_total=accurate` always counts, `_total=none` never. "
        "`_totalMethod=count` is the spelling of one client for `_total=accurate`."
    )
    yield (
        "Without `_sort` the oldest resource comes first. `_sort` takes parameters of kind date, "
        "string, number and quantity, `_id` and `_lastUpdated`; entries without a value come last. "
        "Links `next` go on from the last entry: resources created after the first page do not "
        "appear, none is repeated."
    )


def _instructions() -> list[str]:
    return sorted(query._INSTRUCTIONS.keys() - {"_cursor"})  # noqa: SLF001 - the one table


def _refused() -> Iterable[str]:
    yield (
        "Chained parameters (`subject.name`), `_has`, PATCH, XML, searches of a compartment "
        "(`/Patient/1/Observation`) or of all types, and every other operation (`$...`) are "
        f"refused. So are the parameters {codes(sorted(query._LATER))} "  # noqa: SLF001
        "and the modifiers not in the table above, `:above :below :in :not-in :text :iterate` "
        "among them."
    )
    yield "Some parameters of the registry cannot be searched:"
    yield table(("Parameter", "Of"), sorted(_unsearched().items()))


def _unsearched() -> dict[str, str]:
    found: dict[str, list[str]] = {}
    for rt in sorted(RESOURCE_TYPES):
        for one in parameters(rt).values():
            if _is_unsearched(one):
                found.setdefault(code(one.code), []).append(rt)
    return {name: types[0] if len(types) == 1 else "all" for name, types in found.items()}


def _is_unsearched(one: Parameter) -> bool:
    three_parts = one.kind == "composite" and len(one.components) > compose.PAIR
    return one.kind == "special" or not one.expression or three_parts


def _limits() -> str:
    return table(
        ("What", "Limit", "Beyond"),
        [
            ("Body", f"{scan.MAX_BYTES // 2**20} MiB", "413"),
            ("Characters of a text", f"{primitives.MOST_CHARACTERS:,}", "400"),
            ("Nesting of JSON", f"{scan.MAX_DEPTH} levels", "400"),
            ("Digits of a decimal", f"{primitives.DECIMAL_DIGITS}", "400"),
            ("Entries of a transaction or batch", f"{bundles.MOST_ENTRIES:,}", "413"),
            ("Fields of a query string or form", f"{pairs.MOST_FIELDS:,}", "400"),
            ("Parameters of a search", f"{query.MOST_CLAUSES}", "400 too-costly"),
            ("Sort keys of a search", f"{query.MOST_SORT_KEYS}", "400 too-costly"),
            (
                "`_include`, and `_revinclude`, of a search",
                f"{query.MOST_INCLUDES}",
                "400 too-costly",
            ),
            ("Values of one parameter", f"{query.MOST_VALUES:,}", "400 too-costly"),
            (
                "Entries of a page, `_count`",
                f"{query.DEFAULT_COUNT}, at most {query.LARGEST_COUNT:,}",
                "lowered",
            ),
            (
                "Bytes of the matches of a page",
                f"{searching.MOST_BYTES // 2**20} MiB",
                "the page ends early, the next link goes on",
            ),
            ("Entries of a history page", f"50, at most {history.LARGEST_COUNT:,}", "lowered"),
            (
                "AuditEvents of a page",
                f"{provider.USUAL_COUNT}, at most {provider.HIGHEST_COUNT}",
                "lowered",
            ),
            ("Resources included in an answer", f"{includes.MOST_INCLUDED:,}", "400 too-costly"),
            (
                "Attachment kept in the body",
                f"{INLINE_LIMIT // 1024} KiB of base64",
                "kept as a file, rebuilt on read",
            ),
        ],
    )


def _summary(docstring: str | None) -> str:
    return paragraphs(docstring)[0]
