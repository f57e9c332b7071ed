"""Turn what the decoder and the checks raise into the errors of Hygie.

msgspec has one exception with a sentence and a path; the table below reads the sentence. A test
holds the table against the installed version.
"""

from __future__ import annotations

import re

import msgspec

from hygie.kernel.errors import HygieError, Issue, Malformed, Unprocessable
from hygie.kernel.fhir.expression import fhirpath
from hygie.kernel.fhir.primitives import Fault

_placed = re.compile(r"(.*) - at `(?:key in )?(\$.*)`", re.DOTALL).fullmatch
_plain_words = re.compile(r"_?[A-Za-z][A-Za-z0-9]{0,63}(?: \| [a-z]+)*").fullmatch
_byte = re.compile(r"\(byte (\d+)\)").search

_RULES: tuple[tuple[re.Pattern[str], type[HygieError], str, str], ...] = tuple(
    (re.compile(pattern), error, code, sentence)
    for pattern, error, code, sentence in (
        (r"Object missing required field `(.*)`", Unprocessable, "required",
         "The element {0} is required; give it."),
        (r"Object contains unknown field `(.*)`", Malformed, "structure",
         "FHIR R4 has no element {0} here; remove it."),
        (r"Invalid enum value", Unprocessable, "code-invalid",
         "The code is not in the required value set of this element; use one of its codes."),
        (r"Expected `array` of length", Malformed, "structure",
         "An array is never empty in FHIR; remove it or fill it."),
        (r"Expected `str` of length <=", Malformed, "too-long",
         "A text has at most 1,048,576 characters; shorten it or attach it."),
        (r"Expected `str` of length", Malformed, "value",
         "A text is never empty in FHIR; remove it or fill it."),
        (r"Expected `str` matching regex", Malformed, "value",
         "The text does not have the form of its datatype; correct it."),
        (r"Expected `int` [<>]", Malformed, "value",
         "The number is out of the range of its datatype; correct it."),
        (r"Integer value out of range|Number out of range|Invalid decimal", Malformed, "value",
         "The number is out of the range of its datatype; correct it."),
        (r"Expected `([a-z |]+)`, got `([a-z]+)`", Malformed, "structure",
         "The value must be a JSON {0}, not {1}."),
        (r"Invalid value", Malformed, "structure",
         "This resource type does not fit here; correct resourceType."),
    )
)  # fmt: skip
_JSON_KINDS = {
    "bool": "boolean",
    "str": "string",
    "int": "integer",
    "float": "number",
    "decimal": "number",
}


def refusal(error: Exception, resource_type: str | None) -> HygieError:
    """Return the error of Hygie for an exception of the decoder.

    ``resource_type`` begins the expression; None when it is not known.
    """
    if isinstance(error, msgspec.ValidationError):
        return _invalid(error, resource_type)
    if isinstance(error, RecursionError):
        return Malformed("The text nests too deep; flatten it.")
    found = _byte(str(error))
    place = f" at byte {found[1]}" if found else ""
    return Malformed(f"The text is not JSON{place}; correct its syntax.")


def _invalid(error: msgspec.ValidationError, resource_type: str | None) -> HygieError:
    placed = _placed(str(error))
    text, path = (placed[1], placed[2]) if placed else (str(error), "$")
    fault = error.__cause__
    if isinstance(fault, Fault):
        expression = fhirpath(resource_type, f"{path}.{fault.element}")
        kind = Unprocessable if fault.readable else Malformed
        return kind(text, issues=[Issue(fault.code, text, expression)])
    for pattern, error_type, code, sentence in _RULES:
        if found := pattern.match(text):
            words = [_word(word) for word in found.groups()]
            told = sentence.format(*words).replace("  ", " ")
            inner = f".{words[0]}" if "field" in pattern.pattern and words[0] else ""
            expression = fhirpath(resource_type, f"{path}{inner}")
            return error_type(told, issues=[Issue(code, told, expression)])
    return Malformed("The resource does not have the shape of its type.")


def _word(text: str) -> str:
    """Return an element's name or a JSON kind, and nothing for any odder text."""
    return _JSON_KINDS.get(text, text) if _plain_words(text) else ""


def located(error: HygieError, resource_type: str | None) -> HygieError:
    """Return the error with its JSON path, if it has one, turned into FHIRPath."""
    issue = error.issues[0]
    if issue.expression is None or not issue.expression.startswith("$"):
        return error
    return _moved(error, fhirpath(resource_type, issue.expression))


def below(error: HygieError, place: str) -> HygieError:
    """Return the error of an inner resource with its expression below ``place``."""
    inner = error.issues[0].expression or ""
    rest = inner[len(inner.split(".", 1)[0].split("[", 1)[0]) :]
    return _moved(error, f"{place}{rest}")


def _moved(error: HygieError, expression: str) -> HygieError:
    issue = error.issues[0]
    moved = Issue(issue.code, issue.diagnostics, expression, issue.severity)
    return type(error)(issue.diagnostics, issues=[moved])
