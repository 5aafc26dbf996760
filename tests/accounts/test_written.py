"""A question whose SQL is written once: it answers as the QuerySet itself would, whoever asks, in whatever thread."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.core.exceptions import MultipleObjectsReturned
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import Consent, User
from accounts.models.people import of_session
from accounts.notice import NOTICE_VERSION
from accounts.written import Question, QuestionBy
from registrations.models import Registration
from registrations.views import OWN
from tests import scenes


@pytest.fixture
def people(db):
    return [scenes.person() for _ in range(3)]


def test_each_value_has_its_own_answer(people):
    question = Question(of_session, -1, "-")
    Consent.objects.create(user=people[1], notice="2027-03")
    for person, notice in (
        (people[0], NOTICE_VERSION),
        (people[1], NOTICE_VERSION),
        (people[1], "2027-03"),
        (people[2], "2027-03"),
    ):
        with CaptureQueriesContext(connection) as once:
            found = question.answer(person.pk, notice)
        with CaptureQueriesContext(connection) as anew:
            expected = of_session(person.pk, notice).get()
        assert once.captured_queries[0]["sql"] == anew.captured_queries[0]["sql"].removesuffix(" LIMIT 21")
        assert found == expected
        assert found.__dict__.keys() == expected.__dict__.keys()
        assert found.has_consented is expected.has_consented is (person != people[2])
        with CaptureQueriesContext(connection) as more:
            assert found.identity.legal_name == expected.identity.legal_name
        assert len(more) == 0


def test_who_is_not_there_is_none(people):
    question = Question(of_session, -1, "-")
    User.objects.filter(pk=people[0].pk).update(is_active=False)
    assert question.answer(people[0].pk, NOTICE_VERSION) is None
    assert question.answer(0, NOTICE_VERSION) is None
    assert question.answer(people[1].pk, NOTICE_VERSION) == people[1]


def test_ones_own_registration_is_read_whole(db, django_assert_num_queries):
    registration = scenes.draft(scenes.person(), scenes.occupation(scenes.open_plan()))
    other = scenes.draft(scenes.person(), registration.occupation)
    plain = Registration.objects.owned_by(registration.applicant).for_owner().get(reference=registration.reference)
    with django_assert_num_queries(1):
        found = OWN.answer(registration.applicant_id, registration.reference)
        assert (found.plan, found.occupation, found.has_proposal) == (plain.plan, plain.occupation, False)
    values = {field.attname: getattr(found, field.attname) for field in Registration._meta.concrete_fields}
    assert values == {field.attname: getattr(plain, field.attname) for field in Registration._meta.concrete_fields}
    assert OWN.answer(registration.applicant_id, other.reference) is None


def test_two_rows_are_no_answer(people):
    question = Question(lambda least: User.objects.filter(username__gte=least), "-")
    with pytest.raises(MultipleObjectsReturned):
        question.answer("")


def test_a_value_that_the_question_leaves_out_is_found_at_once(people):
    question = Question(lambda user: User.objects.filter(last_login=None), -1)
    with pytest.raises(ValueError, match="among the values"):
        question.answer(people[0].pk)


def test_whoever_sees_everything_need_not_stand_in_the_question(people):
    def visible(user, name):
        named = User.objects.filter(username=name)
        return named if user.is_superuser else named.filter(pk=user.pk)

    question, (own, other, operator) = QuestionBy(visible, "-"), people
    operator.is_superuser = True
    assert question.answer(own, own.username) == own
    assert question.answer(own, other.username) is None
    assert question.answers(operator, other.username) == [other]
    with pytest.raises(ValueError, match="among the values"):
        QuestionBy(lambda user, name: visible(user, "always"), "-").answer(operator, own.username)
    with pytest.raises(ValueError, match="among the values"):
        QuestionBy(lambda user, name: User.objects.filter(username=name), "-").answer(own, own.username)


@pytest.mark.django_db(transaction=True)
def test_many_threads_ask_at_the_same_time():
    question, people = Question(of_session, -1, "-"), [scenes.person() for _ in range(4)]

    def ask(person):
        try:
            return [question.answer(person.pk, NOTICE_VERSION) for _ in range(20)]
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        for person, answers in zip(people, pool.map(ask, people), strict=True):
            assert answers == [person] * 20
