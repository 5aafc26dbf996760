"""What the desk's page of one registration reads: the registration, its whole trail, the person's others.

Each for somebody of a committee, and for a superuser, who is in none: these are two questions (accounts/written.py).
"""

from django.db.models import QuerySet

from accounts.models import User
from accounts.written import Question
from registrations.models import Registration
from registrations.trail import ReviewEvent

EARLIER = 5  # registrations of the same person
GREATEST = 2**63 - 1  # of a primary key


def somebody(pk: int, *, is_superuser: bool) -> User:
    return User(pk=pk, is_superuser=is_superuser)


def of_committee(user: int, pk: int) -> QuerySet[Registration]:
    member = somebody(user, is_superuser=False)
    return Registration.objects.reviewable_by(member).for_desk(member).filter(pk=pk)


def of_all(user: int, pk: int) -> QuerySet[Registration]:
    operator = somebody(user, is_superuser=True)
    return Registration.objects.reviewable_by(operator).for_desk(operator).filter(pk=pk)


OF_COMMITTEE, OF_ALL = Question(of_committee, -1, -2), Question(of_all, -1, -2)


def found(user: User, pk: int) -> Registration | None:
    """With all that the page names; None where this person may not see it, or where there is none."""
    if pk > GREATEST:
        return None
    return (OF_ALL if user.is_superuser else OF_COMMITTEE).answer(user.pk, pk)


TRAIL = Question(
    lambda registration: ReviewEvent.objects.filter(registration=registration).select_related(
        "by__identity", "snapshot"
    ),
    -1,
)


def trail_of(registration: Registration) -> list[ReviewEvent]:
    """Every line, newest first, with who took the step and what was kept of the form then."""
    lines = TRAIL.answers(registration.pk)
    for line in lines:
        line.registration = registration
    return lines


def others_of(user: User, applicant: int, pk: int) -> QuerySet[Registration]:
    seen = Registration.objects.reviewable_by(user).filter(applicant=applicant).exclude(pk=pk)
    return seen.select_related("plan", "occupation").order_by("-pk")[:EARLIER]


OTHERS = Question(lambda user, applicant, pk: others_of(somebody(user, is_superuser=False), applicant, pk), -1, -2, -3)


def others(registration: Registration, user: User) -> list[Registration]:
    """The person's other registrations in the plans of this member's committees, newest first."""
    asked = registration.applicant_id, registration.pk
    return list(others_of(user, *asked)) if user.is_superuser else OTHERS.answers(user.pk, *asked)
