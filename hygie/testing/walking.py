"""A person walks through pages with the keyboard alone, without JavaScript, in French or English.

A walk is written once, with the French words of the pages: their translation comes from the
catalogues. It notes every page it opens and every form it sends, and what else the pages offered;
``tests/e2e/walks.csv`` says what each walk must do, so a page or a form that no walk tries is seen.
On every new state of a page (empty, filled, with errors) it looks as ``looking`` does.
"""

from __future__ import annotations

import asyncio
import csv
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qs, urlsplit

import pytest

from hygie.testing.browser import Portal
from hygie.testing.looking import CORNERS, faults_of, keyboard_faults_of
from hygie.testing.portal import PASSWORD

if TYPE_CHECKING:
    from playwright.async_api import Locator, Page, Request, Response

WALKS: Final = Path(__file__).parents[2] / "tests" / "e2e" / "walks.csv"
"""What each walk does: its name, and one page opened or form sent.

``other journeys`` are pages and forms of sign-in, which files of their own walk (``test_factors``,
``test_outside_identity``, ``test_cards``, ``test_helpers``, ``test_annuaire``, ``tests/clients``,
and the tests of their domains): nothing compares those with this list yet.
"""
_LANGUAGES: Final = ("English", "Français")
_SAME: Final = ("Centre 15", "Documents", "INS")
"""Words that are the same in both languages."""
_TELLING: Final = ("action", "answer", "choice", "confirmed", "format", "on")
"""Fields that tell one act from another of the same address."""
_OFFERED: Final = """() => [
    ...[...document.querySelectorAll("a[href]:not([href^='#'])")].map(one => ["GET", one.href, {}]),
    ...[...document.querySelectorAll("form[method=post]")].flatMap(form => {
        const hidden = Object.fromEntries([...form.querySelectorAll("input[type=hidden]")].map(
            one => [one.name, one.value]));
        const to = new URL(form.getAttribute("action") || "", location).href;
        return [...form.querySelectorAll("button")].map(one => [
            "POST", to, one.name ? {...hidden, [one.name]: one.value} : hidden]);
    }),
]"""
_STATE: Final = """() => [...new Set([...document.querySelectorAll("body *")].flatMap(
    one => [one.tagName, ...one.classList]))].sort().join(" ")"""
_TEXTS: Final = """() => {
    const found = [], walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
        const node = walker.currentNode, said = node.textContent.trim();
        if (said && !node.parentElement.closest("[lang]:not(html)")) found.push(said);
    }
    return found;
}"""


def every_view() -> set[str]:
    """Return the name of every page of the portal, with its namespaces."""
    from django.urls import get_resolver  # noqa: PLC0415  after configure

    def names(resolver: Any, prefix: str) -> Iterator[str]:
        for one in resolver.url_patterns:
            if hasattr(one, "url_patterns"):
                yield from names(one, f"{prefix}{one.namespace}:" if one.namespace else prefix)
            elif one.name:
                yield f"{prefix}{one.name}"

    return set(names(get_resolver(), ""))


def step(method: str, address: str, fields: Mapping[str, str]) -> str:
    """Return what opening an address or sending a form is called; empty outside the portal."""
    from django.urls import Resolver404, resolve  # noqa: PLC0415  after configure

    split = urlsplit(address)
    try:
        match = resolve(split.path)
    except Resolver404:
        return ""
    told = {name: values[0] for name, values in parse_qs(split.query).items()} | dict(fields)
    parts = [match.view_name]
    parts += [str(match.kwargs[one]) for one in ("name", "purpose") if one in match.kwargs]
    parts += [f"{one}={told[one]}" for one in _TELLING if one in told]
    return ("POST " if method == "POST" else "") + " ".join(parts)


def steps_of(walk: str = "") -> set[str]:
    """Return what a walk must do; of all walks together when none is named."""
    with WALKS.open(encoding="utf-8", newline="") as file:
        return {row["step"] for row in csv.DictReader(file) if walk in ("", row["walk"])}


def say(french: str, language: str, **values: object) -> str:
    """Return a text of the pages in a language.

    The test fails where no catalogue translates it.
    """
    from django.utils.translation import gettext, override  # noqa: PLC0415  after configure

    with override(language):
        told = gettext(french)
    same = language == "fr" or told != french or french in _SAME
    if not same:
        pytest.fail(f"“{french}” has no translation")
    return told % values if values else told


def french_left(texts: list[str]) -> list[str]:
    """Return the texts of an English page that are still those of the French one."""
    from django.utils.translation import gettext, override  # noqa: PLC0415  after configure

    with override("en"):
        return [text for text in texts if gettext(text) not in (text, "")]


@dataclass(slots=True)
class Walk:
    """One walk in one language: what was done, what was offered, what is wrong."""

    ground: Ground
    name: str
    language: str
    done: set[str] = field(default_factory=set)
    offered: set[str] = field(default_factory=set)
    faults: list[str] = field(default_factory=list)

    @asynccontextmanager
    async def window(self, login: str = "") -> AsyncIterator[Window]:
        """Open a window without JavaScript, signed in when a login is given."""
        context = await self.ground.portal.context(login, self.language, java_script_enabled=False)
        page = await context.new_page()
        # Playwright marks the handlers it is given, which a method with slots does not allow.
        context.on("request", lambda request: self._note(request))  # noqa: PLW0108
        yield Window(self, page)
        await context.close()

    def _note(self, request: Request) -> None:
        if request.is_navigation_request():
            fields = parse_qs(request.post_data or "")
            told = {name: values[0] for name, values in fields.items()}
            self.done.add(step(request.method, request.url, told))


@dataclass(frozen=True, slots=True)
class Window:
    """What one person does in their window. Words are French; names of people are as they stand."""

    walk: Walk
    page: Page

    async def open(self, address: str) -> None:
        """Type an address."""
        answer = await self.page.goto(address)
        await self._arrive(answer)

    async def follow(self, french: str, *, of: str = "", named: bool = False) -> None:
        """Follow a link; ``of`` is what stands behind its words, ``named`` says they are a name."""
        words = french if named else self.say(french)
        await self._leave(await self._found("link", f"{words} {of}".strip()), "Enter")

    async def follow_first(self, french: str) -> None:
        """Follow the first link with these words, whatever stands behind them."""
        await self.follow_first_of(self.say(french))

    async def follow_first_of(self, name: str) -> None:
        """Follow the first link whose words, in no catalogue, hold these."""
        link = self.page.get_by_role("main").get_by_role("link", name=name)
        await self._leave(link.first, "Enter")

    async def press(self, french: str, **values: object) -> None:
        """Press a button that leads to a page; “English” and “Français” stand as they are."""
        name = french if french in _LANGUAGES else self.say(french, **values)
        await self._leave(await self._found("button", name), "Space")

    async def save(self, french: str, *, of: str = "") -> bytes:
        """Follow a link to a file, and return the file."""
        return await self._save(await self._found("link", f"{self.say(french)} {of}".strip()))

    async def save_first(self, french: str) -> bytes:
        """Follow the first link to a file with these words, and return the file."""
        main = self.page.get_by_role("main")
        return await self._save(main.get_by_role("link", name=self.say(french)).first)

    async def _save(self, link: Locator) -> bytes:
        await self._reach(link)
        async with self.page.expect_download() as waiting:
            await self.page.keyboard.press("Enter")
        path = await (await waiting.value).path()
        return await asyncio.to_thread(path.read_bytes)

    async def write(self, french: str, text: str) -> None:
        """Type a text in a field, in place of what it holds."""
        await self._type(self.page.get_by_label(self.say(french), exact=True), text)

    async def write_as(self, name: str, text: str) -> None:
        """Type a text in the field of this name, where its label is not of the catalogues."""
        await self._type(self.page.locator(f"[name={name}]"), text)

    async def date(self, french: str, day: str) -> None:
        """Give a day, as 2024-05-03; the picker is the browser's own."""
        box = self.page.get_by_label(self.say(french), exact=True)
        await self._reach(box)
        await box.fill(day)

    async def tick(self, french: str) -> None:
        """Tick, or untick, a box."""
        await self._reach(self.page.get_by_label(self.say(french), exact=True))
        await self.page.keyboard.press("Space")

    async def choose(self, french: str, *, group: str = "") -> None:
        """Choose a radio button, in the group that begins with these words where several do."""
        place: Any = self.page
        if group:
            place = self.page.get_by_role("group", name=self.say(group), exact=True)
        button = place.get_by_label(self.say(french), exact=True)
        name = await button.get_attribute("name")
        await self._reach(self.page.locator(f"input[name={name}]"))
        await self.page.keyboard.press("Space")
        for _ in range(10):
            if await button.is_checked():
                return
            await self.page.keyboard.press("ArrowDown")
        pytest.fail(f"the arrows never choose {french}")

    async def select(self, french: str, value: str) -> None:
        """Choose in a list by its arrows."""
        box = self.page.get_by_label(self.say(french), exact=True)
        await self._reach(box)
        for _ in range(40):
            if await box.input_value() == value:
                return
            await self.page.keyboard.press("ArrowDown")
        pytest.fail(f"the arrows never choose {value}")

    async def confirm(self) -> None:
        """Give the password again where it is asked."""
        await self.write("Mot de passe", PASSWORD)
        await self.press("Continuer")

    async def is_asked_who(self) -> bool:
        """Tell whether this is the page that asks the password again."""
        return "/account/confirm/" in self.page.url

    async def sees(self, french: str, **values: object) -> None:
        """Check that a text is shown."""
        await self.reads(self.say(french, **values))

    async def reads(self, text: str) -> None:
        """Check that a text that is in no catalogue is shown."""
        from playwright.async_api import expect  # noqa: PLC0415  slow to import

        await expect(self.page.get_by_text(text).first).to_be_visible()

    async def misses(self, text: str) -> None:
        """Check that a text is not shown."""
        from playwright.async_api import expect  # noqa: PLC0415  slow to import

        await expect(self.page.get_by_text(text)).to_have_count(0)

    def say(self, french: str, **values: object) -> str:
        """Return a text in the language of the walk."""
        return say(french, self.walk.language, **values)

    async def _found(self, role: Any, name: str) -> Locator:
        """Return a control, the one of the main part first."""
        main = self.page.get_by_role("main").get_by_role(role, name=name, exact=True)
        everywhere = self.page.get_by_role(role, name=name, exact=True)
        return (main if await main.count() else everywhere).first

    async def _reach(self, wanted: Locator) -> None:
        """Press Tab until the focus is on one of the elements."""
        reached = "(all) => all.some(one => one === document.activeElement)"
        if not await wanted.count():
            pytest.fail(f"{wanted} is not on {self.page.url}")
        for _ in range(150):
            if await wanted.evaluate_all(reached):
                return
            await self.page.keyboard.press("Tab")
        pytest.fail(f"Tab never reaches {wanted} on {self.page.url}")

    async def _type(self, box: Locator, text: str) -> None:
        await self._reach(box)
        await self.page.keyboard.press("ControlOrMeta+a")
        await self.page.keyboard.insert_text(text)

    async def _leave(self, control: Locator, key: str) -> None:
        await self._reach(control)
        async with self.page.expect_navigation() as leaving:
            await self.page.keyboard.press(key)
        await self._arrive(await leaving.value)

    async def _arrive(self, answer: Response | None) -> None:
        status = answer.status if answer else 0
        where = f"{self.page.url} ({status}, {self.walk.language})"
        if not 0 < status < HTTPStatus.INTERNAL_SERVER_ERROR:
            pytest.fail(where)
        offered = [step(*one) for one in await self.page.evaluate(_OFFERED)]
        self.walk.offered |= set(offered)
        state = (step("GET", self.page.url, {}), status, await self.page.evaluate(_STATE))
        if await self.walk.ground.is_new(self.walk.language, state):
            found = await self._look(f"{self.walk.name}-{len(self.walk.ground.looked):03}")
            self.walk.faults += [f"{where}: {one}" for one in found]

    async def _look(self, name: str) -> list[str]:
        faults = await keyboard_faults_of(self.page)
        html = await self.page.content()
        if self.walk.language == "en":
            left = french_left(await self.page.evaluate(_TEXTS))
            faults += [f"“{one}” is not translated" for one in left]
        return faults + await self.walk.ground.inspect(self.page.url, html, name)


@dataclass(slots=True)
class Ground:
    """What all walks of a session share: the portal, and a window with scripts to look with."""

    portal: Portal
    inspector: Page
    html: str = ""
    looked: set[tuple[str, Any]] = field(default_factory=set)

    @asynccontextmanager
    async def walk(self, name: str, language: str) -> AsyncIterator[Walk]:
        """Walk; at the end compare with what the table says, and tell every fault of the pages."""
        walk = Walk(self, name, language)
        yield walk
        walk.done.discard("")
        walk.offered.discard("")
        expected = steps_of(name)
        problems = [f"{name},{one}  # is not in walks.csv" for one in walk.done - expected]
        problems += [f"{name},{one}  # was not done" for one in expected - walk.done]
        untried = walk.offered - steps_of()
        problems += [f"*,{one}  # is offered, and no walk does it" for one in untried]
        if problems or walk.faults:
            pytest.fail("\n".join(sorted(problems) + walk.faults), pytrace=False)

    async def is_new(self, language: str, state: object) -> bool:
        """Tell whether a state of a page was never looked at in this language, and keep it."""
        known = (language, state) in self.looked
        self.looked.add((language, state))
        return not known

    async def inspect(self, address: str, html: str, name: str) -> list[str]:
        """Look at a page again where scripts run: axe needs them, the page does not."""
        self.html = html
        await self.inspector.goto(address)
        return await faults_of(self.inspector, CORNERS, name=name)


@pytest.fixture(scope="session")
async def ground(portal: Portal) -> AsyncIterator[Ground]:
    """Give the ground of the walks."""
    context = await portal.context()
    shared = Ground(portal, await context.new_page())

    async def answer(route: Any) -> None:
        if route.request.is_navigation_request():
            await route.fulfill(body=shared.html, content_type="text/html; charset=utf-8")
        else:
            await route.continue_()

    await context.route("**/*", answer)
    yield shared
    await context.close()
