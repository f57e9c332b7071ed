"""What a refusal says, in one comparable line."""

from __future__ import annotations

from hygie.kernel.errors import HygieError
from hygie.kernel.fhir.validate import parse


def refused(raw: bytes | str, *, nested: bool = True) -> tuple[int, str, str | None]:
    """Return status, issue code and expression of the refusal; fail if nothing is refused."""
    text = raw.encode() if isinstance(raw, str) else raw
    try:
        parse(text, nested=nested)
    except HygieError as error:
        issue = error.issues[0]
        return error.status, issue.code, issue.expression
    raise AssertionError("the resource was accepted")


def patient(members: str) -> str:
    """Return a Patient with these members."""
    return f'{{"resourceType":"Patient",{members}}}'


def observation(members: str) -> str:
    """Return an Observation with its required elements and these members."""
    return f'{{"resourceType":"Observation","status":"final","code":{{"text":"x"}},{members}}}'
