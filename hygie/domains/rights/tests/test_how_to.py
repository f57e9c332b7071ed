"""The requests of the how-to page are sent one after the other, and answer what it says."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hygie.domains.rights.jobs import erase_what_was_asked, prepare_exports
from hygie.domains.rights.tests.conftest import Over
from hygie.kernel.api.tests.client import Client, Reply
from hygie.testing.stories import HELENE, NORA

PAGE = Path(__file__).parents[4] / "docs/how-to/rights-over-fhir.md"
BLOCK = re.compile(r"^```http\n(.*?)^```", re.DOTALL | re.MULTILINE)
NAME = re.compile(r"\{([a-z]+)\}")


@dataclass
class Block:
    """One request or answer of the page: first line, headers by lower-case name, body."""

    line: str
    headers: dict[str, str]
    body: str

    @classmethod
    def read(cls, text: str) -> Block:
        head, _, body = text.partition("\n\n")
        line, *headers = head.strip().splitlines()
        named = (one.partition(": ") for one in headers)
        return cls(line, {name.lower(): value for name, _, value in named}, body)


@dataclass
class Reader:
    """Sends the requests of the page, and remembers what its words in braces stand for."""

    over: Over
    known: dict[str, str] = field(default_factory=dict)

    def filled(self, text: str) -> str:
        return NAME.sub(lambda found: self.known.get(found[1], found[0]), text)

    def send(self, block: Block) -> Reply:
        method, path = self.filled(block.line).split(" ", 1)
        token = block.headers.get("authorization", "").removeprefix("Bearer ")
        headers = {k.title(): v for k, v in block.headers.items() if k != "authorization"}
        body = self.filled(block.body).encode() if block.body else None
        return self._client(token)(method, path.replace("|", "%7C"), body, headers)

    def compare(self, said: Block, reply: Reply) -> None:
        assert f"HTTP/1.1 {reply.status}" == said.line, reply.body[:500]
        for name, value in said.headers.items():
            self._match(value, reply.headers[name])
        if said.body:
            self._match(json.loads(said.body), reply.json)

    def _client(self, token: str) -> Client:
        if token == "NORA":
            return self.over.person(NORA)
        return self.over.doctor(HELENE) if token else Client(self.over.service, None)

    def _match(self, said: Any, found: Any) -> None:
        """Compare what the page says with what came; an object or a list may hold more."""
        if isinstance(said, Mapping):
            for name, value in said.items():
                self._match(value, found[name])
        elif isinstance(said, list):
            assert bool(said) <= bool(found)
            for one in said:
                self._match_any(one, found)
        elif isinstance(said, str):
            name = NAME.fullmatch(said)
            if name and name[1] not in self.known:
                self.known[name[1]] = found
            assert self.filled(said) == found
        else:
            assert said == found

    def _match_any(self, said: Any, found: list[Any]) -> None:
        for one in found:
            try:
                self._match(said, one)
            except (AssertionError, KeyError):
                continue
            return
        raise AssertionError(f"{said} is not in the answer")


def test_every_request_of_the_page_answers_as_it_says(over: Over) -> None:
    blocks = [Block.read(text) for text in BLOCK.findall(PAGE.read_text("utf-8"))]
    pairs = list(zip(blocks[::2], blocks[1::2], strict=True))
    assert len(pairs) > 15
    reader = Reader(over)
    for request, answer in pairs:
        erasing = NAME.search(request.line) and "{erasure}" in request.line
        if erasing:
            over.run(erase_what_was_asked(over.service.platform))
        reader.compare(answer, reader.send(request))
        if "x-progress" in answer.headers:
            over.run(prepare_exports(over.service.platform))
