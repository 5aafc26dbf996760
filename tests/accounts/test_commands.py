"""The operator's commands about accounts: what they change, what they say, and the line that they leave."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError

from accounts import erasure, holdings
from accounts.fields import blind_index
from accounts.identity import Sex
from accounts.management.commands.correct_identity import Command
from accounts.models import AuditEntry, Identity, Session, User
from accounts.session_store import SessionStore
from tests import scenes
from tests.people import passport_number, resident_number

OTHER = resident_number(300, sex=Sex.FEMALE)
TAKEN = "这个证件已经由另一个账户确认过，没有改动。"
UNKNOWN = "没有账户 nobody。请让对方先登录一次，再用平台的用户标识（sub）或账户代号（u-…）执行。"


def run(name, *arguments, **options):
    out = StringIO()
    call_command(name, *arguments, stdout=out, **options)
    return out.getvalue()


def powers(user):
    user = User.objects.get(pk=user.pk)
    return user.is_staff, user.is_superuser


def lines():
    return list(AuditEntry.objects.order_by("pk").values_list("actor", "verb", "target", "detail"))


# grant_staff --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("by", ["username", "subject"])
def test_grant_staff(applicant, by):
    assert run("grant_staff", getattr(applicant, by)) == f"账户 {applicant.username} 现在是运营人员。\n"
    assert powers(applicant) == (True, False)
    assert lines() == [("command:grant_staff", "staff.granted", applicant.username, "")]


def test_grant_superuser_and_take_it_away(applicant):
    run("grant_staff", applicant.username, "--superuser")
    assert powers(applicant) == (True, True)
    said = run("grant_staff", applicant.username, "--revoke", "--superuser")
    assert said == f"账户 {applicant.username} 现在不再是运营人员。\n"
    assert powers(applicant) == (False, False)
    assert lines() == [
        ("command:grant_staff", "staff.granted", applicant.username, "superuser"),
        ("command:grant_staff", "staff.revoked", applicant.username, ""),
    ]


def test_a_deactivated_account_does_not_become_staff_but_stops_being_it(applicant):
    User.objects.filter(pk=applicant.pk).update(is_active=False)
    with pytest.raises(CommandError, match=f"账户 {applicant.username} 已被停用，不能成为运营人员。"):
        run("grant_staff", applicant.username)
    assert (powers(applicant), lines()) == ((False, False), [])
    User.objects.filter(pk=applicant.pk).update(is_staff=True, is_superuser=True)
    run("grant_staff", applicant.username, "--revoke")
    assert powers(applicant) == (False, False)


def test_granting_staff_takes_the_superuser_away(applicant):
    run("grant_staff", applicant.username, "--superuser")
    run("grant_staff", applicant.username)
    assert powers(applicant) == (True, False)


# grant_auditor ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("by", ["username", "subject"])
def test_grant_auditor_and_take_it_away(applicant, by):
    name = getattr(applicant, by)
    assert run("grant_auditor", name) == f"账户 {applicant.username} 现在是审计人员。\n"
    assert (User.objects.get().is_auditor, powers(applicant)) == (True, (False, False))
    assert run("grant_auditor", name) == f"账户 {applicant.username} 本来就是审计人员，没有需要改动的。\n"
    assert run("grant_auditor", name, "--revoke") == f"账户 {applicant.username} 现在不再是审计人员。\n"
    assert run("grant_auditor", name, "--revoke") == f"账户 {applicant.username} 本来就不是审计人员，没有需要改动的。\n"
    assert User.objects.get().is_auditor is False
    assert list(AuditEntry.objects.order_by("pk").values_list("actor", "verb", "target", "subject")) == [
        ("command:grant_auditor", "auditor.granted", applicant.username, applicant.username),
        ("command:grant_auditor", "auditor.revoked", applicant.username, applicant.username),
    ]


def test_a_deactivated_account_does_not_become_an_auditor_but_stops_being_one(applicant):
    User.objects.filter(pk=applicant.pk).update(is_active=False)
    with pytest.raises(CommandError, match=f"账户 {applicant.username} 已被停用，不能成为审计人员。"):
        run("grant_auditor", applicant.username)
    assert (User.objects.get().is_auditor, lines()) == (False, [])
    User.objects.filter(pk=applicant.pk).update(is_auditor=True)
    run("grant_auditor", applicant.username, "--revoke")
    assert User.objects.get().is_auditor is False


def test_no_role_without_its_line(applicant, monkeypatch):
    def away(*arguments, **values):
        raise OperationalError("away")

    monkeypatch.setattr(AuditEntry, "save", away)
    for command in ("grant_staff", "grant_auditor"):
        with pytest.raises(OperationalError):
            run(command, applicant.username)
    user = User.objects.get()
    assert (user.is_staff, user.is_auditor) == (False, False)


# Both ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", ["grant_staff", "grant_auditor", "correct_identity", "end_sessions"])
def test_an_unknown_account(applicant, command):
    options = {"reason": "…"} if command == "correct_identity" else {}
    with pytest.raises(CommandError) as refusal:
        run(command, "nobody", **options)
    assert str(refusal.value) == UNKNOWN
    assert lines() == []


def test_a_subject_of_two_platforms_is_nobody(applicant):
    User.objects.from_platform("https://other.example.cn", applicant.subject)
    with pytest.raises(CommandError, match=f"没有账户 {applicant.subject}。"):
        run("grant_staff", applicant.subject)
    assert powers(applicant) == (False, False)


# correct_identity ---------------------------------------------------------------------------------------------------


@pytest.fixture
def type_in(monkeypatch):
    """`type_in(…)` is what the operator types at the prompts; the prompts are kept."""
    prompts = []

    def at_prompts(*answers):
        waiting = list(answers)

        def answer(prompt):
            prompts.append(prompt)
            if not waiting:
                raise EOFError
            return waiting.pop(0)

        monkeypatch.setattr("builtins.input", answer)
        return prompts

    return at_prompts


def held(user):
    found = Identity.objects.get(user=user)
    return found.legal_name, found.document_type, found.document_number, found.document_index


def correct(user, *options):
    return run("correct_identity", user.username, *options, reason="证件换发")


def test_correct_identity(applicant, type_in):
    masked = applicant.identity.masked_number
    confirmed_at = applicant.identity.confirmed_at
    prompts = type_in("王晓鸣", " resident_id ", OTHER.lower())
    assert correct(applicant) == (
        f"现在是：王晓明，居民身份证 {masked}\n已更正账户 {applicant.username}。已提交的报名保持提交时的内容。\n"
    )
    assert prompts == [
        "姓名：",
        "证件类型，resident_id（居民身份证）、hk_macao_permit（港澳居民居住证）、taiwan_permit（台湾居民居住证）、"
        "foreign_pr_card（外国人永久居留身份证）、passport（护照）：",
        "证件号码：",
    ]
    assert held(applicant) == ("王晓鸣", "resident_id", OTHER, blind_index("resident_id", OTHER))
    assert Identity.objects.get(user=applicant).confirmed_at == confirmed_at
    assert lines() == [("command:correct_identity", "identity.corrected", applicant.username, "证件换发")]


def test_a_dry_run_changes_nothing(applicant, type_in):
    before = held(applicant)
    type_in("王晓鸣", "passport", passport_number(9))
    said = correct(applicant, "--dry-run")
    assert said.endswith(f"检查通过，没有改动。将更正 1 个账户（{applicant.username}）。\n")
    assert (held(applicant), lines()) == (before, [])


@pytest.mark.parametrize("options", [[], ["--dry-run"]])
@pytest.mark.parametrize(
    ("answers", "sentence"),
    [
        (
            ("王晓鸣", "resident_id", OTHER[:17] + "0"),
            "证件号码最后一位与前 17 位不符，请核对是否有输错的数字。",
        ),
        (("王1", "resident_id", OTHER), "姓名只能包含汉字、字母、间隔号（·）和空格，请与证件上的姓名一致。"),
        (("", "resident_id", OTHER), "姓名应为 1 至 64 个字。"),
        (("王" * 65, "resident_id", OTHER), "姓名应为 1 至 64 个字。"),
        (("王晓鸣",), "没有输入完，没有改动。请重新执行，依次输入姓名、证件类型和证件号码。"),
    ],
)
def test_what_is_wrong_changes_nothing(applicant, type_in, answers, sentence, options):
    assert OTHER[17] != "0"
    before = held(applicant)
    type_in(*answers)
    with pytest.raises(CommandError) as refusal:
        correct(applicant, *options)
    assert str(refusal.value) == sentence
    assert (held(applicant), lines()) == (before, [])


def test_an_unknown_type_names_those_there_are(applicant, type_in):
    type_in("王晓鸣", "library_card")
    with pytest.raises(CommandError) as refusal:
        correct(applicant)
    assert str(refusal.value).startswith("没有证件类型 library_card。可用：resident_id（居民身份证）、")


@pytest.mark.parametrize("options", [[], ["--dry-run"]])
def test_a_document_that_is_taken(applicant, stranger, type_in, options):
    before = held(applicant)
    type_in("王晓明", stranger.identity.document_type, stranger.identity.document_number)
    with pytest.raises(CommandError) as refusal:
        correct(applicant, *options)
    assert str(refusal.value) == TAKEN
    assert (held(applicant), lines()) == (before, [])


def test_a_document_that_is_taken_in_between(applicant, stranger, type_in, monkeypatch):
    monkeypatch.setattr(Command, "judge", lambda self, held: None)
    before = held(applicant)
    type_in("王晓明", stranger.identity.document_type, stranger.identity.document_number)
    with pytest.raises(CommandError) as refusal:
        correct(applicant)
    assert str(refusal.value) == TAKEN
    assert (held(applicant), lines()) == (before, [])


def test_who_is_erased_while_somebody_types_gets_nothing_back(applicant, monkeypatch):
    answers = iter(["王晓鸣", "resident_id", OTHER])

    def answer(prompt):
        if prompt == "证件号码：":
            erasure.erase(applicant, applicant)
        return next(answers)

    monkeypatch.setattr("builtins.input", answer)
    with pytest.raises(CommandError) as refusal:
        correct(applicant)
    assert str(refusal.value) == f"账户 {applicant.username} 刚才注销了，没有改动。不用再更正。"
    assert (Identity.objects.count(), [verb for _, verb, _, _ in lines()]) == (0, ["person.erased"])


def test_who_has_not_confirmed_has_nothing_to_correct(db, type_in):
    prompts = type_in()
    user = scenes.account()
    with pytest.raises(CommandError) as refusal:
        correct(user)
    assert str(refusal.value) == "这个账户还没有确认过身份信息，让本人登录后确认即可。"
    assert prompts == []


def test_no_number_on_the_screen_or_in_the_record(applicant, type_in):
    before = applicant.identity.document_number
    type_in("王晓鸣", "resident_id", OTHER)
    said = correct(applicant)
    record = str(list(AuditEntry.objects.values()))
    assert [number for number in (before, OTHER) if number in said + record] == []
    assert "王晓鸣" not in record


@pytest.mark.parametrize(
    "reason",
    ["原号 {0} 输错", "原号{0}", "来电 138 1234 2671", "护照 E12345678 换发", "王晓明改名", "改名为王晓鸣", "{0}"],
)
def test_a_reason_says_nothing_that_the_record_must_not_keep(applicant, type_in, reason):
    """A line of the record cannot be corrected, so it is refused before it is written."""
    before = held(applicant)
    type_in("王晓鸣", "resident_id", OTHER)
    with pytest.raises(CommandError) as refusal:
        run("correct_identity", applicant.username, reason=reason.format(applicant.identity.document_number))
    assert str(refusal.value) == (
        "更正原因里有姓名、证件号码或手机号码，操作记录写下后不能修改，没有改动。请换一种写法，例如“证件换发”。"
    )
    assert (held(applicant), lines()) == (before, [])


def test_a_long_reason_is_shortened(applicant, type_in):
    type_in("王晓鸣", "resident_id", OTHER)
    run("correct_identity", applicant.username, reason="因" * 300)
    assert lines()[0][3] == "因" * 200


# end_sessions -------------------------------------------------------------------------------------------------------


def is_in(client):
    return client.get("/accounts/identity/").status_code == 200


@pytest.mark.parametrize("by", ["username", "subject"])
def test_all_sessions_of_one_person_end(applicant, stranger, sign_in, by):
    mine, others = [sign_in(applicant) for _ in range(3)], [sign_in(stranger), sign_in(stranger)]
    said = run("end_sessions", getattr(applicant, by))
    assert said == f"账户 {applicant.username} 的 3 个登录已全部结束，下一次操作要重新登录。\n"
    assert [is_in(client) for client in (*mine, *others)] == [False] * 3 + [True] * 2
    assert mine[0].get("/profile/").headers["Location"] == "/accounts/login/?next=%2Fprofile%2F"
    assert list(AuditEntry.objects.values_list("actor", "verb", "target", "subject", "detail")) == [
        ("command:end_sessions", "sessions.ended", applicant.username, applicant.username, "3")
    ]
    assert is_in(sign_in(applicant))  # the account itself is as it was


def test_those_of_one_person_are_found_and_ended_without_a_look_at_the_others(
    applicant, stranger, sign_in, django_assert_num_queries
):
    """Of everybody there may be a hundred thousand, and a page asks, too (我的数据)."""
    for number in (1, 3):
        mine = [sign_in(applicant) for _ in range(number)]
        for _ in range(number):
            sign_in(stranger)
        with django_assert_num_queries(1):
            assert {row.pk for row in holdings.sessions_of(applicant)} == {each.session.session_key for each in mine}
        with django_assert_num_queries(2):
            assert holdings.end_sessions(applicant) == number
    assert sum(1 for _ in holdings.sessions_of(stranger)) == 4


def test_what_the_release_of_before_has_written_is_found_and_ended(
    applicant, stranger, sign_in, monkeypatch, django_assert_num_queries
):
    """While it runs beside, and when it has come back: it knows no column, and looks into each of its rows."""
    clients = [sign_in(person) for person in [*[applicant] * 3, *[stranger] * 4]]
    mine = {client.session.session_key for client in clients[:3]}
    Session.objects.update(account=None)
    sign_in(stranger)
    monkeypatch.setattr(holdings, "BATCH", 2)
    with django_assert_num_queries(4):
        assert {row.pk for row in holdings.sessions_of(applicant)} == mine
    assert holdings.end_sessions(applicant) == 3
    assert [is_in(client) for client in clients] == [False] * 3 + [True] * 4


def test_what_the_release_of_before_has_ended_is_no_sign_in(applicant, sign_in):
    """It takes the account out of the session, and leaves the column as it was."""
    client = sign_in(applicant)
    store = SessionStore(client.session.session_key)
    Session.objects.update(session_data=store.encode({"ended": "v1:a note"}))
    assert list(holdings.sessions_of(applicant)) == []


def test_ending_sessions_can_be_rehearsed(applicant, sign_in):
    client = sign_in(applicant)
    said = run("end_sessions", applicant.username, "--dry-run")
    assert said == f"没有改动。账户 {applicant.username} 有 1 个登录，将全部结束。\n"
    assert (is_in(client), lines()) == (True, [])


def test_ending_the_sessions_of_who_has_none(applicant):
    said = run("end_sessions", applicant.username)
    assert said == f"账户 {applicant.username} 的 0 个登录已全部结束，下一次操作要重新登录。\n"


def test_no_session_ends_without_its_line(applicant, sign_in, monkeypatch):
    client = sign_in(applicant)

    def away(*arguments, **values):
        raise OperationalError("away")

    monkeypatch.setattr(AuditEntry, "save", away)
    with pytest.raises(OperationalError):
        run("end_sessions", applicant.username)
    assert is_in(client)


# deactivate_account -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("by", ["username", "subject"])
def test_deactivate_an_account_and_lift_it(applicant, stranger, sign_in, by):
    name, browsers = getattr(applicant, by), [sign_in(applicant), sign_in(applicant), sign_in(stranger)]
    assert run("deactivate_account", name) == f"账户 {applicant.username} 已停用，2 个登录已结束。\n"
    assert [browser.get("/profile/").status_code for browser in browsers] == [302, 302, 200]
    assert run("deactivate_account", name) == f"账户 {applicant.username} 本来就已经停用，没有需要改动的。\n"
    assert run("deactivate_account", name, "--lift") == f"账户 {applicant.username} 已恢复，可以重新登录。\n"
    assert run("deactivate_account", name, "--lift") == f"账户 {applicant.username} 本来就没有停用，没有需要改动的。\n"
    assert [browser.get("/profile/").status_code for browser in browsers] == [302, 302, 200]
    assert sign_in(applicant).get("/profile/").status_code == 200
    assert lines() == [
        ("command:deactivate_account", "account.deactivated", applicant.username, ""),
        ("command:deactivate_account", "account.activated", applicant.username, ""),
    ]


def test_what_was_erased_is_not_lifted(applicant):
    erasure.erase(applicant, applicant)
    with pytest.raises(CommandError) as refusal:
        run("deactivate_account", applicant.username, "--lift")
    assert str(refusal.value) == (f"账户 {applicant.username} 已经注销，不能恢复。本人重新登录一次，就有新的账户。")
    assert User.objects.get().is_active is False


def test_an_emergency_account_is_lifted(db):
    User.objects.create_superuser("emergency-1")
    run("deactivate_account", "emergency-1")
    run("deactivate_account", "emergency-1", "--lift")
    assert User.objects.get().is_active is True


def test_a_deactivation_can_be_rehearsed(applicant, sign_in):
    browser = sign_in(applicant)
    assert run("deactivate_account", applicant.username, "--dry-run") == (
        f"检查通过，没有改动。实际执行时：账户 {applicant.username} 已停用，1 个登录已结束。\n"
    )
    assert (User.objects.get().is_active, lines(), browser.get("/profile/").status_code) == (True, [], 200)
