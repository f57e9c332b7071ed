"""Print docs/reference/access-log.md from the patterns of the access log."""

from __future__ import annotations

from docs_markdown import code, codes, page, paragraphs, table

from hygie.kernel.audit.balp import (
    DECISION,
    DISCLOSURE,
    EXECUTE,
    PATTERNS,
    PROFILES,
    Pattern,
)
from hygie.kernel.store.search.plan import LOOKED_AT
from hygie.kernel.store.searching import FEW_COUNTED, FEW_PEOPLE

OTHERS = ("transaction", "batch", "capabilities")
KINDS = (
    ("A success of data about one patient", "yes, `Patient…` where BALP has one"),
    ("A success of data about nobody, such as a Practitioner", "yes"),
    ("A set of patients, to one of them, who is named alone", "yes, `Patient…`"),
    ("A set of patients, to anybody else: their number only", "no: neither profile would be true"),
    ("A search whose words were not kept: a page of a portal", "no: the profile wants the query"),
    ("A result that was not announced, to the person: the access without the thing",
     "no: the profile wants the thing"),
    ("A refusal (401, 403), told as a decision",
     "no: `AuthZconsent` wants the Consent decided upon, and rules decide"),
    ("Absent (404), gone (410), conflict, failure", "no: the profiles tell successes"),
    ("An erased trace", "no: nothing is left to name"),
)  # fmt: skip


def access_log_page() -> str:
    """Return the page."""
    return page(
        "The access log in FHIR",
        "`GET /fhir/AuditEvent` tells the access log in the patterns of IHE ITI "
        "[Basic Audit Log Patterns](https://profiles.ihe.net/ITI/BALP) 1.1.4. An event names in "
        "`meta.profile` the profile it conforms to, and none where none would be true. The tests "
        "check every kind of trace, by every kind of caller, with every outcome, as each kind of "
        "reader sees it, against the StructureDefinitions of IHE.",
        "## By interaction",
        table(
            ("Interaction", "Type", "Action", "Client", "Server", "Person", "Profile"),
            [
                *(_line(name, PATTERNS.get(name, EXECUTE)) for name in (*PATTERNS, *OTHERS)),
                _line("operation", DISCLOSURE),
                _line("any, refused", DECISION),
            ],
        ),
        f"Profiles stand under `{PROFILES}IHE.BasicAudit.`; `operation` is told as a disclosure "
        "where a person's data leaves. `history` and what carries many entries have no profile.",
        "## When a profile is claimed",
        table(("Trace", "Claims its profile"), KINDS),
        *paragraphs(_PROSE),
        "## Whom a trace names",
        *paragraphs(_NAMED.format(page=FEW_COUNTED, few=FEW_PEOPLE, looked=f"{LOOKED_AT:,}")),
    )


def _line(name: str, pattern: Pattern) -> tuple[str, ...]:
    profile = pattern.profile or ""
    patient = pattern.profile and pattern is not DISCLOSURE
    return (
        name if "," in name else code(name),
        code(pattern.kind[1]),
        code(pattern.action),
        *(code(role[1]) for role in (pattern.client, pattern.server, pattern.user)),
        codes([profile, f"Patient{profile}"] if patient else [profile]) if profile else "none",
    )


_PROSE = """
The type, the action and the roles of a refusal are those of a decision. What was tried is in
``subtype``. Where who reads may not know the caller's address or the words of a search, the event
says that they are masked (``data-absent-reason``) and still conforms. No event claims a profile of
tokens: the log keeps who asked, not the token, of which the platform itself keeps only a hash.
"""
_NAMED = """
Whoever's data leave are named one by one, one trace for each, whatever the size of a page. A page
whose total is at most {page} names as well those whom it counts and does not show.

A pure number (``_summary=count``, ``_count=0``) names everybody it is over: one by one up to
{few} people, beyond in one trace that holds all their numbers, for each rule and each set of
labels. Two numbers that differ by one person tell what the difference is, so a number over many is
not about nobody. Such a trace takes 4 bytes a person, 8 kB and less than a millisecond for 2,000;
each person reads in it themselves and how many they were, and never another.

A number over more than {looked} matches names nobody, and so does a total above {page} beside a
page: those who are not on the page. There the log keeps who asked, when, the criteria, the rule
and the total. A list of names that size would cost more than the question, and the caller's own
access to each record is told by the rules. Who represents a person sees no number over many.

Who asks for one resource and is refused (``read``, ``vread``, ``history``, a write) is told to
the person whose it is, even where the answer was that there is no such resource. The database
writes the name with the trace, after the answer is decided: hidden and absent answer alike, take
the same time, and look alike in the caller's own traces. Three refusals name nobody: one's own,
that of a result that was not announced to the person, and one from the spool of an emergency. A
transaction that is refused as a whole names nobody.

Who holds an export of the log can tell a refused hidden resource from an absent one: the body of
the trace says whose it was, and the headers alone, which outlive an erasure, hold the labels of
what was asked and none for what is not there. Only the operator makes an export; whoever is given
one to verify it, headers included, learns this too.
"""
