"""The population: the directory first, then the named people, then everybody else.

``population`` is pure: the same seed, count and day give the same bytes.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

from hygie.demo.chance import chance
from hygie.demo.choices import choices_of, parents_of, usual_choices
from hygie.demo.course import WINDOW_YEARS, Course
from hygie.demo.directory import Directory, Territory
from hygie.demo.fhir.choices import Access
from hygie.demo.fhir.parts import HIDDEN_FROM_PARENTS, Chart
from hygie.demo.households import household
from hygie.demo.illness import Illness, draw_illnesses
from hygie.demo.maternity import TERM, pregnancies_of, pregnancy
from hygie.demo.named import Story, named_patients, people, reference, related_reference
from hygie.demo.papers import Extra
from hygie.demo.prevention import draw_allergies
from hygie.demo.record import Wishes, play
from hygie.demo.rows import Allergy, Disease
from hygie.demo.tables import rows
from hygie.demo.traits import Person
from hygie.domains.consent.model.choices import Standing

CONSENT_SINCE, CONSENT_UNTIL = timedelta(days=200), timedelta(days=530)
Record = list[bytes]
"""The resources of one person, or of the directory, as JSON."""

LOCAL_SHARE, LOCAL_MOST = 3, 400
"""One patient in three, at most four hundred, lives in the town of the named people."""

SMALLEST, LARGEST = 25, 100
"""People of another territory: few in a small population, so that it spreads over France."""

SECRET_VISIT = Extra(
    "consultation",
    "Consultation confidentielle",
    (
        "# Motif",
        "Demande d'information sur la contraception et la prévention.",
        "# Conclusion",
        "Information donnée. Le patient demande que ses parents n'en soient pas informés.",
    ),
    label=HIDDEN_FROM_PARENTS,
    role="generaliste",
    days_ago=40,
)
MASKED_REPORT = Extra(
    "consultation",
    "Consultation de cardiologie",
    (
        "# Motif",
        "Troubles de l'érection sous bêtabloquant.",
        "# Conclusion",
        "Bisoprolol poursuivi. Le patient souhaite que d'autres soignants ne le lisent pas.",
    ),
    label="MASQUE_PS",
    role="cardiologue",
    days_ago=60,
)
UNANNOUNCED_RESULT = Extra(
    "imaging",
    "Scanner thoracique",
    (
        "# Résultat",
        "Nodule de 14 mm du lobe supérieur droit, à contours irréguliers.",
        "# Conclusion",
        "À annoncer en consultation. Avis pneumologique demandé.",
    ),
    label="INVISIBLE_PATIENT",
    role="radiologue",
    days_ago=3,
)
DIRECTIVES = Extra(
    "directives",
    "Directives anticipées",
    (
        "# Mes volontés",
        "Je ne souhaite pas d'acharnement thérapeutique si mon état devient sans espoir.",
        "Je souhaite être soulagé de la douleur, même si cela abrège ma vie.",
    ),
    by_patient=True,
)


def population(seed: int, patients: int, *, today: date) -> Iterator[Record]:
    """Yield the directory, then one record per patient; the named people are always there.

    References point to what was already yielded or stay inside the record.

    Args:
        seed: any number; identifiers of anonymous people derive from it.
        patients: how many patients in all; never less than the named ones.
        today: the day of the demonstration; nothing happens on it or after it.
    """
    named = named_patients(today)
    others = max(0, patients - len(named))
    local = max(0, min(patients // LOCAL_SHARE, LOCAL_MOST) - len(named))
    local = min(local, others)
    size = min(LARGEST, max(SMALLEST, patients // 100))
    directory = Directory(seed, 1 + -(-(others - local) // size), today=today)
    yield directory.chart.resources
    for story, person in zip(people().patients, named, strict=True):
        yield _named_record(story, person, directory.territories[0], today)
    yield from _everybody(seed, directory, (local, others - local, size), today)


def _everybody(
    seed: int, directory: Directory, counts: tuple[int, int, int], today: date
) -> Iterator[Record]:
    """Yield the households of the town of the named people, then of each other territory."""
    local, far, size = counts
    quotas = [local]
    while far > 0:
        quotas.append(min(size, far))
        far -= size
    for territory, quota in zip(directory.territories, quotas, strict=True):
        done = number = 0
        while done < quota:
            key = f"{seed}/{territory.index}/{number}"
            rng = chance("household", key)
            members = household(rng, key, town=territory.town, today=today)
            for person in members[: quota - done]:
                yield _record(person, territory, today)
                done += 1
            number += 1


def _record(person: Person, territory: Territory, today: date) -> Record:
    rng = chance("person", person.key)
    end = min(today, person.death or today) - timedelta(days=1)
    illnesses = draw_illnesses(rng, person, end)
    window = max(person.birth, today - timedelta(days=round(WINDOW_YEARS * 365.25)))
    course = Course(
        person,
        territory,
        rng=rng,
        today=today,
        illnesses=illnesses,
        pregnancies=pregnancies_of(rng, person, window=window, today=today),
        allergies=draw_allergies(rng, person, end),
        chart=Chart(person.key),
    )
    play(course, Wishes(readers=parents_of(person), choices=usual_choices(course)))
    return course.chart.resources


def _named_record(story: Story, person: Person, territory: Territory, today: date) -> Record:
    course = Course(
        person,
        territory,
        rng=chance("person", person.key),
        today=today,
        illnesses=_illnesses(story, today),
        pregnancies=_pregnancies(story, today),
        allergies=[row for row in rows("allergies.csv", Allergy) if row.key in story.allergies],
        chart=Chart(person.key),
    )
    extras = [SECRET_VISIT] if story.secret_visit else []
    if story.slug == "rene":
        extras += [DIRECTIVES, MASKED_REPORT, UNANNOUNCED_RESULT]
    wishes = Wishes(
        documents=story.documents,
        extras=extras,
        takes=story.takes,
        links=_links(story),
        readers=_readers(story, person, today),
        choices=choices_of(story.slug, course),
    )
    play(course, wishes)
    return course.chart.resources


def _readers(story: Story, person: Person, today: date) -> list[Access]:
    """Return who else may read a named record: helpers for a time, parents until majority."""
    start, end = today - CONSENT_SINCE, today + CONSENT_UNTIL
    helpers = [
        Access(reference("Patient", kin.slug), one.person.name, Standing.HELPER, start, end)
        for kin, one in zip(story.relatives, person.relatives, strict=True)
        if kin.helper
    ]
    return [*parents_of(person), *helpers]


def _illnesses(story: Story, today: date) -> dict[str, Illness]:
    table = {row.module: row for row in rows("diseases.csv", Disease)}
    return {
        name: Illness(table[name], today - timedelta(days=round(years * 365.25) + 30))
        for name, years in story.illnesses.items()
    }


def _pregnancies(story: Story, today: date) -> list[Illness]:
    if story.pregnant_weeks is None:
        return []
    return [pregnancy(today + timedelta(days=TERM - story.pregnant_weeks * 7))]


def _links(story: Story) -> list[str]:
    """Return the RelatedPersons that are this person in the records already yielded."""
    found = []
    for other in people().patients:
        if other.slug == story.slug:
            break
        found += [
            related_reference(other.slug, story.slug)
            for kin in other.relatives
            if kin.slug == story.slug
        ]
    return found
