"""Pages stay light: compressed bytes on the wire, and the first paint on a slow network."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

from hygie.testing.browser import MINE, PAGES, PRO, Portal

pytestmark = pytest.mark.browser
HTML, CSS, FIRST_PAGE, RECORD = 14_000, 12_000, 50_000, 80_000
BYTES_PER_SECOND, LATENCY_MS, CPU_SLOWER = 50_000, 300, 6
FIRST_PAINT_MS = 2_000
PAINT = """() => new Promise(done => new PerformanceObserver(list => list.getEntriesByName(
    "first-contentful-paint").forEach(one => done(one.startTime))).observe(
    {type: "paint", buffered: true}))"""


@dataclass(slots=True)
class Wire:
    """What one visit sent, by kind of resource, headers included."""

    kinds: dict[str, str] = field(default_factory=dict)
    sizes: dict[str, int] = field(default_factory=dict)
    origins: set[str] = field(default_factory=set)

    def received(self, event: dict[str, Any]) -> None:
        """Note the kind of a response."""
        self.kinds[event["requestId"]] = event["type"]
        # The icon of a date field is drawn by the browser: it is asked of nobody.
        if event["response"]["url"].startswith("data:"):
            return
        self.origins.add("/".join(event["response"]["url"].split("/")[:3]))

    def finished(self, event: dict[str, Any]) -> None:
        """Note the size of a response."""
        self.sizes[event["requestId"]] = int(event["encodedDataLength"])

    def of(self, kind: str) -> int:
        """Return the bytes of one kind."""
        return sum(size for one, size in self.sizes.items() if self.kinds.get(one) == kind)


async def _visit(portal: Portal, login: str, address: str) -> Wire:
    context = await portal.context(login, now=True)
    page = await context.new_page()
    cdp = await context.new_cdp_session(page)
    wire = Wire()
    # Playwright marks the handlers it is given, which a method with slots does not allow.
    cdp.on("Network.responseReceived", lambda event: wire.received(event))  # noqa: PLW0108
    cdp.on("Network.loadingFinished", lambda event: wire.finished(event))  # noqa: PLW0108
    await cdp.send("Network.enable")
    await page.goto(address, wait_until="networkidle")
    await context.close()
    return wire


@pytest.mark.parametrize("login", PAGES)
async def test_every_page_is_light(portal: Portal, login: str) -> None:
    for address in PAGES[login]:
        wire = await _visit(portal, login, address)
        total = sum(wire.sizes.values())
        print(f"{address}: HTML {wire.of('Document')}, CSS {wire.of('Stylesheet')}, all {total}")  # noqa: T201
        assert wire.of("Document") <= HTML, address
        assert 0 < wire.of("Stylesheet") <= CSS, address
        assert total <= (FIRST_PAGE if not login else RECORD), address
        assert wire.origins == {portal.address}, "a page asks another origin"


@pytest.mark.parametrize(
    ("login", "address"), [("", "/"), ("dr.petit", f"{PRO}/"), ("nora", f"{MINE}/")]
)
async def test_the_first_paint_comes_within_two_seconds_at_400_kbit_per_second(
    portal: Portal, login: str, address: str
) -> None:
    context = await portal.context(login, now=True)
    page = await context.new_page()
    cdp = await context.new_cdp_session(page)
    await cdp.send("Network.enable")
    await cdp.send(
        "Network.emulateNetworkConditions",
        {
            "offline": False,
            "latency": LATENCY_MS,
            "downloadThroughput": BYTES_PER_SECOND,
            "uploadThroughput": BYTES_PER_SECOND,
        },
    )
    await cdp.send("Emulation.setCPUThrottlingRate", {"rate": CPU_SLOWER})
    await page.goto(address)
    paint = await page.evaluate(PAINT)
    print(f"{address}: first contentful paint {paint:.0f} ms")  # noqa: T201
    await context.close()
    assert paint <= FIRST_PAINT_MS
