"""The readable parts of an export: a PDF and a page that opens without any network."""

from __future__ import annotations

import lzma
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from importlib.resources import files
from pathlib import Path

from fpdf import FPDF

from hygie.domains.rights.fhir.lines import Line, text_of
from hygie.domains.rights.model.register import resource_label
from hygie.domains.rights.service.digest import Digest
from hygie.domains.rights.service.words import Language, word

STYLE = (
    "body{font:1rem/1.5 system-ui,sans-serif;max-width:60rem;margin:0 auto;padding:1rem;color:#111;"
    "background:#fff}h1,h2{line-height:1.2}table{border-collapse:collapse;width:100%}"
    "th,td{text-align:left;padding:.3rem .6rem .3rem 0;border-bottom:1px solid #ccc;"
    "vertical-align:top;overflow-wrap:anywhere}"
)


@dataclass(frozen=True, slots=True)
class Cover:
    """What the readable parts say besides the record.

    Attributes:
        language: ``fr`` or ``en``.
        day: when it was prepared, as it is printed.
        requester: who asked, as it is printed.
        rules: who may read the record and why, one sentence each.
        files: names of the documents in the archive, with their titles.
        traces: how many accesses are in the archive, None where they are not given.
    """

    language: Language
    day: str
    requester: str
    rules: Sequence[str]
    files: Sequence[tuple[str, str]]
    traces: int | None


def page(digest: Digest, cover: Cover) -> str:
    """Return ``index.html``: one page, no script, nothing fetched from anywhere."""
    say = cover.language
    name = text_of(digest.person.get("name"))
    parts = [
        f"<h1>{_word('title', say)}</h1>",
        f"<p>{_word('of', say)} <strong>{escape(name)}</strong>.</p>",
        f"<p>{_word('made', say)} {escape(cover.day)}.</p>",
        f"<p>{_word('asked', say)} {escape(cover.requester)}.</p>",
        _counts(digest, say),
        _section("choices", say, _list([_sentence(one) for one in digest.choices], say)),
        _section("rules", say, _list(cover.rules, say)),
        _section("documents", say, _links(cover)),
        _section("traces", say, f"<p>{escape(traces_told(cover))}</p>"),
        _section("history", say, _lines(digest, say)),
    ]
    return (
        f'<!doctype html>\n<html lang="{say}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{_word('title', say)}</title><style>{STYLE}</style></head>\n"
        f"<body><main>{''.join(parts)}</main></body></html>\n"
    )


def traces_told(cover: Cover) -> str:
    """Return the sentence about traces."""
    if cover.traces is None:
        return word("no_traces", cover.language)
    return f"{cover.traces} {word('trace_count', cover.language)}"


def _section(name: str, say: Language, inner: str) -> str:
    return f"<section><h2>{_word(name, say)}</h2>{inner}</section>"


def _word(name: str, say: Language) -> str:
    return escape(word(name, say))


def _counts(digest: Digest, say: Language) -> str:
    rows = "".join(
        f"<tr><td>{escape(resource_label(rt, say))}</td><td>{count}</td></tr>"
        for rt, count in sorted(digest.counts.items())
    )
    head = f'<tr><th scope="col">{_word("kind", say)}</th><th scope="col">{_word("number", say)}'
    return _section("contents", say, f"<table>{head}</th></tr>{rows}</table>")


def _list(sentences: Sequence[str], say: Language) -> str:
    if not sentences:
        return f"<p>{_word('none', say)}</p>"
    return f"<ul>{''.join(f'<li>{escape(one)}</li>' for one in sentences)}</ul>"


def _links(cover: Cover) -> str:
    if not cover.files:
        return f"<p>{_word('none', cover.language)}</p>"
    items = (
        f'<li><a href="{escape(path)}">{escape(title)}</a></li>' for path, title in cover.files
    )
    return f"<ul>{''.join(items)}</ul>"


def _lines(digest: Digest, say: Language) -> str:
    rows = "".join(
        f"<tr><td>{escape(one.day or word('undated', say))}</td>"
        f"<td>{escape(resource_label(one.rt, say))}</td>"
        f"<td>{escape(one.title)}{'<br>' + escape(one.detail) if one.detail else ''}</td></tr>"
        for one in digest.lines
    )
    more = "" if digest.complete else f"<p>{_word('more', say)}</p>"
    return f"{more}<table>{rows}</table>" if rows else f"<p>{_word('none', say)}</p>"


def _sentence(one: Line) -> str:
    return " · ".join(filter(None, (one.day, one.title, one.detail)))


def pdf(digest: Digest, cover: Cover) -> bytes:
    """Return ``dossier.pdf``: language, title and an outline; fonts that hold every accent."""
    with tempfile.TemporaryDirectory(prefix="hygie-fonts-") as folder:
        book = _Book(cover.language, unpack_fonts(Path(folder)))
        _fill(book, digest, cover)
        return book.bytes()


def _fill(book: _Book, digest: Digest, cover: Cover) -> None:
    say = cover.language
    book.heading(word("title", say), level=0)
    person = digest.person
    book.text(f"{word('of', say)} {text_of(person.get('name'))}")
    book.text(f"{word('born', say)} {person.get('birthDate', '?')}")
    book.text(f"{word('made', say)} {cover.day}. {word('asked', say)} {cover.requester}.")
    book.heading(word("contents", say))
    for rt, count in sorted(digest.counts.items()):
        book.text(f"{resource_label(rt, say)} : {count}")
    book.listed(word("choices", say), [_sentence(one) for one in digest.choices])
    book.listed(word("rules", say), cover.rules)
    book.listed(word("documents", say), [title for _, title in cover.files])
    book.heading(word("traces", say))
    book.text(traces_told(cover))
    book.heading(word("history", say))
    if not digest.complete:
        book.text(word("more", say))
    for one in digest.lines:
        book.entry(one)


class _Book:
    """An A4 document of headings, paragraphs and dated entries."""

    def __init__(self, language: Language, fonts: Sequence[Path]) -> None:
        self._say = language
        self._pdf = FPDF(format="A4")
        self._pdf.set_lang("fr-FR" if language == "fr" else "en-GB")
        self._pdf.set_title(word("title", language))
        self._pdf.set_creator("Hygie")
        for style, path in zip(("", "B"), fonts, strict=True):
            self._pdf.add_font("DejaVu", style, path)
        self._pdf.set_margins(18, 18)
        self._pdf.set_auto_page_break(True, margin=18)
        self._pdf.add_page()

    def heading(self, text: str, *, level: int = 1) -> None:
        """Write a heading, which is an entry of the outline too."""
        self._pdf.ln(4 if level else 0)
        self._pdf.start_section(text, level=level)
        self._write(text, style="B", size=13 if level else 18)
        self._pdf.ln(1)

    def text(self, text: str) -> None:
        """Write a paragraph."""
        self._write(text, size=10)

    def listed(self, title: str, sentences: Sequence[str]) -> None:
        """Write a heading and a list."""
        self.heading(title)
        for one in sentences or [word("none", self._say)]:
            self.text(f"• {one}")

    def entry(self, one: Line) -> None:
        """Write one line of the history."""
        day = one.day or word("undated", self._say)
        self._write(f"{day} · {resource_label(one.rt, self._say)}", style="B", size=9)
        self._write(" — ".join(filter(None, (one.title, one.detail))), size=9)

    def bytes(self) -> bytes:
        """Return the file."""
        return bytes(self._pdf.output())

    def _write(self, text: str, *, style: str = "", size: float) -> None:
        self._pdf.set_font("DejaVu", style, size)
        self._pdf.multi_cell(0, size * 0.5, text, new_x="LMARGIN", new_y="NEXT", align="L")


def unpack_fonts(folder: Path) -> list[Path]:
    """Unpack the regular and bold fonts into a folder; they are read until the file is made."""
    paths = []
    for name in ("dejavu_sans", "dejavu_sans_bold"):
        packed = files("hygie.domains.rights").joinpath(f"definitions/{name}.ttf.xz").read_bytes()
        paths.append(folder / f"{name}.ttf")
        paths[-1].write_bytes(lzma.decompress(packed))
    return paths
