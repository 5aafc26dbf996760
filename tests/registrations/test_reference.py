"""报名编号: its form, its alphabet, and another one where it is taken."""

import pytest

from registrations import models, reference
from registrations.models import Registration


def test_its_form(monkeypatch):
    drawn = iter("7K4MQ2AB")
    monkeypatch.setattr(reference.secrets, "choice", lambda alphabet: next(drawn))
    assert reference.new_reference(2026) == "BJ26-7K4M-Q2AB"


@pytest.mark.parametrize(("year", "beginning"), [(2026, "BJ26-"), (2100, "BJ00-"), (2109, "BJ09-")])
def test_it_begins_with_the_year(year, beginning):
    assert reference.new_reference(year)[:5] == beginning


def test_nothing_in_it_can_be_misread():
    drawn = {character for _ in range(500) for character in reference.new_reference(2026)[5:]}
    assert drawn == set("23456789ABCDEFGHJKMNPQRSTUVWXYZ-")


def test_one_that_is_taken_is_drawn_again(monkeypatch, applicant, stranger, plan):
    drawn = iter(["BJ26-2222-2222", "BJ26-2222-2222", "BJ26-2222-2222", "BJ26-3333-3333"])
    monkeypatch.setattr(models, "new_reference", lambda year: next(drawn))
    references = [Registration.begin(person, plan).reference for person in (applicant, stranger)]
    assert (references, list(drawn)) == (["BJ26-2222-2222", "BJ26-3333-3333"], [])
