"""The people of a seeded database, each from a number alone: the same number is the same person. All invented."""

from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from typing import Any

from accounts.identity import DocumentNumber, DocumentType, Sex, check_character
from plans.models import Division
from registrations.demonstration import people as demonstration
from registrations.demonstration.people import EMPLOYERS, MEN_NAMES, WOMEN_NAMES, Person

USERNAME = "seed-{:09}"
FIRST_USERNAME, BEYOND_USERNAME = "seed-0", "seed-a"  # between them lie all names of this form, and no others
SURNAMES = sorted({name[0] for name in MEN_NAMES + WOMEN_NAMES})
GIVEN_NAMES = {
    Sex.MALE: sorted({name[1:] for name in MEN_NAMES}),
    Sex.FEMALE: sorted({name[1:] for name in WOMEN_NAMES}),
}
TRADES = tuple(EMPLOYERS)
# Ten people: seven workers, two students, a teacher.
DIVISIONS = [Division.WORKER] * 7 + [Division.STUDENT] * 2 + [Division.TEACHER]
# Birth dates of a division: the first, and how many days.
BORN = {
    Division.WORKER: (date(1968, 1, 1), 13_500),
    Division.STUDENT: (date(2004, 1, 1), 1_400),
    Division.TEACHER: (date(1966, 1, 1), 11_000),
}
# Beijing's numbers of districts that there are none of (GB/T 2260 has no 1199xx): they belong to nobody. A division
# begins at its own, so that the same birth date gives two numbers.
REGIONS = {Division.WORKER: 119900, Division.STUDENT: 119940, Division.TEACHER: 119970}
COMMITTEE_REGION = 119999
SEQUENCES = 499  # odd ones for men, even ones for women
VARIETIES = 60  # of what people fill in, beside names and numbers


@dataclass(frozen=True)
class Seeded:
    """One of them: from 0 on, with the number that a registration form would accept."""

    serial: int

    @property
    def username(self) -> str:
        return USERNAME.format(self.serial)

    @property
    def division(self) -> Division:
        return DIVISIONS[self.serial % len(DIVISIONS)]

    @property
    def sex(self) -> Sex:
        return Sex.FEMALE if self.serial % 2 else Sex.MALE

    @property
    def name(self) -> str:
        given = GIVEN_NAMES[self.sex]
        return SURNAMES[self.serial % len(SURNAMES)] + given[self.serial // len(SURNAMES) % len(given)]

    @property
    def phone(self) -> str:
        return f"138{self.serial % 10**8:08}"

    def document(self) -> DocumentNumber:
        """What identity.parse() makes of its number (a test compares them), without parsing a million of them."""
        first, days = BORN[self.division]
        rank, day = divmod(self.serial // len(DIVISIONS) * 7 + self.serial % 7, days)
        district, sequence = divmod(rank, SEQUENCES)
        born = first + timedelta(days=day)
        number = resident_number(REGIONS[self.division] + district, born, 2 * sequence + (1, 2)[self.sex == Sex.FEMALE])
        return DocumentNumber(DocumentType.RESIDENT_ID, number, born, self.sex)

    def details(self, document: DocumentNumber) -> dict[str, Any]:
        """What this person fills in: the document's own sex and birth date, and a trade's employer and certificate."""
        known = details_of(self.serial % VARIETIES, self.trade, self.division)
        own = {"sex": document.sex, "birth_date": document.birth_date, "phone": self.phone}
        return {**known, **own, "email": f"seed{self.serial}@example.cn"}

    @property
    def trade(self) -> str:
        return TRADES[self.serial // len(DIVISIONS) % len(TRADES)]


@cache
def details_of(variety: int, trade: str, division: Division) -> dict[str, Any]:
    return demonstration.details(Person("seed", "", "", ""), variety, trade, division)


def resident_number(region: int, born: date, sequence: int) -> str:
    """18 characters by GB 11643."""
    seventeen = f"{region:06}{born:%Y%m%d}{sequence:03}"
    return seventeen + check_character(seventeen)
