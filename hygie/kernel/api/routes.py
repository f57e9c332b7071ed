"""Which interaction answers which method and path; the CapabilityStatement is printed from it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Literal

from hygie.kernel.api import (
    audit_events,
    create,
    delete,
    history,
    meta,
    operations,
    read,
    search,
    transaction,
    update,
    vread,
)
from hygie.kernel.api.engine import Engine
from hygie.kernel.api.http import HttpRequest, Response
from hygie.kernel.errors import HygieError, MethodNotAllowed, NotFound, NotSupported
from hygie.kernel.fhir.names import RESOURCE_TYPES
from hygie.kernel.fhir.operation import Operation
from hygie.kernel.store.ids import check_id

Shape = Literal[
    "base",
    "base/_history",
    "type",
    "type/_search",
    "type/_history",
    "id",
    "id/_history",
    "version",
    "type/$",
    "id/$",
    "id/$/",
]
Run = Callable[[Engine, HttpRequest], Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class Route:
    """One interaction.

    ``code`` is of ``http://hl7.org/fhir/restful-interaction``; ``conditional`` tells that it is the
    conditional form of that interaction.
    """

    code: str
    method: str
    shape: Shape
    run: Run
    conditional: bool = False


ROUTES = (
    Route("read", "GET", "id", read.read),
    Route("vread", "GET", "version", vread.vread),
    Route("update", "PUT", "id", update.update),
    Route("update", "PUT", "type", update.update_where, conditional=True),
    Route("delete", "DELETE", "id", delete.delete),
    Route("delete", "DELETE", "type", delete.delete_where, conditional=True),
    Route("create", "POST", "type", create.create),
    Route("search-type", "GET", "type", search.search),
    Route("search-type", "POST", "type/_search", search.search_by_post),
    Route("history-instance", "GET", "id/_history", history.history),
    Route("history-type", "GET", "type/_history", history.history),
    Route("history-system", "GET", "base/_history", history.history),
    Route("transaction", "POST", "base", transaction.post_bundle),
    Route("batch", "POST", "base", transaction.post_bundle),
)
PROVIDED: dict[str, tuple[Route, ...]] = {
    "AuditEvent": (
        Route("read", "GET", "id", audit_events.read_event),
        Route("search-type", "GET", "type", audit_events.search_events),
        Route("search-type", "POST", "type/_search", audit_events.search_events),
    )
}
"""Types that are served from elsewhere than the store."""

ON_RESOURCES: dict[str, Route] = {
    meta.ADD: Route("operation", "POST", "id/$", meta.add),
    meta.DELETE: Route("operation", "POST", "id/$", meta.delete),
}
"""Operations on one stored resource of any type, by the name without ``$``."""

_TABLE = {(route.method, route.shape): route for route in reversed(ROUTES)}
_PROVIDED = {
    rt: {(route.method, route.shape): route for route in routes} for rt, routes in PROVIDED.items()
}


_PLACES = {"_search": "_search", "_history": "_history"}
_SHAPES: dict[tuple[str, ...], Shape] = {
    (): "base",
    ("type",): "type",
    ("type", "_search"): "type/_search",
    ("type", "_history"): "type/_history",
    ("type", "id"): "id",
    ("type", "id", "_history"): "id/_history",
    ("type", "id", "_history", "id"): "version",
}


def find_route(
    method: str, segments: tuple[str, ...], registered: Iterable[Operation] = ()
) -> Route:
    """Return the interaction of a request; domains registered the operations.

    Raises:
        NotFound: there is no such resource type or path.
        NotSupported: an operation Hygie has not.
        MethodNotAllowed: the path exists and does not take this method.
    """
    route = _by_method(segments, registered).get("GET" if method == "HEAD" else method)
    if route is None:
        raise MethodNotAllowed(f"{method} is not possible here; see the CapabilityStatement.")
    return route


def methods_of(segments: tuple[str, ...], registered: Iterable[Operation] = ()) -> tuple[str, ...]:
    """Return the methods a path takes; none where the path does not exist.

    >>> methods_of(("Patient", "1", "_history"))
    ('GET', 'HEAD')
    """
    try:
        found = _by_method(segments, registered)
    except HygieError:
        return ()
    return tuple(sorted({*found, "HEAD"} if "GET" in found else found))


def _by_method(segments: tuple[str, ...], registered: Iterable[Operation] = ()) -> dict[str, Route]:
    if _names_operation(segments):
        return _operation(segments, tuple(registered))
    if _is_defined(segments, registered):
        return {"GET": Route("read", "GET", "id", operations.read_definition)}
    table = _PROVIDED.get(segments[0] if segments else "", _TABLE)
    shape = shape_of(segments)
    return {method: route for (method, place), route in table.items() if place == shape}


def _names_operation(segments: tuple[str, ...]) -> bool:
    """Tell whether a path is ``Type/$name``, ``Type/id/$name`` or below that."""
    return any(segment.startswith("$") for segment in segments[1:3])


def _is_defined(segments: tuple[str, ...], registered: Iterable[Operation]) -> bool:
    """Tell whether a path is the definition of one of our operations, which nobody may store."""
    if len(segments) != 2 or segments[0] != operations.DEFINITIONS:  # noqa: PLR2004 - Type/id
        return False
    return any(one.id == segments[1] for one in operations.known(registered))


def _operation(segments: tuple[str, ...], registered: tuple[Operation, ...]) -> dict[str, Route]:
    """Return what answers an operation, or below the address of one on a resource."""
    match segments:
        case (rt, name) if name.startswith("$"):
            found = operations.find(registered, rt, name[1:], level="type")
            return _called(found, "type/$")
        case (rt, rid, name, *below) if not rid.startswith("$"):
            if not below and name[1:] in ON_RESOURCES:
                return _on_resource(segments)
            found = operations.find(registered, rt, name[1:], level="instance")
            shape_of((rt, rid))
            return _called(found, "id/$") if not below else _below(found)
    raise NotFound("This path does not exist; see the CapabilityStatement.")


def _called(found: Operation | None, shape: Shape) -> dict[str, Route]:
    if found is None:
        raise NotSupported("This operation is not supported; see the CapabilityStatement.")
    run = operations.load(found.run)
    taken = operations.methods_of(found)
    return {method: Route("operation", method, shape, run) for method in taken}


def _below(found: Operation | None) -> dict[str, Route]:
    if found is None or not found.below:
        raise NotSupported("This operation is not supported; see the CapabilityStatement.")
    run = operations.load(found.below)
    return {method: Route("operation", method, "id/$/", run) for method in ("GET", "DELETE")}


def _on_resource(segments: tuple[str, ...]) -> dict[str, Route]:
    operation = ON_RESOURCES[segments[2][1:]]
    shape_of(segments[:2])
    if segments[0] in PROVIDED:
        raise NotSupported("This operation is not supported; see the CapabilityStatement.")
    return {operation.method: operation}


def shape_of(segments: tuple[str, ...]) -> Shape:
    """Return the shape of a path below the base.

    Raises:
        NotFound: FHIR has no such path here.
        NotSupported: it names an operation.
    """
    if any(segment.startswith("$") for segment in segments):
        raise NotSupported("This operation is not supported; see the CapabilityStatement.")
    if segments and segments[0] not in RESOURCE_TYPES and segments != ("_history",):
        raise NotFound("This is no resource type of FHIR R4, nor a path of this server.")
    if segments == ("_history",):
        return "base/_history"
    kinds = tuple(_PLACES.get(segment, "id") for segment in segments[1:])
    shape = _SHAPES.get(("type", *kinds) if segments else ())
    if shape is None:
        raise NotFound("This path does not exist; see the CapabilityStatement.")
    if kinds[:1] == ("id",):
        check_id(segments[1])
    return shape
