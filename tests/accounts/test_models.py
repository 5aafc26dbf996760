"""What must always hold of accounts and identities: each promise of the database, broken once."""

import re

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from accounts.identity import DocumentType, parse
from accounts.models import AlreadyConfirmed, DocumentTaken, Identity, User
from tests import scenes
from tests.people import passport_number
from tests.registrations.threads import at_once

TODAY = timezone.localdate()


def passport(serial):
    return parse(DocumentType.PASSPORT, passport_number(serial), today=TODAY)


def refused(constraint, act):
    """The database refuses `act`; SQLite names the columns, PostgreSQL the constraint."""
    with pytest.raises(IntegrityError) as refusal, transaction.atomic():
        act()
    expected = constraint if connection.vendor == "postgresql" else f"{constraint}|UNIQUE constraint failed"
    assert re.search(expected, str(refusal.value))


def test_one_account_per_issuer_and_subject(applicant):
    refused(
        "one_account_per_subject",
        lambda: User.objects.create(issuer=applicant.issuer, subject=applicant.subject),
    )
    assert User.objects.from_platform(applicant.issuer, applicant.subject) == (applicant, False)
    assert User.objects.from_platform("https://other.example.cn", applicant.subject)[1] is True


def test_accounts_without_a_platform_are_not_the_same(db):
    User.objects.create_superuser("emergency-1", "a-password")
    second = User.objects.create_superuser("emergency-2")
    assert (second.is_staff, second.is_superuser, second.has_usable_password()) == (True, True, False)


def test_one_identity_per_document(applicant):
    other = scenes.account().identity
    held = applicant.identity
    refused(
        "one_identity_per_document",
        lambda: Identity.objects.filter(pk=other.pk).update(
            legal_name="李四", document_index=held.document_index, confirmed_at=timezone.now()
        ),
    )


def test_two_accounts_may_be_vouched_the_same_document(applicant):
    other = scenes.account().identity
    other.hold_document(applicant.identity.document())
    other.save()
    assert Identity.objects.filter(document_index=applicant.identity.document_index).count() == 2


@pytest.mark.parametrize("values", [{"legal_name": ""}, {"document_index": ""}])
def test_a_confirmed_identity_is_complete(applicant, values):
    refused(
        "confirmed_identity_is_complete",
        lambda: Identity.objects.filter(user=applicant).update(**values),
    )


def test_one_identity_per_account(applicant):
    refused("accounts_identity_user_id", lambda: Identity.objects.create(user=applicant))


def test_a_document_that_is_taken_leaves_everything_as_it_was(applicant):
    other = scenes.account().identity
    with pytest.raises(DocumentTaken):
        other.confirm(legal_name="李四", document=applicant.identity.document())
    assert (other.legal_name, other.document_number, other.confirmed_at) == ("", "", None)
    other.refresh_from_db()
    assert (other.legal_name, other.document_number, other.confirmed_at) == ("", "", None)


def test_confirmed_twice(applicant):
    before = Identity.objects.filter(user=applicant).values_list("legal_name", "document_index", "confirmed_at").get()
    with pytest.raises(AlreadyConfirmed):
        applicant.identity.confirm(legal_name="李四", document=passport(1))
    after = Identity.objects.filter(user=applicant).values_list("legal_name", "document_index", "confirmed_at").get()
    assert after == before
    assert applicant.identity.legal_name == "王晓明"


def test_a_pseudonym_says_nothing(applicant, stranger):
    assert re.fullmatch(r"u-[0-9a-f]{16}", applicant.username)
    assert applicant.username != stranger.username


def test_who_somebody_is_on_a_page(db):
    user = scenes.account()
    assert (str(user), user.legal_name, user.confirmed_identity) == (user.username, "", None)
    user.identity.legal_name = "只是平台这么说"
    user.identity.save()
    user = User.objects.get(pk=user.pk)
    assert (str(user), user.legal_name) == (user.username, "")
    user.identity.confirm(legal_name="王晓明", document=passport(2))
    assert (str(user), str(user.identity)) == ("王晓明", "王晓明（E0*****02）")


def test_an_emergency_account_is_not_confirmed(db):
    user = User.objects.create_superuser("emergency")
    assert (user.identity.name_vouched, user.identity.document_vouched) == (False, False)
    assert (user.confirmed_identity, user.legal_name, str(user)) == (None, "", "emergency")


def test_a_copy_of_the_document_is_encrypted_for_its_own_place(applicant, occupation):
    registration = scenes.draft(applicant, occupation)
    assert registration.document() == applicant.identity.document()
    with connection.cursor() as cursor:
        cursor.execute("SELECT document_number FROM accounts_identity WHERE user_id = %s", [applicant.pk])
        (first,) = cursor.fetchone()
        cursor.execute("SELECT document_number FROM registrations_registration WHERE id = %s", [registration.pk])
        (second,) = cursor.fetchone()
    assert first != second
    assert applicant.identity.document_number not in first + second


@pytest.mark.django_db(transaction=True)
def test_of_fifty_that_confirm_a_document_at_once_one_succeeds():
    """Whoever comes second is told so; nobody's row changes but that of the one who was first."""
    people = [scenes.account() for _ in range(50)]
    document = passport(50)

    def confirming(user):
        def confirm():
            try:
                user.identity.confirm(legal_name=f"第{user.pk}人", document=document)
            except DocumentTaken:
                return None
            return user.pk

        return confirm

    answers = at_once(*map(confirming, people))
    (winner,) = [answer for answer in answers if answer is not None]
    assert (len(answers), answers.count(None)) == (50, 49)
    kept = Identity.objects.exclude(legal_name="", document_type="", document_index="", confirmed_at=None)
    assert [(row.user_id, row.legal_name, row.document_number) for row in kept] == [
        (winner, f"第{winner}人", document.number)
    ]
