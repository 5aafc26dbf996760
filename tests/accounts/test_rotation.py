"""New keys for old, and ciphertext that is refused: what changes, what does not, and the line that each leaves."""

from collections import Counter
from io import StringIO
from threading import Event, Thread

import pytest
from django.apps import apps
from django.core.management import CommandError, call_command
from django.db import connection, connections, transaction
from django.test import Client

from accounts import refusals, rotation
from accounts.fields import EncryptedTextField, TamperedCiphertext, decrypt_text, encrypt_text, key_id_of
from accounts.models import AppendOnlyModel, AuditEntry, Identity, KeptForm
from accounts.oidc import PlatformBackend
from accounts.verbs import Verb
from registrations.models import Registration
from registrations.workflow import Status
from tests import scenes

OLD, NEW = b"o" * 32, b"n" * 32
HOLDERS = (Identity, Registration)
PLACES = [
    "accounts_identity.document_number",
    "accounts_keptform.content",
    "accounts_sentform.answer",
    "registrations_registration.document_number",
]


@pytest.fixture
def two_keys(settings):
    """`two_keys()` puts a new key before the old one, as an operator would."""
    settings.FIELD_ENCRYPTION_KEYS = {"old": OLD}

    def introduce():
        settings.FIELD_ENCRYPTION_KEYS = {"new": NEW, "old": OLD}

    return introduce


def run(*arguments):
    out, err = StringIO(), StringIO()
    try:
        call_command("rotate_keys", *arguments, stdout=out, stderr=err)
    except CommandError as problem:
        return problem.returncode, out.getvalue().splitlines(), [*err.getvalue().splitlines(), str(problem)]
    return 0, out.getvalue().splitlines(), err.getvalue().splitlines()


def sealed(model):
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT id, document_number FROM {model._meta.db_table} ORDER BY id")
        return dict(cursor.fetchall())


def key_ids():
    return Counter(key_id_of(text) for model in HOLDERS for text in sealed(model).values() if text)


def put(model, pk, text):
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE {model._meta.db_table} SET document_number = %s WHERE id = %s", [text, pk])


def everything(model):
    """All but the ciphertext, read as a person would read it."""
    return list(model.objects.order_by("pk").values())


def lines(verb=""):
    verbs = [verb] if verb else [Verb.KEYS_ROTATED, Verb.CIPHERTEXT_REFUSED]
    entries = AuditEntry.objects.order_by("pk").filter(verb__in=verbs)
    return list(entries.values_list("actor", "verb", "target", "detail"))


# --- Rotating --------------------------------------------------------------------------------------------------


def test_the_columns_are_all_that_there_are():
    assert [column.place for column in rotation.sealed_columns()] == PLACES


def test_every_row_comes_under_the_first_key_and_nothing_else_changes(two_keys, occupation, manager, applicant):
    scenes.registration_at(Status.APPROVED, applicant, occupation, manager)
    empty = scenes.account()
    two_keys()
    before = [everything(model) for model in HOLDERS]
    assert key_ids() == Counter(old=3)
    assert run() == (
        0,
        [
            "第一把密钥：new",
            "accounts_identity.document_number：old 2 行",
            "accounts_keptform.content：没有密文",
            "accounts_sentform.answer：没有密文",
            "registrations_registration.document_number：old 1 行",
            "重新加密了 3 行。",
            "数据库里已没有旧密钥的密文。会话里的密文 24 小时内自行过期，之后可以去掉旧密钥；旧备份仍要靠旧密钥读取，请另行保存。",
        ],
        [],
    )
    assert key_ids() == Counter(new=3)
    assert sealed(Identity)[empty.identity.pk] == ""
    assert [everything(model) for model in HOLDERS] == before  # version, moments, details, the plain number
    assert lines() == [("command:rotate_keys", "keys.rotated", "new", "renewed 3, refused 0")]


def test_the_old_key_can_go_afterwards(two_keys, applicant, settings):
    number = applicant.identity.document_number
    two_keys()
    run()
    settings.FIELD_ENCRYPTION_KEYS = {"new": NEW}
    assert Identity.objects.get().document_number == number


def test_a_kept_form_is_encrypted_anew_too(two_keys, applicant, settings):
    KeptForm.objects.create(user=applicant, path="/profile/", content="address=somewhere")
    two_keys()
    assert run()[0] == 0
    settings.FIELD_ENCRYPTION_KEYS = {"new": NEW}
    assert KeptForm.objects.get().content == "address=somewhere"


def test_again_there_is_nothing_to_do(two_keys, applicant):
    two_keys()
    run()
    texts = sealed(Identity)
    code, said, _ = run()
    assert (code, said[1], said[5]) == (0, "accounts_identity.document_number：new（第一把） 1 行", "重新加密了 0 行。")
    assert sealed(Identity) == texts


def test_a_rehearsal_counts_and_changes_nothing(two_keys, applicant, stranger):
    two_keys()
    stranger.identity.save()  # under the new key
    texts = sealed(Identity)
    assert run("--dry-run") == (
        0,
        [
            "第一把密钥：new",
            "accounts_identity.document_number：new（第一把） 1 行，old 1 行",
            "accounts_keptform.content：没有密文",
            "accounts_sentform.answer：没有密文",
            "registrations_registration.document_number：没有密文",
            "没有改动。将重新加密 1 行。",
        ],
        [],
    )
    assert (sealed(Identity), lines()) == (texts, [])


def test_key_ids_differ_by_case_and_by_more_than_their_beginning(settings, db):
    ring = {"k1": OLD, "K1": NEW, "k": b"k" * 32, "k11": b"j" * 32}
    for key_id, key in ring.items():
        settings.FIELD_ENCRYPTION_KEYS = {key_id: key}
        scenes.person()
    settings.FIELD_ENCRYPTION_KEYS = ring
    column, *_ = rotation.sealed_columns()
    assert (column.count_by_key(), column.waiting().count()) == (Counter(dict.fromkeys(ring, 1)), 3)
    run()
    assert key_ids() == Counter(k1=4)


@pytest.mark.parametrize("size", [1, 2, 5])
def test_batches_leave_nobody_out(two_keys, db, monkeypatch, size):
    monkeypatch.setattr(rotation, "BATCH", size)
    for _ in range(5):
        scenes.person()
    two_keys()
    code, said, _ = run()
    assert (code, key_ids()) == (0, Counter(new=5))
    assert said[-2] == "重新加密了 5 行。"


def test_interrupted_it_goes_on_where_it_was(two_keys, db, monkeypatch):
    for _ in range(4):
        scenes.person()
    two_keys()
    right, calls = rotation.SealedColumn.renew, []

    def interrupted(column, pk, text):
        calls.append(pk)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return right(column, pk, text)

    monkeypatch.setattr(rotation.SealedColumn, "renew", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run()
    assert key_ids() == Counter(new=2, old=2)
    monkeypatch.setattr(rotation.SealedColumn, "renew", right)
    assert run()[0] == 0
    assert key_ids() == Counter(new=4)
    assert [line[3] for line in lines()] == ["renewed 2, refused 0, interrupted", "renewed 2, refused 0"]


def test_what_somebody_writes_meanwhile_is_not_lost(two_keys, applicant):
    """The row was read for the rotation; then another process writes it, once with the new key, once with the old."""
    column, other = rotation.sealed_columns()[0], scenes.person().identity
    pk, read = applicant.identity.pk, sealed(Identity)[applicant.identity.pk]
    by_an_old_replica = encrypt_text(other.document_number, column.place)
    two_keys()
    by_a_new_replica = encrypt_text(other.document_number, column.place)
    put(Identity, pk, by_a_new_replica)
    assert (column.renew(pk, read), sealed(Identity)[pk]) == (False, by_a_new_replica)
    put(Identity, pk, by_an_old_replica)
    assert column.renew(pk, read) is True
    assert key_id_of(sealed(Identity)[pk]) == "new"
    assert decrypt_text(sealed(Identity)[pk], column.place) == other.document_number
    put(Identity, pk, "")
    assert (column.renew(pk, read), sealed(Identity)[pk]) == (False, "")


def test_a_replica_that_still_writes_under_the_old_key_is_noticed(two_keys, applicant, monkeypatch):
    two_keys()
    monkeypatch.setattr(rotation.SealedColumn, "renew", lambda *arguments: False)
    code, _, said = run()
    assert (code, said) == (
        1,
        ["还有 1 行不是用第一把密钥加密的：可能有副本还在用旧的设置写入。请确认全部副本已重启，再执行一次。"],
    )


@pytest.mark.django_db(transaction=True)
def test_while_the_portal_runs_no_update_is_lost(two_keys, monkeypatch):
    """Another connection goes on confirming and correcting; afterwards each number is the last that was written."""
    monkeypatch.setattr(rotation, "BATCH", 3)
    people = [scenes.person() for _ in range(12)]
    expected = {user.identity.pk: user.identity.document() for user in people}
    spare = [scenes.person().identity.document() for _ in range(6)]
    Identity.objects.filter(document_index__in=[row.document_index for row in map(held, spare)]).delete()
    two_keys()
    begun = Event()

    def portal():
        try:
            begun.wait(10)
            for user, document in zip(people[::2], spare, strict=True):
                row = Identity.objects.get(user=user)
                row.hold_document(document)
                row.save()
                expected[row.pk] = document
        finally:
            connections.close_all()

    right = rotation.SealedColumn.renew

    def renew(column, pk, text):
        begun.set()
        return right(column, pk, text)

    monkeypatch.setattr(rotation.SealedColumn, "renew", renew)
    thread = Thread(target=portal)
    thread.start()
    code, _, _ = run()
    thread.join(20)
    assert code == 0
    assert {row.pk: row.document() for row in Identity.objects.all()} == expected
    assert key_ids() == Counter(new=12)


def held(document):
    row = Identity()
    row.hold_document(document)
    return row


def test_what_does_not_open_stays_and_is_named(two_keys, applicant, stranger, settings):
    broken = "v1:old:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
    put(Identity, applicant.identity.pk, broken)
    place = f"accounts_identity.document_number:{applicant.identity.pk}"
    sentence = f"{place} 里的密文被改动过，或是从别处移来的，请从备份恢复这一行。"
    two_keys()
    assert run("--dry-run")[::2] == (
        1,
        [sentence, "没有改动。有 1 行读不出来，请先从备份恢复这些行，或补上旧密钥。"],
    )
    assert lines() == []
    code, said, problems = run()
    assert (code, said[-1], problems) == (
        1,
        "重新加密了 1 行。",
        [sentence, "有 1 行读不出来，保持原样。请从备份恢复这些行，或补上旧密钥，再执行一次。"],
    )
    assert sealed(Identity)[applicant.identity.pk] == broken
    assert lines() == [
        ("command:rotate_keys", "ciphertext.refused", place, ""),
        ("command:rotate_keys", "keys.rotated", "new", "renewed 1, refused 1"),
    ]


def test_a_key_that_is_gone_does_not_flood_the_record(two_keys, db, settings, monkeypatch):
    monkeypatch.setattr("accounts.management.commands.rotate_keys.NAMED", 2)
    for _ in range(4):
        scenes.person()
    settings.FIELD_ENCRYPTION_KEYS = {"new": NEW}
    code, said, problems = run()
    assert (code, said[1]) == (1, "accounts_identity.document_number：无法识别的密钥 4 行")
    assert problems[2] == "另有 2 行同样读不出来。"
    assert [line[1] for line in lines()] == ["ciphertext.refused", "ciphertext.refused", "keys.rotated"]


def test_a_rehearsal_finds_what_was_exchanged_under_the_right_key(applicant, stranger):
    exchange(applicant, stranger)
    code, _, problems = run("--dry-run")
    assert (code, len(problems), problems[-1]) == (
        1,
        3,
        "没有改动。有 2 行读不出来，请先从备份恢复这些行，或补上旧密钥。",
    )


def test_append_only_lines_hold_nothing_encrypted():
    """They could never be encrypted anew."""
    lines_that_stay = [model for model in apps.get_models() if issubclass(model, AppendOnlyModel)]
    assert {model.__name__ for model in lines_that_stay} >= {"AuditEntry", "ReviewEvent"}
    assert [message.id for model in lines_that_stay for message in model.check()] == []


def test_an_append_only_model_with_an_encrypted_field_is_an_error():
    class Sealed(AppendOnlyModel):
        number = EncryptedTextField()

        class Meta:
            app_label = "accounts"
            apps = apps.__class__()

    assert [message.id for message in Sealed.check()] == ["accounts.E011"]


# --- Refused ---------------------------------------------------------------------------------------------------


def exchange(one, other):
    """The two ciphertexts of one column change places: both open, and each is somebody else's."""
    texts = sealed(Identity)
    put(Identity, one.identity.pk, texts[other.identity.pk])
    put(Identity, other.identity.pk, texts[one.identity.pk])


def test_rows_that_were_exchanged_within_a_column_are_refused(applicant, stranger):
    exchange(applicant, stranger)
    with pytest.raises(TamperedCiphertext) as caught:
        Identity.objects.get(user=applicant)
    assert str(caught.value) == (
        f"accounts_identity.document_number:{applicant.identity.pk} 里的密文与旁边的指纹不符，可能是从另一行换来的，"
        "请从备份恢复这一行；如果每一行都这样，请检查 BLIND_INDEX_KEY 是否被更换。"
    )


@pytest.mark.parametrize(
    "values", [{"document_number": ""}, {"document_type": "passport"}, {"document_index": "0" * 64}]
)
def test_a_number_its_type_and_its_fingerprint_belong_together(applicant, values):
    Identity.objects.filter(user=applicant).update(**values)
    with pytest.raises(TamperedCiphertext, match="指纹不符"):
        Identity.objects.get(user=applicant)


def test_a_person_whose_own_row_was_tampered_with_gets_the_page_and_one_line(applicant, sign_in):
    client = sign_in(applicant)
    client.raise_request_exception = False
    put(Identity, applicant.identity.pk, sealed(Identity)[applicant.identity.pk][:-4] + "AAAA")
    response = client.get("/profile/")
    assert (response.status_code, "<h1>系统出现故障</h1>" in response.content.decode()) == (500, True)
    assert lines() == [(applicant.username, "ciphertext.refused", "accounts_identity.document_number", "")]


def test_the_committee_meets_a_row_that_was_exchanged(applicant, stranger, occupation, manager, sign_in):
    first, second = (
        scenes.registration_at(Status.SUBMITTED, user, occupation, manager) for user in (applicant, stranger)
    )
    texts = sealed(Registration)
    put(Registration, first.pk, texts[second.pk])
    client = sign_in(manager)
    client.raise_request_exception = False
    response = client.post(f"/admin/registrations/registration/{first.pk}/number/")
    page = response.content.decode()
    assert (response.status_code, "<h1>系统出现故障</h1>" in page) == (500, True)
    assert stranger.identity.document_number not in page
    assert AuditEntry.objects.filter(verb="number.shown").count() == 0
    assert lines() == [
        (manager.username, "ciphertext.refused", f"registrations_registration.document_number:{first.pk}", "")
    ]


def test_the_line_is_written_after_what_was_being_done_is_undone(applicant, stranger, sign_in, monkeypatch):
    """The refusal comes in the middle of a transaction; what went before it is gone, the line is not."""
    put(Identity, stranger.identity.pk, "v1:test:AAAA")

    @transaction.atomic
    def half_done(request, *arguments, **values):
        Identity.objects.filter(user=applicant).update(phone="1")
        Identity.objects.get(user=stranger)

    monkeypatch.setattr("accounts.views.render", half_done)
    client = sign_in(applicant)
    client.raise_request_exception = False
    assert client.get("/accounts/identity/").status_code == 500
    assert Identity.objects.get(user=applicant).phone == ""
    assert lines() == [(applicant.username, "ciphertext.refused", "accounts_identity.document_number", "")]


def test_a_refusal_behind_another_problem_counts(db):
    try:
        try:
            raise TamperedCiphertext("table.column", "的密文……")
        except TamperedCiphertext as refusal:
            raise RuntimeError("while doing something") from refusal
    except RuntimeError:
        refusals.on_request_exception(None, None)
    assert lines() == [("anonymous", "ciphertext.refused", "table.column", "")]


def test_another_problem_leaves_no_line(db):
    try:
        raise RuntimeError("something else")
    except RuntimeError:
        refusals.on_request_exception(None, None)
    assert lines() == []


def test_a_record_that_cannot_be_written_is_no_second_failure(db, caplog):
    refusal = TamperedCiphertext("table.column", "的密文……")
    with transaction.atomic():
        transaction.set_rollback(True)
        refusals.record_refusal("anonymous", refusal)
    assert [message for message in caplog.messages if "could not be written" in message] == [
        "the refusal of table.column could not be written into the record"
    ]
    assert lines() == []


def test_a_session_of_nobody_we_know(rf, db):
    request = rf.get("/")
    for session in ({}, {"_auth_user_id": "999999"}, {"_auth_user_id": "not a number"}):
        request.session = session
        assert refusals.actor_of(request) == "anonymous"


def test_a_login_does_not_swallow_the_refusal(applicant, monkeypatch, rf):
    """The backend takes a ValueError for a platform's wrong answer; this is none."""
    put(Identity, applicant.identity.pk, "v1:test:AAAA")
    backend = PlatformBackend()
    monkeypatch.setattr(
        "mozilla_django_oidc.auth.OIDCAuthenticationBackend.authenticate",
        lambda self, request, **values: self.get_user(applicant.pk),
    )
    with pytest.raises(TamperedCiphertext):
        backend.authenticate(rf.get("/"), nonce="n")


def test_signing_out_with_a_token_that_was_tampered_with_still_signs_out(applicant, sign_in):
    client = sign_in(applicant)
    session = client.session
    session["id_token"] = "v1:test:AAAA"
    session.save()
    response = client.post("/accounts/logout/")
    assert response.headers["Location"] == "/accounts/signed-out/?platform=away"
    assert Client().get("/accounts/signed-out/").status_code == 200
