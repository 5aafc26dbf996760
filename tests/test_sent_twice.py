"""Every form that is sent twice, by a double click, after a broken line or by the back button, does one thing."""

from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import IntegrityError, OperationalError, connection
from django.test import Client
from django.urls import get_resolver, resolve, reverse
from django.utils import timezone

from accounts.models import AuditEntry, SentForm
from accounts.once import FIELD
from plans import copying, decisions, members
from plans.models import Attachment, Invitation, Plan
from plans.plan_forms import CopyForm
from registrations.models import Registration
from registrations.moves import MoveProposal
from registrations.trail import ReviewEvent
from registrations.workflow import Action, Status
from tests import scenes
from tests.pages import form_of as fields_of
from tests.registrations.threads import at_once
from tests.test_access_matrix import DETOURS, ROLES, RULES, addresses

# How each address that takes a POST is protected. A new one without a word here fails the build.
#   key      the form has a {% form_key %}, accounts/once.py does it once and answers both alike
#   state    it says what shall be (an upsert, "read", "signed out"): once more is the same
#   version  it names the version, line or job that was seen; of the same content once more is the same answer
#   number   the sender numbers what is sent: docs/adr/0020
#   one      what it creates may be there once; who asks once more is led to it
#   looks    it does nothing but look, or asks a question: an audit line or a question more is right
PROTECTED = {
    "accounts:identity": "state",
    "accounts:logout": "state",
    "accounts:consent": "state",
    "accounts:download": "looks",
    "accounts:end_sessions": "state",
    "accounts:close": "state",
    "accounts:stay": "state",
    "accounts:keep": "state",
    "messages:open": "state",
    "messages:read_all": "state",
    "messages:channels": "state",
    "plans:invitation": "one",
    "profiles:edit": "version",
    "profiles:photo:upload": "number",
    "profiles:photo:use_other": "state",
    "profiles:photo:crop": "state",
    "registrations:start": "one",
    "registrations:edit": "version",
    "registrations:occupation": "version",
    "registrations:photo:upload": "number",
    "registrations:photo:use_other": "state",
    "registrations:photo:crop": "state",
    "registrations:seen": "state",
    "registrations:move": "version",
    "registrations:delete": "key",
    "registrations:submit": "key",
    "registrations:recall": "key",
    "registrations:withdraw": "key",
    "csp_report": "looks",
    "admin:index": "looks",
    "admin:login": "looks",
    "admin:logout": "state",
    "admin:app_list": "looks",
    "admin:plans_plan_changelist": "state",
    "admin:accounts_user_changelist": "looks",
    "admin:plans_plan_add": "key",
    "admin:plans_plan_change": "key",
    **{f"admin:plans_plan_{page}": "key" for page in ("publish", "extend", "copy", "occupations", "decisions")},
    "admin:plans_plan_member_find": "looks",
    "admin:plans_plan_member_add": "key",
    "admin:plans_plan_member_role": "state",
    "admin:plans_plan_member_remove": "key",
    "admin:plans_plan_member_invite": "one",  # its token is made of the form's key
    "admin:plans_plan_member_revoke": "state",
    "admin:registrations_registration_queue": "looks",
    "admin:registrations_registration_export_plans": "looks",
    "admin:registrations_registration_bulk": "looks",  # it asks; its question is confirmed once
    "admin:registrations_registration_job": "version",
    "admin:registrations_registration_export": "one",  # the file again, or the job of the form's key
    "admin:registrations_registration_export_photos": "one",
    "admin:registrations_registration_export_sheet": "one",
    "admin:registrations_registration_export_templates": "key",
    "admin:registrations_registration_reasons": "key",
    "admin:registrations_registration_extend": "key",
    "admin:registrations_registration_propose": "key",
    "admin:registrations_registration_retract": "key",
    "admin:registrations_registration_extensions": "looks",
    "admin:registrations_registration_extension_find": "looks",
    "admin:registrations_registration_extension_give": "key",
    "admin:registrations_registration_portrait": "looks",
    "admin:registrations_registration_former": "looks",
    "admin:registrations_registration_keys": "state",
    "admin:registrations_registration_undo": "version",
    "admin:registrations_registration_claim": "state",
    "admin:registrations_registration_number": "looks",
    **{f"admin:registrations_registration_{step}": "version" for step in ("return", "approve", "reject", "reopen")},
}  # fmt: skip


def answer_to_post(rule: str) -> str:
    return (rule.split() * 3)[2]


# The matrix has nobody with a portrait elsewhere.
NOT_IN_THE_MATRIX = {"profiles:photo:use_other", "registrations:photo:use_other"}


def takes_posts(name: str) -> bool:
    """By the access matrix, which asks them all: somebody gets more than a refusal or the way to a login."""
    found = {answer_to_post(RULES[name][role]) for role in ROLES}
    found -= set() if name in DETOURS.values() else set(DETOURS.values())
    return not found <= {"405", "403", "404", "admin:login", "accounts:login"} and name != "accounts:emergency"


def test_every_address_that_takes_a_post_says_how_it_is_protected():
    taking = {name for name in RULES if takes_posts(name)} | NOT_IN_THE_MATRIX
    assert (sorted(taking - set(PROTECTED)), sorted(set(PROTECTED) - taking)) == ([], [])


def test_the_views_with_a_key_are_those_that_say_so():
    marked = set()
    for name, callback in callbacks():
        if getattr(callback, "once_per_form", False):
            marked.add(name)
    assert marked == {name for name, how in PROTECTED.items() if how == "key"}


def callbacks() -> list[tuple[str, Any]]:
    def walk(resolver: Any, namespaces: tuple[str, ...] = (), route: str = "") -> Any:
        for entry in resolver.url_patterns:
            whole = route + str(entry.pattern)
            if hasattr(entry, "url_patterns"):
                yield from walk(entry, (*namespaces, entry.namespace) if entry.namespace else namespaces, whole)
            else:
                yield (":".join([*namespaces, entry.name]) if entry.name else whole), entry.callback

    found = list(walk(get_resolver()))
    assert {name for name, _ in found} == set(dict(addresses(get_resolver())))
    return found


# The forms with a key ---------------------------------------------------------------------------------------------------


def form_of(client: Client, page: str, action: str = "", containing: str = "") -> dict[str, str]:
    """The hidden fields of the form on a page that a browser would send, the key among them."""
    from html.parser import HTMLParser

    class Forms(HTMLParser):
        def __init__(self) -> None:
            super().__init__()
            self.forms: list[tuple[str, dict[str, str]]] = []

        def handle_starttag(self, tag: str, attributes: Any) -> None:
            known = dict(attributes)
            if tag == "form":
                self.forms.append((known.get("action") or "", {}))
            elif tag == "input" and known.get("type") == "hidden" and self.forms and known.get("name"):
                self.forms[-1][1][known["name"]] = known.get("value") or ""

    reader = Forms()
    response = client.get(page)
    assert response.status_code == 200
    reader.feed(response.content.decode())
    fitting = [
        fields
        for target, fields in reader.forms
        if FIELD in fields and (not action or target.startswith(action)) and (not containing or containing in fields)
    ]
    assert fitting, f"no form with a key on {page}"
    return fitting[0]


def sent_twice(client: Client, address: str, form: dict[str, Any]) -> tuple[str, str, list[str]]:
    """Where both lead, and the sentences of the next page; the answer to the first is lost on its way."""
    before = AuditEntry.objects.count()
    first = client.post(address, form)
    lines = AuditEntry.objects.count() - before
    again = client.post(address, form)
    assert (first.status_code, again.status_code) == (302, 302), again.content.decode()
    assert AuditEntry.objects.count() - before == lines, "the second left lines of its own"
    page = client.get(again["Location"], follow=True)
    sentences = [str(message) for message in page.context["messages"]]
    assert len(sentences) == len(set(sentences))
    return first["Location"], again["Location"], sentences


def assert_same(client: Client, address: str, form: dict[str, Any], sentence: str) -> None:
    first, again, sentences = sent_twice(client, address, form)
    assert (again, [sentence in said for said in sentences]) == (first, [True]), sentences


@pytest.fixture
def boss(manager, sign_in):
    return sign_in(manager)


@pytest.mark.parametrize("action", [Action.SUBMIT, Action.RECALL, Action.WITHDRAW])
def test_a_step_of_the_applicants(applicant, occupation, manager, sign_in, action):
    client = sign_in(applicant)
    status = Status.DRAFT if action == Action.SUBMIT else Status.SUBMITTED
    registration = scenes.registration_at(status, applicant, occupation, manager)
    address = reverse(f"registrations:{action.value}", args=[registration.reference])
    lines = ReviewEvent.objects.count()
    first, again, _ = sent_twice(client, address, form_of(client, address))
    receipt = "submitted" if action == Action.SUBMIT else "detail"
    assert first == again == reverse(f"registrations:{receipt}", args=[registration.reference])
    occupation.refresh_from_db()
    assert (ReviewEvent.objects.count() - lines, occupation.seats_taken) == (1, int(action == Action.SUBMIT))


def test_a_submission_sent_again_after_the_committee_was_quick(applicant, occupation, manager, sign_in):
    """The line broke after the commit; when the browser asks again, it has been decided: no error, the same way."""
    client = sign_in(applicant)
    draft = scenes.draft(applicant, occupation)
    address = reverse("registrations:submit", args=[draft.reference])
    form = form_of(client, address)
    first = client.post(address, form)
    scenes.take(draft, Action.RETURN, manager, note="请修改。")
    again = client.post(address, form)
    assert again["Location"] == first["Location"]
    assert scenes.fresh(draft).status == Status.RETURNED
    assert [str(said) for said in client.get(again["Location"], follow=True).context["messages"]] == []


def test_a_draft_that_is_deleted(applicant, occupation, sign_in):
    client = sign_in(applicant)
    draft = scenes.draft(applicant, occupation)
    address = reverse("registrations:delete", args=[draft.reference])
    assert_same(client, address, form_of(client, address), f"草稿 {draft.reference} 已删除。")
    assert not Registration.objects.filter(pk=draft.pk).exists()


def test_a_refusal_is_not_kept(applicant, occupation, sign_in):
    """No seat was left; then one is: the same form, sent again, submits."""
    client = sign_in(applicant)
    draft = scenes.draft(applicant, occupation)
    other = scenes.draft(scenes.person("李芳"), occupation)
    address = reverse("registrations:submit", args=[draft.reference])
    form = form_of(client, address)
    type(occupation).objects.filter(pk=occupation.pk).update(capacity=1)
    taken = scenes.take(other, Action.SUBMIT, other.applicant)
    assert client.post(address, form)["Location"] == reverse("registrations:check", args=[draft.reference])
    assert SentForm.objects.count() == 0
    scenes.take(taken, Action.RECALL, taken.applicant)
    assert client.post(address, form)["Location"] == reverse("registrations:submitted", args=[draft.reference])


def moment(at: Any) -> dict[str, str]:
    local = timezone.localtime(at)
    return {"closes_at_0": f"{local:%Y-%m-%d}", "closes_at_1": f"{local:%H:%M}", "closes_at": f"{local:%Y-%m-%dT%H:%M}"}


def test_a_deadline_that_is_moved_back(plan, boss, applicant, occupation):
    scenes.draft(applicant, occupation)
    address = reverse("admin:plans_plan_extend", args=[plan.code])
    form = {**form_of(boss, address), **moment(plan.registration_closes_at + timedelta(days=3))}
    assert_same(boss, address, form, "报名截止时间已延长。正在通知 1 位")


def test_a_plan_that_is_copied(plan, boss):
    address = reverse("admin:plans_plan_copy", args=[plan.code])
    opens, closes = (timezone.localtime(timezone.now() + timedelta(days=days)) for days in (30, 40))
    form = form_of(boss, address) | {
        "code": "BJ-COPY", "title": "复制出来的竞赛",
        "registration_opens_at": f"{opens:%Y-%m-%dT%H:%M}", "registration_closes_at": f"{closes:%Y-%m-%dT%H:%M}",
    }  # fmt: skip
    assert_same(boss, address, form, "已复制为")
    assert Plan.objects.filter(code="BJ-COPY").count() == 1
    changed = boss.post(address, {**form, "code": "BJ-OTHER"}, headers={"Referer": f"http://testserver{address}"})
    assert (changed.status_code, "没有保存" in changed.content.decode()) == (409, True)
    assert not Plan.objects.filter(code="BJ-OTHER").exists()
    assert f'<a class="btn btn-outline-primary" href="{address}">打开页面核对</a>' in changed.content.decode()
    assert 'value="BJ-OTHER"' in changed.content.decode()  # what was typed can be sent with a key of its own


def test_a_plan_that_is_published_and_taken_back(boss, manager):
    plan = scenes.open_plan(published_at=None)
    scenes.occupation(plan)
    members.appoint(plan, manager, "manager", manager)
    address = reverse("admin:plans_plan_publish", args=[plan.code])
    assert_same(boss, address, form_of(boss, address) | {"when": "now"}, "已发布。")
    assert_same(boss, address, form_of(boss, address) | {"withdraw": "1"}, "已撤回发布")


def test_the_admins_own_sentence_keeps_its_link(plan, boss):
    """And what a person has typed, here the title, is text in it both times."""
    Plan.objects.filter(pk=plan.pk).update(title="<b>大赛</b>")
    address = reverse("admin:plans_plan_change", args=[plan.pk])
    form = fields_of(boss.get(address))
    told = []
    for _ in range(2):
        page = boss.get(boss.post(address, form)["Location"], follow=True).content.decode()
        told.append(page.partition("成功修改了")[2].partition("</li>")[0])
    assert told[0] == told[1]
    assert f'“<a href="{address}">&lt;b&gt;大赛&lt;/b&gt;</a>”' in told[1]


def test_decisions_that_are_published(boss, manager, applicant):
    plan = scenes.open_plan(holds_decisions=True)
    members.appoint(plan, manager, "manager", manager)
    scenes.registration_at(Status.APPROVED, applicant, scenes.occupation(plan), manager)
    address = reverse("admin:plans_plan_decisions", args=[plan.code])
    asked = form_of(boss, address) | {"when": "now", "seen": decisions.held(plan).seal}
    assert_same(boss, address, asked, "已公布 1 份审核结果")


def test_a_member_who_is_added_and_removed(plan, boss, manager):
    from plans import member_pages

    user = scenes.person("吴霞")
    sealed = member_pages.signing.dumps([plan.pk, manager.pk, user.pk, "viewer"], salt=member_pages.SALT)
    form = {"sealed": sealed, FIELD: "of-the-page-that-asks"}
    assert_same(boss, reverse("admin:plans_plan_member_add", args=[plan.code]), form, "已加入组委会")
    member = plan.members.get(user=user)
    address = reverse("admin:plans_plan_member_remove", args=[plan.code, member.pk])
    assert_same(boss, address, form_of(boss, address), "已移出")


def test_an_invitation(plan, boss):
    """Its answer is no redirect: the link stands in it, and in the second answer the same link."""
    form = form_of(boss, reverse("admin:plans_plan_members", args=[plan.code]), containing="") | {"role": "viewer"}
    address = reverse("admin:plans_plan_member_invite", args=[plan.code])
    links = [boss.post(address, form).context["link"] for _ in range(2)]
    assert (links[0], Invitation.objects.filter(plan=plan).count()) == (links[1], 1)
    assert boss.post(address, {**form, FIELD: "another-page-of-the-same"}).context["link"] != links[0]


def test_terms_with_one_person(plan, boss, occupation, applicant, manager):
    registration = scenes.registration_at(Status.SUBMITTED, applicant, occupation, manager)
    other = scenes.occupation(plan)
    until = timezone.localtime(plan.registration_closes_at + timedelta(days=2))
    address = reverse("admin:registrations_registration_extend", args=[registration.pk])
    if registration.status in {Status.DRAFT, Status.SUBMITTED, Status.RETURNED}:
        form = form_of(boss, address, containing="seen")
        form |= {"until": f"{until:%Y-%m-%dT%H:%M}", "reason": "住院，已出具证明。"}
        assert_same(boss, address, form, "的截止时间已调整为")
    address = reverse("admin:registrations_registration_propose", args=[registration.pk])
    assert_same(
        boss, address, form_of(boss, address) | {"occupation": other.pk, "reason": "名额调剂，请您确认。"}, "建议已发给"
    )
    assert MoveProposal.objects.filter(registration=registration).count() == 1
    desk = reverse("admin:registrations_registration_change", args=[registration.pk])
    address = reverse("admin:registrations_registration_retract", args=[registration.pk])
    assert_same(boss, address, form_of(boss, desk, containing="proposal"), "建议已收回")


def test_what_broke_is_not_kept(applicant, occupation, sign_in, monkeypatch):
    """A fault of ours in the middle takes all of it back, the key as well; sent again, it is done."""
    client = sign_in(applicant)
    client.raise_request_exception = False
    draft = scenes.draft(applicant, occupation)
    address = reverse("registrations:submit", args=[draft.reference])
    form = form_of(client, address)
    with monkeypatch.context() as broken:
        broken.setattr("registrations.views.redirect", lambda *arguments: 1 / 0)
        assert client.post(address, form).status_code == 500
    assert (scenes.fresh(draft).status, SentForm.objects.count()) == (Status.DRAFT, 0)
    assert client.post(address, form)["Location"].endswith("/submitted/")


@pytest.mark.django_db(transaction=True)
def test_a_ciphertext_that_is_refused_in_the_middle_leaves_its_line(applicant, occupation, manager, sign_in):
    """The step is taken back, the line in the record stays: somebody has changed what is sealed."""
    client = sign_in(applicant)
    client.raise_request_exception = False
    registration = scenes.registration_at(Status.SUBMITTED, applicant, occupation, manager)
    address = reverse("registrations:recall", args=[registration.reference])
    form = form_of(client, address)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE registrations_registration SET document_number = 'v1:lost:AAAA'")
    assert client.post(address, form).status_code == 500
    assert (connection.in_atomic_block, SentForm.objects.count()) == (False, 0)
    assert list(AuditEntry.objects.filter(verb="ciphertext.refused").values_list("actor")) == [(applicant.username,)]


@pytest.mark.django_db(transaction=True)
def test_a_database_that_goes_between_the_step_and_the_note(applicant, occupation, sign_in, monkeypatch):
    """All of it is taken back; and the thread is free of its transaction, or each of its later requests would fail."""
    client = sign_in(applicant)
    client.raise_request_exception = False
    draft = scenes.draft(applicant, occupation)
    address = reverse("registrations:submit", args=[draft.reference])
    form = form_of(client, address)

    with monkeypatch.context() as broken:
        broken.setattr(SentForm, "save", gone_at_the_note())
        assert client.post(address, form).status_code == 503
    assert (connection.in_atomic_block, scenes.fresh(draft).status) == (False, Status.DRAFT)
    assert client.post(address, form)["Location"].endswith("/submitted/")


@pytest.mark.django_db(transaction=True)
def test_nothing_is_said_of_what_was_taken_back(boss, manager, monkeypatch):
    """The sentence of success was ready when the database went: the next page must not have it."""
    plan = scenes.open_plan(published_at=None)
    scenes.occupation(plan)
    members.appoint(plan, manager, "manager", manager)
    boss.raise_request_exception = False
    address = reverse("admin:plans_plan_publish", args=[plan.code])
    form = form_of(boss, address) | {"when": "now"}
    with monkeypatch.context() as broken:
        broken.setattr(SentForm, "save", gone_at_the_note())
        assert boss.post(address, form).status_code == 503
    assert "已发布。" not in boss.get(address).content.decode()
    assert Plan.objects.get(pk=plan.pk).published_at is None
    assert_same(boss, address, form, "已发布。")


def gone_at_the_note(fault: type[Exception] = OperationalError) -> Any:
    """In the place of SentForm.save: the database goes when the answer is to be written beside what was done."""
    save = SentForm.save

    def away(self: SentForm, *arguments: Any, **options: Any) -> None:
        if "update_fields" in options:
            raise fault("gone")
        save(self, *arguments, **options)

    return away


# Those that read first, and say where their transaction begins -----------------------------------------------------------


def copy_of(client: Client, plan: Plan) -> tuple[str, dict[str, Any]]:
    """Where the form of a copy is sent, and what; its plan has a file to be copied."""
    Attachment(plan=plan, title="规程.txt").file.save("rules.txt", ContentFile(b"rules"))
    address = reverse("admin:plans_plan_copy", args=[plan.code])
    opens, closes = (timezone.localtime(timezone.now() + timedelta(days=days)) for days in (30, 40))
    return address, form_of(client, address) | {
        "code": "BJ-ONCE", "title": "复制出来的竞赛",
        "registration_opens_at": f"{opens:%Y-%m-%dT%H:%M}", "registration_closes_at": f"{closes:%Y-%m-%dT%H:%M}",
    }  # fmt: skip


def stored_files() -> int:
    return sum(1 for _ in default_storage.walk("attachments"))


@pytest.mark.parametrize("moment", ["before it looks", "before it writes"])
@pytest.mark.django_db(transaction=True)
def test_who_reads_while_the_other_one_writes_is_answered_alike(plan, boss, manager, sign_in, monkeypatch, moment):
    """The second click came in before the first was done: it finds the code taken, or its own copy of the file needless."""
    address, form = copy_of(boss, plan)
    other, answers = sign_in(manager), []
    inside, validate = copying.attachments_of, CopyForm.full_clean

    def first() -> None:
        monkeypatch.undo()
        answers.append(other.post(address, form))

    def looking(asked: CopyForm) -> None:
        first()
        validate(asked)

    @contextmanager
    def reading(of: Plan) -> Any:
        with inside(of) as files:
            first()
            yield files

    if moment == "before it looks":
        monkeypatch.setattr(CopyForm, "full_clean", looking)
    else:
        monkeypatch.setattr(copying, "attachments_of", reading)
    answers.append(boss.post(address, form))
    made = Plan.objects.get(code="BJ-ONCE")
    assert {answer["Location"] for answer in answers} == {reverse("admin:plans_plan_change", args=[made.pk])}
    assert (len(answers), stored_files(), connection.in_atomic_block) == (2, 2, False)
    page = boss.get(answers[1]["Location"], follow=True)
    assert [str(said)[:4] for said in page.context["messages"]] == ["已复制为"]


@pytest.mark.parametrize(("fault", "status"), [(OperationalError, 503), (IntegrityError, 200)])
@pytest.mark.django_db(transaction=True)
def test_a_copy_that_breaks_at_its_end_leaves_nothing(plan, boss, monkeypatch, fault, status):
    """Neither rows nor files, nor the sentence of success, which was ready."""
    boss.raise_request_exception = False
    address, form = copy_of(boss, plan)
    with monkeypatch.context() as broken:
        broken.setattr(SentForm, "save", gone_at_the_note(fault))
        assert boss.post(address, form).status_code == status
    assert (Plan.objects.count(), stored_files(), SentForm.objects.count()) == (1, 1, 0)
    assert "已复制为" not in boss.get(address).content.decode()
    assert_same(boss, address, form, "已复制为")
    assert (Plan.objects.count(), stored_files()) == (2, 2)


def test_the_views_that_read_first_are_known():
    """Whoever reads first must begin its transaction itself: these do, as the tests above and of the import see."""
    assert {name for name, callback in callbacks() if getattr(callback, "reads_first", False)} == {
        "admin:plans_plan_copy",
        "admin:plans_plan_occupations",
    }


def test_a_key_is_its_persons_alone(applicant, stranger, occupation, sign_in):
    one, other = scenes.draft(applicant, occupation), scenes.draft(stranger, occupation)
    for draft in (one, other):
        client = sign_in(draft.applicant)
        form = {"version": draft.version, FIELD: "the-same-for-both-of-them"}
        client.post(reverse("registrations:submit", args=[draft.reference]), form)
    assert {scenes.fresh(draft).status for draft in (one, other)} == {Status.SUBMITTED}


@pytest.mark.parametrize("key", ["", "short", "x" * 65, "with\0nul-with\0nul-", "含有汉字的钥匙含有汉字的钥匙"])
def test_a_key_that_is_none_of_ours_counts_as_none(applicant, occupation, sign_in, key):
    client = sign_in(applicant)
    draft = scenes.draft(applicant, occupation)
    client.post(reverse("registrations:submit", args=[draft.reference]), {"version": draft.version, FIELD: key})
    assert SentForm.objects.count() == 0


# At once ----------------------------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_two_at_the_same_moment(applicant, occupation, sign_in):
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has one writer; the PostgreSQL run has this test")
    draft = scenes.draft(applicant, occupation)
    address = reverse("registrations:submit", args=[draft.reference])
    clients = [sign_in(applicant) for _ in range(4)]
    form = form_of(clients[0], address)
    answers = at_once(*[lambda client=client: client.post(address, form)["Location"] for client in clients])
    occupation.refresh_from_db()
    assert (set(answers), len(answers)) == ({reverse("registrations:submitted", args=[draft.reference])}, 4)
    assert (ReviewEvent.objects.filter(action="submit").count(), occupation.seats_taken) == (1, 1)
    assert SentForm.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_two_copies_at_the_same_moment(plan, manager, sign_in):
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has one writer; the PostgreSQL run has this test")
    clients = [sign_in(manager) for _ in range(3)]
    address, form = copy_of(clients[0], plan)
    answers = at_once(*[lambda client=client: client.post(address, form).headers["Location"] for client in clients])
    made = Plan.objects.get(code="BJ-ONCE")
    assert set(answers) == {reverse("admin:plans_plan_change", args=[made.pk])}
    assert resolve(answers[0]).kwargs == {"object_id": str(made.pk)}
    assert stored_files() == 2
