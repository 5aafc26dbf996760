"""What the desk's page of one registration reads: the registration, its whole trail, the person's others.

Their SQL is written once (accounts/written.py).
"""

from django.db.models import QuerySet

from accounts.models import User
from accounts.written import Question, QuestionBy
from registrations.models import Registration
from registrations.trail import ReviewEvent

EARLIER = 5  # registrations of the same person
GREATEST = 2**63 - 1  # of a primary key


ONE = QuestionBy(lambda user, pk: Registration.objects.reviewable_by(user).for_desk(user).filter(pk=pk), -2)


def found(user: User, pk: int) -> Registration | None:
    """With all that the page names; None where this person may not see it, or where there is none."""
    return ONE.answer(user, pk) if pk <= GREATEST else None


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


OTHERS = QuestionBy(others_of, -2, -3)


def others(registration: Registration, user: User) -> list[Registration]:
    """The person's other registrations in the plans that this user may see, newest first."""
    return OTHERS.answers(user, registration.applicant_id, registration.pk)
