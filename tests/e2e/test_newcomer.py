"""A newcomer's walk: the README's words, the real programme, the demonstration's people.

Once with this checkout, and (long) from a fresh clone with an empty home, by ``make run``.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from playwright.async_api import expect

from hygie.kernel.database import leftovers
from hygie.testing.browser import FLAGS
from hygie.testing.ports import free_port

if TYPE_CHECKING:
    from playwright.async_api import Browser, Page

pytestmark = pytest.mark.browser
ROOT = Path(__file__).resolve().parents[2]
PATIENTS = 8
READY_WITHIN = 240.0
# What a fresh login has, and what says where packages and authorities are on this machine.
KEPT = re.compile(r"PATH|LANG|SSL_\w+|PIP_\w+|https?_proxy|no_proxy", re.IGNORECASE)
SECRET = "Consultation confidentielle"


@dataclass(frozen=True, slots=True)
class Demonstration:
    """A Hygie that serves its demonstration, and what it printed."""

    folder: Path
    programs: Path
    environment: Mapping[str, str]
    printed: str

    @property
    def address(self) -> str:
        return self._found(r"Hygie answers at (http://\S+)/")

    @property
    def password(self) -> str:
        return self._found(r"Demonstration accounts, password (\S+)")

    def _found(self, pattern: str) -> str:
        (only,) = re.findall(pattern, self.printed)
        return str(only)

    def token(self, login: str) -> str:
        """Return what ``hygie token`` prints."""
        return subprocess.run(  # noqa: S603 - our own programme
            [self.programs / "hygie", "token", "--as", login, "--data", self.folder / "data"],
            env=self.environment,
            check=True,
            capture_output=True,
            text=True,
        ).stdout.strip()

    def ask(self, login: str, what: str) -> tuple[int, Any]:
        """Ask the FHIR API as an account; return status and body."""
        asked = urllib.request.Request(  # noqa: S310 - our own address
            f"{self.address}/fhir/{what}", headers={"Authorization": f"Bearer {self.token(login)}"}
        )
        try:
            with urllib.request.urlopen(asked, timeout=20) as answer:  # noqa: S310 - same
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as refusal:
            with refusal:
                return refusal.code, json.load(refusal)


@pytest.fixture(scope="module", params=["here", pytest.param("clone", marks=pytest.mark.long)])
def demonstration(request: pytest.FixtureRequest) -> Iterator[Demonstration]:
    """Start the one command as the README says and wait until it prints where it answers."""
    folder = Path(tempfile.mkdtemp(prefix="hygie-newcomer-"))
    environment = {name: text for name, text in os.environ.items() if KEPT.fullmatch(name)}
    environment["HOME"] = str(folder / "home")
    (folder / "home").mkdir()
    data, port = folder / "data", free_port()
    if request.param == "here":
        place, programs = ROOT, Path(sys.executable).parent
        command = [str(programs / "hygie"), "serve", f"--port={port}", f"--data={data}"]
        command.append(f"--demo={PATIENTS}")
    else:
        place = folder / "hygie"
        programs = place / ".venv" / "bin"
        _clone(place)
        command = ["make", "run", f"PORT={port}", f"DATA={data}", f"DEMO={PATIENTS}"]
    with (folder / "printed").open("wb") as output:
        process = subprocess.Popen(  # noqa: S603 - our own programme
            command,
            cwd=place,
            env=environment,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        printed = _wait_until_announced(process, folder / "printed")
        yield Demonstration(folder, programs, environment, printed)
        os.killpg(process.pid, signal.SIGINT)  # as Ctrl-C does
        # make ends by the same signal, once its child has ended.
        assert process.wait(20) in {0, -signal.SIGINT}, (folder / "printed").read_text()
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
        leftovers.stop_servers(data / "postgres")
        shutil.rmtree(folder)


def _clone(place: Path) -> None:
    if not (ROOT / ".git").exists():
        pytest.skip("this copy is no clone of the repository")
    subprocess.run(["git", "clone", "-q", ROOT, place], check=True)  # noqa: S603, S607


def _wait_until_announced(process: subprocess.Popen[bytes], output: Path) -> str:
    limit = time.monotonic() + READY_WITHIN
    while "operateur" not in (printed := output.read_text()):
        assert process.poll() is None, printed
        assert time.monotonic() < limit, printed
        time.sleep(0.1)
    return printed


@pytest.fixture(scope="module")
async def browser(chromium: str) -> AsyncIterator[Browser]:
    from playwright.async_api import async_playwright

    async with async_playwright() as playwright:
        opened = await playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        yield opened
        await opened.close()


async def _sign_in(browser: Browser, demonstration: Demonstration, login: str) -> Page:
    """Open a new window on the start page and sign in from there."""
    context = await browser.new_context(
        base_url=demonstration.address, extra_http_headers={"accept-language": "fr"}
    )
    context.set_default_timeout(20_000)
    page = await context.new_page()
    await page.goto("/")
    await page.get_by_role("main").get_by_role("link", name="Se connecter").click()
    await page.get_by_label("Identifiant").fill(login)
    await page.get_by_label("Mot de passe").fill(demonstration.password)
    await page.get_by_role("main").get_by_role("button", name="Se connecter").click()
    return page


async def _opens_as_pdf(page: Page, name: str) -> bool:
    """Follow the link to a document, as a click does; Chromium shows a PDF outside the page."""
    link = page.get_by_role("main").get_by_role("link", name=name).first
    answer = await page.request.get(str(await link.get_attribute("href")))
    body = await answer.body()
    return answer.headers["content-type"] == "application/pdf" and body.startswith(b"%PDF-")


async def _open_record_of(page: Page, given: str) -> None:
    await page.get_by_role("link", name="Mon dossier").click()
    await page.get_by_role("main").get_by_role("link", name=given).click()


async def test_the_physician_finds_a_misspelt_name_and_reads_the_record_to_its_source(
    browser: Browser, demonstration: Demonstration
) -> None:
    page = await _sign_in(browser, demonstration, "yann.kervella")
    await page.get_by_label("Chercher un de mes patients").fill("le gof francoize")
    await page.get_by_role("button", name="Chercher").click()
    await page.get_by_role("link", name="Françoise LE GOFF").click()
    await expect(page.get_by_role("main")).to_contain_text("Diabète de type 2")
    await expect(page.get_by_role("main")).to_contain_text("METFORMINE")
    assert await _opens_as_pdf(page, "Volet de synthèse médicale")
    await page.get_by_role("link", name="Pénicilline").click()
    await page.get_by_role("link", name="Voir la source FHIR").click()
    await expect(page.locator("pre")).to_contain_text('"resourceType": "AllergyIntolerance"')
    await page.context.close()


async def test_the_patient_reads_the_same_in_plain_words_and_in_english(
    browser: Browser, demonstration: Demonstration
) -> None:
    page = await _sign_in(browser, demonstration, "francoise")
    await page.get_by_role("link", name="Mon résumé").click()
    main = page.get_by_role("main")
    await expect(main).to_contain_text("Ce que vous prenez en ce moment. N’arrêtez rien")
    await expect(main).to_contain_text("METFORMINE")
    assert await _opens_as_pdf(page, "Volet de synthèse médicale")
    await page.get_by_role("button", name="English").click()
    await expect(page.get_by_role("heading", name="My medicines")).to_be_visible()
    await page.context.close()


async def test_the_daughter_opens_the_record_of_the_mother_she_helps(
    browser: Browser, demonstration: Demonstration
) -> None:
    page = await _sign_in(browser, demonstration, "nathalie")
    await _open_record_of(page, "Françoise LE GOFF")
    await page.get_by_role("button", name="Agir pour cette personne").click()
    await expect(page.get_by_text("Vous lisez le dossier de Françoise LE GOFF.")).to_be_visible()
    await expect(page.get_by_role("main")).to_contain_text("METFORMINE")
    await page.context.close()


@pytest.mark.parametrize("parent", ["camille", "moussa"])
async def test_a_parent_reads_the_record_of_a_minor_without_what_stays_secret(
    browser: Browser, demonstration: Demonstration, parent: str
) -> None:
    child = await _sign_in(browser, demonstration, "leo")
    await child.get_by_role("link", name="Mes documents").click()
    assert await _opens_as_pdf(child, f"Ouvrir {SECRET}")
    kept = child.get_by_role("link", name=f"Ouvrir {SECRET}")
    secret = str(await kept.get_attribute("href"))
    page = await _sign_in(browser, demonstration, parent)
    await _open_record_of(page, "Léo DIALLO")
    await page.get_by_role("button", name="Agir pour cette personne").click()
    await page.get_by_role("link", name="Tous mes documents").click()
    links = page.get_by_role("main").get_by_role("link")
    await expect(links.filter(has_text="Ouvrir Compte rendu de consultation")).not_to_have_count(0)
    await expect(links.filter(has_text=SECRET)).to_have_count(0)
    assert (await page.request.get(secret)).status == 404
    await child.context.close()
    await page.context.close()


@pytest.mark.parametrize(
    ("login", "greeting"),
    [("operateur", "Bonjour, Émilie Roux"), ("karim.haddad", "Vous êtes connecté")],
)
async def test_who_cares_for_nobody_sees_no_record(
    browser: Browser, demonstration: Demonstration, login: str, greeting: str
) -> None:
    person = _francoise(demonstration)
    page = await _sign_in(browser, demonstration, login)
    await expect(page.get_by_role("heading", name=greeting)).to_be_visible()
    for portal in ("patient", "professional"):
        answer = await page.request.get(f"/{portal}/record/{person}/")
        assert answer.status in {403, 404}
        assert "METFORMINE" not in await answer.text()
    await page.context.close()
    for what in (f"Patient/{person}", f"Condition?patient={person}", "Observation", "Patient"):
        status, body = demonstration.ask(login, what)
        assert status in {403, 404} or not body.get("entry"), what


def test_the_first_fhir_call_of_the_readme_answers(demonstration: Demonstration) -> None:
    assert _francoise(demonstration)


def _francoise(demonstration: Demonstration) -> str:
    _, found = demonstration.ask("system", "Patient?family=le%20goff&given=francoise")
    (only,) = found["entry"]
    return str(only["resource"]["id"])
