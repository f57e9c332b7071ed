"""Which documents are filed, and what is printed on them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache

from hygie.demo.course import Course, Paper
from hygie.demo.fhir.care import Visit, write_encounter
from hygie.demo.fhir.directory import Post
from hygie.demo.fhir.documents import Deposit, write_document
from hygie.demo.fhir.parts import HIDDEN_FROM_PARENTS
from hygie.demo.pdf import page
from hygie.demo.rows import DocumentKind
from hygie.demo.tables import rows
from hygie.demo.treatments import Treatments

USUAL = 2
"""Documents of somebody who has no name in the demonstration."""

RANK = ("summary", "stay", "laboratory", "consultation", "prescription", "imaging", "child")


@dataclass(frozen=True, slots=True)
class Extra:
    """A document of a named person beside those of the engine.

    ``role`` gives it a visit of its own with whoever holds that role, ``days_ago`` days before the
    end of the story; without it the last visit to the general practitioner.
    """

    kind: str
    title: str
    lines: tuple[str, ...]
    label: str = ""
    by_patient: bool = False
    role: str = ""
    days_ago: int = 0


def file_documents(
    course: Course, treatments: Treatments, *, count: int, extras: Sequence[Extra] = ()
) -> None:
    """File the documents of a record: the most useful kinds first, the last of each kind."""
    papers = _candidates(course, treatments)
    for paper in papers[:count]:
        _file(course, paper)
    for extra in extras:
        paper = Paper(extra.kind, _visit_of(course, extra), extra.title, extra.lines)
        _file(course, paper, label=extra.label, by_patient=extra.by_patient)


def _visit_of(course: Course, extra: Extra) -> Visit:
    if not extra.role:
        return max(course.gp_visits, key=lambda visit: visit.start)
    day = course.working_day(course.end - timedelta(days=extra.days_ago))
    post, secret = course.territory.post(extra.role), extra.label == HIDDEN_FROM_PARENTS
    visit = Visit(course.chart.reserve("Encounter", extra.title), day, 17 * 60, post, secret)
    write_encounter(course.chart, course.patient, visit, label=extra.title, reasons=[])
    return visit


def _candidates(course: Course, treatments: Treatments) -> list[Paper]:
    """Return the papers in the order in which they deserve to be filed."""
    latest: dict[str, list[Paper]] = {}
    for paper in sorted(course.papers, key=lambda paper: paper.visit.start, reverse=True):
        latest.setdefault(paper.kind, []).append(paper)
    for written in (_summary(course, treatments), _prescription(treatments)):
        if written:
            latest[written.kind] = [written]
    doses = latest.pop("vaccination", [])
    if doses:
        lines = tuple(line for dose in reversed(doses) for line in dose.lines)
        whole = Paper("vaccination", doses[0].visit, doses[0].title, ("# Vaccins reçus", *lines))
        latest["vaccination"] = [whole]
    kinds = [kind for kind in (*RANK, "vaccination") if kind in latest]
    if course.person.age(course.today) < 18 and "vaccination" in kinds:  # noqa: PLR2004
        kinds.insert(0, kinds.pop())
    deepest = max((len(latest[kind]) for kind in kinds), default=0)
    return [
        latest[kind][depth]
        for depth in range(deepest)
        for kind in kinds
        if depth < len(latest[kind])
    ]


def _last_gp_visit(course: Course) -> Visit | None:
    return max(course.gp_visits, key=lambda visit: visit.start, default=None)


def _summary(course: Course, treatments: Treatments) -> Paper | None:
    visit = _last_gp_visit(course)
    followed = [*course.illnesses.values(), *course.pregnancies]
    known = [ill for ill in followed if visit and ill.active(visit.day)]
    if visit is None or not known:
        return None
    taken = [
        f"{taking.medicine.name} : {taking.row.instruction}" for taking in treatments.current()
    ]
    allergies = [f"{row.display} ({row.manifestation.lower()})" for row in course.allergies]
    lines = (
        "# Pathologies en cours",
        *(
            f"{ill.disease.display} ({ill.disease.icd10}), depuis {ill.onset:%m/%Y}"
            for ill in known
        ),
        "# Allergies et intolérances",
        *(allergies or ["Aucune information recueillie."]),
        "# Traitements en cours",
        *(taken or ["Aucun traitement en cours connu."]),
    )
    return Paper("summary", visit, "Volet de synthèse médicale", lines)


def _prescription(treatments: Treatments) -> Paper | None:
    current = treatments.current()
    if not current:
        return None
    visit = max((taking.orders[-1] for taking in current), key=lambda visit: visit.start)
    lines: list[str] = []
    for taking in current:
        lines += [f"# {taking.medicine.name}", taking.row.instruction]
    return Paper("prescription", visit, "Ordonnance", (*lines, "À renouveler pendant six mois."))


def _file(course: Course, paper: Paper, *, label: str = "", by_patient: bool = False) -> None:
    kind, post, day = document_kind(paper.kind), paper.visit.post, paper.visit.day
    author = course.person.name if by_patient else post.name
    content = page(
        paper.title,
        author=author,
        day=day,
        header=_header(course, post, day, author),
        body=paper.lines,
    )
    deposit = Deposit(
        kind,
        day,
        post,
        content,
        f"{paper.title} du {day:%d/%m/%Y}",
        encounter=paper.visit.reference,
        label=label,
        by_patient=by_patient,
    )
    write_document(course.chart, course.patient, deposit)


def _header(course: Course, post: Post, day: date, author: str) -> tuple[str, ...]:
    person = course.person
    born = "née" if person.sex == "female" else "né"
    return (
        f"{post.site.name} — {author}",
        f"Patient : {person.name}, {born} {person.family} le {person.birth:%d/%m/%Y}",
        f"INS de test : {person.nir}",
        f"Date : {day:%d/%m/%Y}",
    )


@cache
def document_kind(key: str) -> DocumentKind:
    """Return the metadata of a kind of document."""
    return next(row for row in rows("documents.csv", DocumentKind) if row.key == key)
