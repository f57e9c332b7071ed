"""The named people of the demonstration, always there whatever the seed: ``people.json``."""

from __future__ import annotations

from datetime import date, timedelta
from functools import cache

import msgspec

from hygie.demo.chance import identifier
from hygie.demo.places import Birthplace, Home, city_name, commune
from hygie.demo.rows import Weighed
from hygie.demo.tables import DEFINITIONS, rows
from hygie.demo.traits import Person, Relative


class Kin(msgspec.Struct, frozen=True):
    """A relation to another named person.

    A helper acts with a Consent of the patient; a guardian holds parental authority.
    """

    slug: str
    code: str
    label: str
    helper: bool = False
    guardian: bool = False


class Story(msgspec.Struct, frozen=True):
    """A named patient: traits, and since how many years each illness is known.

    Age counts from the day of the demonstration: ``age`` years and ``days``. ``takes`` names the
    medicines, with the years since they began where the story says so.
    """

    slug: str
    sex: str
    age: int
    days: int
    family: str
    given: tuple[str, ...]
    born_at: str
    line: str
    postal_code: str
    commune: str
    order: int
    illnesses: dict[str, float]
    allergies: tuple[str, ...]
    documents: int
    relatives: tuple[Kin, ...] = ()
    used: str | None = None
    mobile: str | None = None
    fixed: str | None = None
    email: str | None = None
    married: bool = False
    pregnant_weeks: int | None = None
    secret_visit: bool = False
    takes: dict[str, float | None] = {}


class Professional(msgspec.Struct, frozen=True):
    """A named professional, or a member of staff when ``role`` is empty."""

    slug: str
    sex: str
    family: str
    given: str
    role: str = ""
    label: str = ""
    substitute: bool = False


class Staff(msgspec.Struct, frozen=True):
    """Somebody with a role of our own in the access matrix.

    ``under`` is the slug of the professional under whom they act, empty where nobody;
    ``profession`` a code of TRE_G15.
    """

    slug: str
    sex: str
    family: str
    given: str
    label: str
    acts_as: str
    under: str = ""
    profession: str = ""


class People(msgspec.Struct, frozen=True):
    """Everybody who has a name in the demonstration, and the town where they live."""

    town: str
    patients: tuple[Story, ...]
    professionals: tuple[Professional, ...]
    staff: tuple[Staff, ...]
    officer: Professional


@cache
def people() -> People:
    """Return the named people."""
    return msgspec.json.decode((DEFINITIONS / "people.json").read_bytes(), type=People)


def person_key(slug: str) -> str:
    """Return the key from which the identifiers of a named patient derive."""
    return f"named/{slug}"


def reference(resource_type: str, slug: str) -> str:
    """Return the reference of a named person, the same for every seed."""
    key = person_key(slug) if resource_type == "Patient" else "directory"
    name = "patient" if resource_type == "Patient" else slug
    return f"{resource_type}/{identifier(key, resource_type, name)}"


def related_reference(patient: str, relative: str) -> str:
    """Return the RelatedPerson reference of ``relative`` in the record of ``patient``."""
    key = person_key(patient)
    return f"RelatedPerson/{identifier(key, 'RelatedPerson', person_key(relative))}"


def named_patients(today: date) -> list[Person]:
    """Return the named patients as they are on a day, tied to one another."""
    found = {story.slug: _person(story, today) for story in people().patients}
    for story in people().patients:
        for kin in story.relatives:
            relative = Relative(kin.code, kin.label, found[kin.slug], guardian=kin.guardian)
            found[story.slug].relatives.append(relative)
    return list(found.values())


def _person(story: Story, today: date) -> Person:
    days = round(story.age * 365.25) + story.days
    return Person(
        key=person_key(story.slug),
        sex=story.sex,
        birth=today - timedelta(days=days),
        family=story.family,
        given=story.given,
        born_at=_birthplace(story.born_at),
        home=Home(story.line, story.postal_code, city_name(commune(story.commune)), story.commune),
        order=story.order,
        used=story.used,
        mobile=story.mobile,
        fixed=story.fixed,
        email=story.email,
        married=story.married,
    )


def _birthplace(code: str) -> Birthplace:
    countries = {row.code: row.name for row in rows("countries.csv", Weighed)}
    return Birthplace(code, countries.get(code) or city_name(commune(code)))
