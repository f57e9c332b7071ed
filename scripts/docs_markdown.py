"""Markdown as the printed reference pages use it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

PRINTED = "<!-- Printed by scripts/build_docs.py (make docs): change the code, not this page. -->"


def page(title: str, *blocks: str) -> str:
    """Return a page from its title and its blocks."""
    return "\n\n".join([f"# {title}", PRINTED, *blocks]) + "\n"


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table; a bar inside a cell is escaped."""
    lines = [_line(heads), _line(["---"] * len(heads)).replace(" ", "")]
    return "\n".join([*lines, *(_line(row) for row in rows)])


def code(text: str) -> str:
    """Return a text as code."""
    return f"`{text}`"


def codes(texts: Iterable[str]) -> str:
    """Return texts as code, separated by spaces."""
    return " ".join(code(text) for text in texts)


def paragraphs(docstring: str | None) -> list[str]:
    """Return the paragraphs of a docstring, each on one line, double back-quotes made single."""
    text = (docstring or "").replace("``", "`")
    return [" ".join(part.split()) for part in text.split("\n\n") if part.strip()]


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"
