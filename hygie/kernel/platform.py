"""What a domain may register; declared without importing Django or the domains.

A domain's ``register(platform)`` is called once, when the application is composed.
"""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable, Coroutine, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import TYPE_CHECKING, Any, Literal, Protocol

from hygie.kernel.errors import ConfigurationError
from hygie.kernel.fhir.operation import Operation
from hygie.kernel.security.policies import Policies
from hygie.kernel.store.facts import Guard, Projection, Protection
from hygie.kernel.store.law import Law

if TYPE_CHECKING:
    from hygie.kernel.config import Settings
    from hygie.kernel.store import Repository

Portal = Literal["public", "patient", "professional", "establishment", "research"]
Traffic = MutableMapping[str, Any]
"""A scope or a message of ASGI."""
Receive = Callable[[], Awaitable[Traffic]]
Send = Callable[[Traffic], Awaitable[None]]
Place = Literal["home", "page", "acting"]
"""Where something is announced: on the home of a portal, on each of its pages, or on every page of
who acts for somebody, where nothing of their own is announced."""


def gettext_noop(text: str) -> str:
    """Mark a French text for the catalogue of translations, without loading Django."""
    return text


@dataclass(frozen=True, slots=True)
class NavigationItem:
    """One entry of a portal's menu.

    ``label`` is the French text, which is also the key of its translation; ``url_name`` is a
    Django URL name; ``order`` sorts entries, smallest first. An entry ``about`` a patient is a tab
    of an open record: its URL takes ``patient``, the id of the Patient resource.
    """

    label: str
    url_name: str
    order: int = 100
    about: Literal["portal", "patient"] = "portal"


@dataclass(frozen=True, slots=True)
class Pages:
    """Pages offered to one portal: a Django URLconf by dotted path, mounted at ``prefix``."""

    portal: Portal
    prefix: str
    urlconf: str
    navigation: tuple[NavigationItem, ...] = ()


@dataclass(frozen=True, slots=True)
class DemoAccount:
    """A demonstration account as the start page shows it."""

    login: str
    name: str
    kind: str
    reference: str
    story_fr: str
    story_en: str


@dataclass(frozen=True, slots=True)
class Announcement:
    """Something the reader must know on a page: words, where they lead, what ends it.

    ``text`` is in the reader's language; ``link`` and ``post`` are a label and an address, the
    second a form without fields. ``urgent`` stands out on every page, all along. ``script`` is a
    static file that keeps what is announced up to date on an open page.
    """

    text: str
    link: tuple[str, str] | None = None
    post: tuple[str, str] | None = None
    urgent: bool = False
    script: str = ""


@dataclass(frozen=True, slots=True)
class Door:
    """Another way in than the password, shown on the sign-in page.

    Attributes:
        order: doors are shown smallest first.
        label: the French text of the button, which is also the key of its translation.
        url_name: the Django URL name it leads to, with ``kwargs``.
        portals: whose people it is for.
        note: a French sentence below the button, empty for none.
        more: a French label and an address that explain it.
    """

    order: int
    label: str
    url_name: str
    kwargs: Mapping[str, str] = field(default_factory=dict)
    portals: tuple[Portal, ...] = ()
    note: str = ""
    more: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Launching:
    """What an application is opened on, by whom it is known from the session.

    Attributes:
        client: id of the application.
        patient: id of the Patient that is open.
        encounter: id of the Encounter that is open, empty where there is none.
    """

    client: str
    patient: str
    encounter: str = ""


@dataclass(frozen=True, slots=True)
class Granted:
    """What an application was granted, when its access token is made.

    Attributes:
        visit: the session of the pages in which the person granted it.
        family: joins the tokens of this consent.
        subject: reference of the person, as in the tokens.
        scope: the words that were granted.
    """

    visit: uuid.UUID
    family: uuid.UUID
    subject: str
    scope: tuple[str, ...]


class Face(Protocol):
    """An ASGI application that answers below a path: HTTP and WebSocket."""

    async def __call__(self, scope: Traffic, receive: Receive, send: Send) -> None:
        """Answer one connection."""
        ...

    async def close(self) -> None:
        """Let go of the connections that are open."""
        ...


class DemoDirectory(Protocol):
    """Tells the demonstration accounts; absent outside demonstration mode."""

    def accounts(self) -> Sequence[DemoAccount]:
        """Return the accounts in the order they are shown."""
        ...

    def password(self) -> str:
        """Return the password they share in this installation."""
        ...


Job = Callable[["Platform"], Awaitable[None]]
FaceMaker = Callable[["Platform"], Coroutine[Any, Any, Face]]


@dataclass(slots=True)
class Platform:
    """The register of one running application.

    ``repository`` is set by the composition root once the database is ready.
    """

    settings: Settings
    demo: DemoDirectory | None = None
    repository: Repository | None = None
    pages: list[Pages] = field(default_factory=list)
    django_apps: list[str] = field(default_factory=list)
    django_settings: dict[str, object] = field(default_factory=dict)
    jobs: dict[str, tuple[float, Job]] = field(default_factory=dict)
    projections: dict[str, Projection] = field(default_factory=dict)
    policies: Policies | None = None
    guard: Guard | None = None
    protections: dict[str, Protection] = field(default_factory=dict)
    announcers: dict[tuple[Portal, Place], list[str]] = field(default_factory=dict)
    operations: list[Operation] = field(default_factory=list)
    doors: list[Door] = field(default_factory=list)
    departures: list[str] = field(default_factory=list)
    middleware: list[str] = field(default_factory=list)
    documents: dict[str, dict[str, object]] = field(default_factory=dict)
    launcher: str = ""
    launch_contexts: list[str] = field(default_factory=list)
    faces: dict[str, FaceMaker] = field(default_factory=dict)

    def add_pages(
        self,
        portal: Portal,
        *,
        prefix: str,
        urlconf: str,
        navigation: Sequence[NavigationItem] = (),
    ) -> None:
        """Offer the pages of a URLconf to a portal."""
        self.pages.append(Pages(portal, prefix, urlconf, tuple(navigation)))

    def add_django_app(self, dotted: str, *, settings: Mapping[str, object] | None = None) -> None:
        """Add a Django application by its dotted path, with the Django settings it needs."""
        self.django_apps.append(dotted)
        self.django_settings.update(settings or {})

    def add_middleware(self, dotted: str) -> None:
        """Let a Django middleware answer after those of the kernel."""
        self.middleware.append(dotted)

    def add_announcer(self, portal: Portal, place: Place, dotted: str) -> None:
        """Let ``module:function`` announce on the home of a portal, or on every page of it.

        It takes the Django request and returns Announcements, in the order they are shown.
        """
        self.announcers.setdefault((portal, place), []).append(dotted)

    def add_door(self, door: Door) -> None:
        """Show another way in on the sign-in page."""
        self.doors.append(door)
        self.doors.sort(key=lambda one: (one.order, one.label))

    def add_departure(self, dotted: str) -> None:
        """Let ``module:function`` say where somebody who signs out goes next.

        It takes the Django request, before the session ends, and returns an address of ours, or
        an empty text to leave it to the others.
        """
        self.departures.append(dotted)

    def add_document(self, address: str, document: dict[str, object]) -> None:
        """Let the engine answer a well-known address, such as ``.well-known/x``, with a document.

        Raises:
            ValueError: the address already has a document.
        """
        if address in self.documents:
            raise ValueError(f"/{address} already has a document")
        self.documents[address] = document

    def set_launcher(self, dotted: str) -> None:
        """Let ``module:function`` open an application on a patient, for the other domains.

        It takes the Django request and a :class:`Launching`, and returns the address to go to.
        :func:`hygie.kernel.web.launching.launch` calls it.
        """
        self.launcher = dotted

    def add_launch_context(self, dotted: str) -> None:
        """Let ``module:function`` add members to the answer of the token endpoint.

        It takes a :class:`Granted` and returns them by name, such as ``hub.topic``; it is called
        from a thread of the pages, by :func:`hygie.kernel.web.launching.launch_context`.
        """
        self.launch_contexts.append(dotted)

    def add_face(self, prefix: str, make: FaceMaker) -> None:
        """Let an ASGI application answer at ``/prefix`` and below, over HTTP and WebSocket.

        Each worker makes its own once the store is open.

        Raises:
            ValueError: something answers there already.
        """
        if prefix in self.faces:
            raise ValueError(f"/{prefix} has an answer already")
        self.faces[prefix] = make

    def add_operation(self, definition: Path, *, run: str, below: str = "") -> None:
        """Answer the FHIR operation that the OperationDefinition of a file declares.

        ``run`` and ``below`` are ``module:function``, as :class:`Operation` says.

        Raises:
            ValueError: another operation has this name on this type.
        """
        added = Operation.read(definition, run=run, below=below)
        if any((one.rt, one.code) == (added.rt, added.code) for one in self.operations):
            raise ValueError(f"{added.rt} already has ${added.code}")
        self.operations.append(added)

    def add_projection(self, rt: str, projection: Projection) -> None:
        """Let resources of a type state facts that the access rules read.

        Raises:
            ValueError: the type already has a projection.
        """
        if rt in self.projections:
            raise ValueError(f"{rt} already has a projection")
        self.projections[rt] = projection

    def add_protection(self, rt: str, protection: Protection) -> None:
        """Let a domain say who may change protected elements of a type.

        Raises:
            ValueError: the type is already protected.
        """
        if rt in self.protections:
            raise ValueError(f"{rt} is already protected")
        self.protections[rt] = protection

    def set_rules(self, policies: Policies, guard: Guard) -> None:
        """Give the access rules, and who may change the facts they read; one domain does.

        Raises:
            ValueError: another domain gave them already.
        """
        if self.policies is not None:
            raise ValueError("two domains give access rules")
        self.policies, self.guard = policies, guard

    @property
    def law(self) -> Law:
        """Return what the store obeys.

        Raises:
            ConfigurationError: no domain gave access rules: nothing could be served.
        """
        if self.policies is None or self.guard is None:
            raise ConfigurationError("No domain gives access rules: put domains/consent back.")
        return Law(self.policies, self.projections, self.guard, self.protections)

    def add_job(self, name: str, job: Job, *, every: float) -> None:
        """Run ``job`` in the job worker every so many seconds.

        Raises:
            ValueError: two jobs share a name.
        """
        if name in self.jobs:
            raise ValueError(f"two jobs are named {name}")
        self.jobs[name] = (every, job)

    def navigation(self, portal: Portal) -> list[NavigationItem]:
        """Return a portal's menu in order."""
        mine = [pages for pages in self.pages if pages.portal == portal]
        items = [item for pages in mine for item in pages.navigation]
        return sorted(items, key=lambda item: (item.order, item.label))

    def pages_by_portal(self) -> Mapping[Portal, list[Pages]]:
        """Return the registered pages, grouped by portal."""
        grouped: dict[Portal, list[Pages]] = {}
        for pages in self.pages:
            grouped.setdefault(pages.portal, []).append(pages)
        return grouped


def discover(platform: Platform, package: str) -> None:
    """Let every sub-package of ``package`` (``hygie.domains``) register itself, in name order.

    A feature is a folder: no list names it, so removing the folder removes the feature.
    """
    folder = import_module(package)
    for found in sorted(iter_modules(folder.__path__), key=lambda module: module.name):
        register = getattr(import_module(f"{package}.{found.name}"), "register", None)
        if register is not None:
            register(platform)
