"""The health directory of the demonstration: territories, structures and professionals.

A territory is a commune with its practice, pharmacy and laboratory; the hospital and its
specialists serve the whole department. Territory 0 is that of the named people and is the same
whatever the seed.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import date

from hygie.demo.chance import chance
from hygie.demo.fhir.directory import (
    Appointment,
    Post,
    Site,
    write_appointed,
    write_payer,
    write_post,
    write_site,
    write_staff,
)
from hygie.demo.fhir.parts import Chart, Json
from hygie.demo.named import Professional, Staff, people, reference
from hygie.demo.places import chief_town, commune, department_name, everywhere, home_in
from hygie.demo.rows import Commune, Insurer, Place, Profession
from hygie.demo.tables import profession, rows
from hygie.demo.traits import email_address, family_name, fixed_number, given_names

OLDEST, YOUNGEST = 1962, 1994


@dataclass(slots=True)
class Territory:
    """A commune and those who care for its people, by role."""

    index: int
    town: Commune
    posts: dict[str, Post] = field(default_factory=dict)
    substitute: Post | None = None
    sites: dict[str, Site] = field(default_factory=dict)
    payers: dict[str, str] = field(default_factory=dict)

    def post(self, role: str) -> Post:
        """Return who holds a role, such as ``cardiologue``."""
        return self.posts[role]


class Directory:
    """The territories and the resources of the directory."""

    def __init__(self, seed: int, count: int, *, today: date) -> None:
        self.seed = seed
        self.today = today
        self.chart = Chart("directory")
        self.territories: list[Territory] = []
        self._hospitals: dict[str, tuple[Site, dict[str, Post]]] = {}
        self._payers: dict[str, str] = {}
        for index in range(count):
            self._add(index)

    def _add(self, index: int) -> None:
        key = "0" if index == 0 else f"{self.seed}/{index}"
        rng = chance("directory", key)
        town = commune(people().town) if index == 0 else everywhere().draw(rng)
        territory = Territory(index, town)
        for kind in rows("organisations.csv", Place):
            if not kind.departmental:
                territory.sites[kind.place] = self._site(rng, key, kind, town)
        named = _named_posts() if index == 0 else {}
        for job in rows("professions.csv", Profession):
            if job.place in territory.sites:
                site = territory.sites[job.place]
                territory.posts[job.role] = self._post(
                    rng, key, job, site=site, named=named.get(job.role)
                )
        self._hospital(territory)
        self._insurers(territory)
        if index == 0:
            self._named(rng, territory)
        self.territories.append(territory)

    def _hospital(self, territory: Territory) -> None:
        department = territory.town.department
        if department not in self._hospitals:
            key = f"{self.seed if territory.index else 0}/{department}"
            rng = chance("directory", "hospital", key)
            kind = next(row for row in rows("organisations.csv", Place) if row.place == "hopital")
            town = territory.town if territory.index == 0 else chief_town(department)
            site = self._site(rng, key, kind, town)
            named = _named_posts() if territory.index == 0 else {}
            posts = {
                job.role: self._post(rng, key, job, site=site, named=named.get(job.role))
                for job in rows("professions.csv", Profession)
                if job.place == "hopital"
            }
            self._hospitals[department] = (site, posts)
        site, posts = self._hospitals[department]
        territory.sites["hopital"] = site
        territory.posts.update(posts)

    def _insurers(self, territory: Territory) -> None:
        department = territory.town.department
        for row in rows("insurers.csv", Insurer):
            local = row.key == "general"
            key = f"insurer/{department if local else row.key}"
            name = f"CPAM — {department_name(department)}" if local else row.name
            if name and key not in self._payers:
                self._payers[key] = write_payer(self.chart, key, name, compulsory=row.kind == "AMO")
            if name:
                territory.payers[row.key] = self._payers[key]

    def _named(self, rng: random.Random, territory: Territory) -> None:
        """Add the substitute of the practice and the data officer of the hospital."""
        for one in people().professionals:
            if one.substitute:
                site = territory.sites["cabinet"]
                territory.substitute = self._post(
                    rng, "0", profession(one.role), site=site, named=one
                )
        for staff in people().staff:
            place = "cabinet" if staff.under else "hopital"
            self._staff(staff, territory.sites[place])
        officer = people().officer
        write_staff(
            self.chart,
            officer.slug,
            _who(officer),
            label=officer.label,
            site=territory.sites["hopital"],
        )

    def _staff(self, one: Staff, site: Site) -> None:
        """Add somebody with a role of our own: a secretary, a regulator of Centre 15."""
        principal = next((p for p in people().professionals if p.slug == one.under), None)
        post = Appointment(
            who=_person(one),
            label=one.label,
            role=one.acts_as,
            profession=one.profession,
            under=reference("Practitioner", one.under) if principal else "",
            under_name=f"Dr {principal.given} {principal.family}" if principal else "",
        )
        write_appointed(self.chart, one.slug, post, site=site, today=self.today)

    def _site(self, rng: random.Random, key: str, kind: Place, town: Commune) -> Site:
        home = home_in(rng, town)
        return write_site(
            self.chart,
            f"{key}/{kind.place}",
            kind,
            name=kind.name.format(commune=home.city),
            finess=finess_number(rng, town.department),
            home=home,
            phone=fixed_number(rng, town.department),
        )

    def _post(
        self,
        rng: random.Random,
        key: str,
        job: Profession,
        *,
        site: Site,
        named: Professional | None,
    ) -> Post:
        who = _who(named) if named else _anybody(rng, job)
        name = named.slug if named else f"{key}/{job.role}"
        return write_post(self.chart, name, job, who=who, rpps=rpps_number(rng), site=site)


def _named_posts() -> dict[str, Professional]:
    return {one.role: one for one in people().professionals if not one.substitute}


def _person(one: Staff) -> Json:
    email = email_address(f"{one.given} {one.family}", 0)
    return {"sex": one.sex, "family": one.family, "given": one.given, "email": email}


def _who(named: Professional) -> Json:
    name = f"{named.given} {named.family}"
    return {
        "sex": named.sex,
        "family": named.family,
        "given": named.given,
        "email": email_address(name, 0),
    }


def _anybody(rng: random.Random, job: Profession) -> Json:
    sex = "female" if rng.random() < job.sex_share_f else "male"
    given = given_names(rng, sex, rng.randint(OLDEST, YOUNGEST))[0]
    family = family_name(rng)
    mark = rng.randint(1, 9999)
    return {
        "sex": sex,
        "family": family,
        "given": given,
        "email": email_address(f"{given} {family}", mark),
    }


def luhn(digits: str) -> str:
    """Return the Luhn check digit of a number.

    >>> luhn("75071218")
    '4'
    """
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (2 if place % 2 == 0 else 1)
        total += value - 9 if value > 9 else value  # noqa: PLR2004 - sum of the two digits
    return str(-total % 10)


def finess_number(rng: random.Random, department: str) -> str:
    """Return a FINESS number of the shape of the department, with its right check digit."""
    body = f"{department[:2].replace('2A', '20').replace('2B', '20')}99{rng.randint(0, 9999):04d}"
    return body + luhn(body)


def rpps_number(rng: random.Random) -> str:
    """Return an RPPS number of the range of test professionals, with its right check digit."""
    body = f"8997{rng.randint(0, 999999):06d}"
    return body + luhn(body)
