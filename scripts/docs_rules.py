"""Print docs/reference/book-of-rules.md from the tables of tests/spec: words, then proof."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from docs_markdown import page, paragraphs, table

SPEC = Path(__file__).resolve().parents[1] / "tests/spec"


def rules_page() -> str:
    """Return the page: one chapter for each module, one rule for each test."""
    return page(
        "The book of rules",
        "Who may do what with a record, as tables that a lawyer can read. Each table is a test: "
        "it is put to the running store or to the rules themselves, and fails when one line of it "
        "is not true. [access.md](access.md) prints the rules as the programme writes them, "
        "[matrix.md](matrix.md) who reads which type of document.",
        *[block for path in sorted(SPEC.glob("test_*.py")) for block in _chapter(path)],
    )


def _chapter(path: Path) -> Iterator[str]:
    module = ast.parse(path.read_text("utf-8"))
    title, *words = paragraphs(ast.get_docstring(module))
    yield f"## {title.rstrip('.')}"
    yield from words
    for node in module.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name[:5] == "test_":
            tables = list(_tables(node))
            if tables:
                yield f"### {_sentence(node.name)}"
                yield from paragraphs(ast.get_docstring(node))
                yield from tables


def _sentence(name: str) -> str:
    """Return the name of a test as the sentence it is."""
    words = name.removeprefix("test_").replace("_s_", "'s ").replace("_", " ")
    return words[:1].upper() + words[1:]


def _tables(test: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[str]:
    for call in ast.walk(test):
        if isinstance(call, ast.Call):
            for argument in call.args:
                if isinstance(argument, ast.Constant) and " | " in str(argument.value):
                    heads, *rows = _cells(str(argument.value))
                    yield table(heads, rows)


def _cells(text: str) -> list[list[str]]:
    return [[cell.strip() for cell in line.split("|")] for line in text.strip().splitlines()]
