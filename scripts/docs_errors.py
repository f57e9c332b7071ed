"""Print docs/reference/errors.md from the tree of ``hygie/kernel/errors.py``."""

from __future__ import annotations

from docs_markdown import code, page, paragraphs, table

from hygie.kernel import errors

NARROWER = (
    ("value", "the text is no value of its datatype"),
    ("required", "a required element is missing"),
    ("code-invalid", "a code is outside its required binding"),
)
"""Issue codes that say more than the one of their class (http://hl7.org/fhir/issue-type)."""


def errors_page() -> str:
    """Return the page."""
    rows = [_row(kind) for kind in _tree()]
    narrower = ", ".join(f"{code(name)} ({meaning})" for name, meaning in NARROWER)
    return page(
        "Errors",
        "Each refusal is one class of `hygie/kernel/errors.py`. The API answers its HTTP status "
        "with an OperationOutcome. `issue.code` is the one given here, `issue.diagnostics` says "
        "what happened and what to do, `issue.expression` where in the resource the fault is, if "
        "it has a place there. No message holds a person's data. Pages show the same sentence.",
        f"A resource that is refused may carry a narrower code: {narrower}.",
        table(("Error", "Status", "Issue", "Meaning", "What to do"), rows),
        "A status of 500 with a number asks for the operator: the journal of the server has the "
        "reason beside that number, which is also the header `X-Request-Id`.",
    )


def _tree() -> list[type[errors.HygieError]]:
    return [
        kind
        for kind in vars(errors).values()
        if isinstance(kind, type) and issubclass(kind, errors.HygieError)
    ]


def _row(kind: type[errors.HygieError]) -> tuple[str, ...]:
    meaning, *advice = paragraphs(kind.__doc__)
    return code(kind.__name__), str(kind.status), code(kind.code), meaning, " ".join(advice)
