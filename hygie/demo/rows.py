"""The row types of the tables in ``definitions``: one class per table, each column said.

A clinician can review the tables without reading code; these types check them when they are read.
"""

from __future__ import annotations

from datetime import date

import msgspec


class Measure(msgspec.Struct, frozen=True, kw_only=True):
    """A laboratory result or a vital sign: ``measures.csv``.

    ``sd`` is the spread between people, ``noise`` the spread between two measures of one person.
    Bounds of reference are by sex; None means that the laboratory prints no bound.
    """

    key: str
    panel: str
    loinc: str
    display: str
    unit: str
    ucum: str
    decimals: int
    low_f: float | None = None
    high_f: float | None = None
    low_m: float | None = None
    high_m: float | None = None
    mean_f: float
    mean_m: float
    sd: float
    noise: float
    floor: float
    ceiling: float

    def bounds(self, sex: str) -> tuple[float | None, float | None]:
        """Return the low and high bounds of reference for a FHIR gender."""
        return (self.low_f, self.high_f) if sex == "female" else (self.low_m, self.high_m)


class Effect(msgspec.Struct, frozen=True, kw_only=True):
    """How an illness moves a measure: ``effects.csv``.

    ``start`` is the shift at diagnosis; with treatment it tends to ``treated`` with the time
    constant ``tau`` in years; ``slope`` is added each year, and ``step`` each time that the
    treatment is stepped up. ``spread`` is the relative spread between people.
    """

    module: str
    measure: str
    start: float
    treated: float
    tau: float
    slope: float
    spread: float
    step: float = 0.0


class Disease(msgspec.Struct, frozen=True, kw_only=True):
    """A chronic illness: ``diseases.csv``.

    ``onset`` is the percentage of people who have it by each age. ``factor`` multiplies it for
    one sex (``F:0.8``), ``risks`` for people who already have another illness. ``visits`` counts
    general practitioner visits a year, ``ald`` is the number of the French long-term-illness
    list, ``years`` how long it lasts when it heals.
    """

    module: str
    icd10: str
    display: str
    plain: str
    sex: str = ""
    factor: str = ""
    onset: str
    risks: str = ""
    visits: float
    ald: str = ""
    years: float | None = None


class Treatment(msgspec.Struct, frozen=True, kw_only=True):
    """A step of treatment of an illness: ``treatments.csv``; ``replaces`` names an older step."""

    module: str
    step: int
    after_years: float
    share: float
    medicines: str
    daily: float
    dose: float
    replaces: int | None = None
    instruction: str
    until_years: float | None = None
    from_age: float = 0


class Medicine(msgspec.Struct, frozen=True, kw_only=True):
    """A medicine of the public base (BDPM): ``medicines.csv``.

    ``pregnancy`` is false for a medicine that is not prescribed to a pregnant woman.
    """

    key: str
    cis: str
    atc: str
    substance: str
    name: str
    form: str
    route: str
    unit: str
    pregnancy: bool


class PanelRule(msgspec.Struct, frozen=True, kw_only=True):
    """How often a laboratory panel is due for an illness: ``panels.csv``."""

    module: str
    panel: str
    months: int
    at_diagnosis: bool


class FollowUp(msgspec.Struct, frozen=True, kw_only=True):
    """Visits to a specialist for an illness: ``follow_up.csv``."""

    module: str
    role: str
    months: int
    share: float
    at_diagnosis: bool
    procedures: str = ""
    panel: str = ""


class Stay(msgspec.Struct, frozen=True, kw_only=True):
    """A hospital stay that an illness may bring: ``surgeries.csv``."""

    module: str
    after_years: float
    share: float
    procedure: str = ""
    role: str
    icd10: str
    display: str
    days: int


class Acute(msgspec.Struct, frozen=True, kw_only=True):
    """An episode that heals: ``acute.csv``; ``rates`` are episodes a year by age."""

    key: str
    icd10: str
    display: str
    sex: str = ""
    rates: str
    season: str
    days: int
    medicines: str = ""
    child_medicines: str = ""
    temperature: float
    panel: str = ""
    panel_share: float
    stay_share: float
    role: str = "generaliste"
    procedure: str = ""
    shifts: str = ""
    once: bool = False


class Vaccine(msgspec.Struct, frozen=True, kw_only=True):
    """A dose of the calendar: ``vaccines.csv``; chosen by the date of the dose."""

    key: str
    label: str
    medicines: str
    age_months: float
    sex: str = ""
    valid_from: date
    valid_to: date = date.max
    dose: int
    doses: int
    uptake: float
    season: str = ""
    source: str


class YearlyVaccine(msgspec.Struct, frozen=True, kw_only=True):
    """A vaccine given each autumn from an age: ``yearly_vaccines.csv``."""

    key: str
    label: str
    medicines: str
    from_age: int
    valid_from: date
    valid_to: date = date.max
    month: int
    uptake: float
    source: str


class Growth(msgspec.Struct, frozen=True, kw_only=True):
    """Median size of children: ``growth.csv`` (cm and kg)."""

    months: float
    height_f: float
    weight_f: float
    head_f: float
    height_m: float
    weight_m: float
    head_m: float


class ChildExam(msgspec.Struct, frozen=True, kw_only=True):
    """A compulsory examination of children: ``child_exams.csv``."""

    months: float
    role: str
    document: bool


class PregnancyStep(msgspec.Struct, frozen=True, kw_only=True):
    """A step of the care of a pregnancy, by week: ``pregnancy.csv``."""

    week: int
    kind: str
    what: str = ""
    role: str = ""


class Procedure(msgspec.Struct, frozen=True, kw_only=True):
    """An act of CCAM: ``procedures.csv``."""

    code: str
    display: str


class Allergy(msgspec.Struct, frozen=True, kw_only=True):
    """An allergy and its share of the people older than an age: ``allergies.csv``."""

    key: str
    display: str
    atc: str = ""
    category: str
    criticality: str
    manifestation: str
    severity: str
    share: float
    from_age: float


class Profession(msgspec.Struct, frozen=True, kw_only=True):
    """A role of the care team: ``professions.csv`` (TRE_G15, TRE_R38, TRE_R02)."""

    role: str
    profession: str
    label: str
    specialty: str = ""
    specialty_label: str = ""
    sector: str
    place: str
    title: str = ""
    sex_share_f: float


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """A kind of organisation: ``organisations.csv``."""

    place: str
    name: str
    sector: str
    sector_label: str
    type: str
    type_label: str
    facility: str
    practice: str
    departmental: bool


class Insurer(msgspec.Struct, frozen=True, kw_only=True):
    """A compulsory (AMO) or complementary (AMC) insurer: ``insurers.csv``."""

    key: str
    kind: str
    regime: str = ""
    name: str = ""
    share: float


class DocumentKind(msgspec.Struct, frozen=True, kw_only=True):
    """The CI-SIS metadata of a kind of document: ``documents.csv``."""

    key: str
    type: str
    type_system: str
    type_display: str
    class_: str = msgspec.field(name="class")
    class_display: str
    format: str
    format_display: str
    title: str
    practice: str


class Commune(msgspec.Struct, frozen=True):
    """A commune of France or a municipal arrondissement: ``communes.csv.xz``."""

    code: str
    name: str
    postal_codes: str
    population: int

    @property
    def department(self) -> str:
        """Return the department: two characters, three overseas."""
        return self.code[:3] if self.code.startswith(("97", "98")) else self.code[:2]


class FirstName(msgspec.Struct, frozen=True, kw_only=True):
    """A given name with its weight by year of birth: ``first_names.csv``."""

    name: str
    sex: str
    born_1900: int
    born_1946: int
    born_1966: int
    born_1986: int
    born_2005: int


class Weighed(msgspec.Struct, frozen=True, kw_only=True):
    """A value and its weight: family names and countries of birth."""

    name: str
    weight: int
    code: str = ""


class Label(msgspec.Struct, frozen=True, kw_only=True):
    """A name that may have a code: streets and departments."""

    name: str
    code: str = ""


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """What a named person decided, or somebody about them: ``decisions.csv``.

    ``choice`` is a code of the choices of the record, or ``emergency`` for a past break-glass;
    ``care-team`` without a day means that the person has not agreed. ``note`` is its reason.
    """

    slug: str
    choice: str
    type: str = ""
    who: str = ""
    standing: str = ""
    days_ago: int | None = None
    days_left: int | None = None
    note: str = ""
