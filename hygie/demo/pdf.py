"""One readable A4 page per document, made with fpdf2 in about a millisecond.

The core fonts cover the Windows-1252 letters: every French letter is there, other accents lose
their mark (``Şahin`` is printed ``Sahin``). The file carries its language, title and author.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from datetime import UTC, date, datetime, time
from textwrap import wrap

from fpdf import FPDF

ENCODING = "cp1252"
LINE, WIDTH = 5.2, 180.0
LETTERS = 88
"""Letters that fit the width of the page in the largest body size, capitals included."""


def page(
    title: str, *, author: str, day: date, header: Sequence[str], body: Sequence[str]
) -> bytes:
    """Return a PDF: a title, a header in small letters, and lines of body.

    A body line that begins with ``#`` is a heading. The same arguments give the same bytes.
    """
    pdf = FPDF(format="A4")
    pdf.core_fonts_encoding = ENCODING
    pdf.set_lang("fr-FR")
    pdf.set_title(title)
    pdf.set_author(author)
    pdf.set_creation_date(datetime.combine(day, time(12), UTC))
    pdf.set_margins(15, 15)
    pdf.add_page()
    _text(pdf, title, style="B", size=15, height=9)
    for line in header:
        _text(pdf, line, size=9, height=4.4)
    pdf.ln(3)
    pdf.line(15, pdf.get_y(), 195, pdf.get_y())
    pdf.ln(3)
    for line in body:
        heading = line.startswith("#")
        _text(pdf, line.lstrip("# "), style="B" if heading else "", size=10.5)
    pdf.ln(4)
    _text(pdf, "Document de démonstration : personne et soins imaginaires.", style="I", size=8)
    return bytes(pdf.output())


def _text(pdf: FPDF, text: str, *, style: str = "", size: float, height: float = LINE) -> None:
    pdf.set_font("Helvetica", style, size)
    # Measuring every letter, as multi_cell does, would take most of the time of the population.
    for line in wrap(printable(text), LETTERS) or [""]:
        pdf.cell(WIDTH, height, line, new_x="LMARGIN", new_y="NEXT")


def printable(text: str) -> str:
    """Return the text with the letters that the font has.

    >>> printable("Œuf, Şahin, 37,5 °C")
    'Œuf, Sahin, 37,5 °C'
    """
    try:
        text.encode(ENCODING)
    except UnicodeEncodeError:
        return "".join(_letter(letter) for letter in text)
    return text


def _letter(letter: str) -> str:
    try:
        letter.encode(ENCODING)
    except UnicodeEncodeError:
        return unicodedata.normalize("NFKD", letter).encode("ascii", "ignore").decode() or "?"
    return letter
