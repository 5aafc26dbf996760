"""Publishing now, later and not at all; a later deadline; a copy; the preview: what each does and whom it refuses."""

from datetime import timedelta

import pytest
import time_machine
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.management import call_command
from django.db import OperationalError, connection, transaction
from django.db.models import QuerySet
from django.test import Client
from django.utils import timezone

from accounts.models import AuditEntry
from accounts.once import FIELD
from photos.storages import PrivateFolder
from plans import copying, publication
from plans.models import Attachment, Plan
from plans.plan_forms import CopyForm
from plans.publication import PublicationRefused
from plans.signals import deadlines_moved
from registrations import intake, return_reasons
from registrations.return_reasons import ReturnReason
from registrations.workflow import StepRefused
from tests import scenes
from tests.pages import form_of
from tests.registrations.reading import text_of
from tests.registrations.threads import at_once

DAY = timedelta(days=1)


def address(plan, page):
    return f"/admin/plans/plan/{plan.code}/{page}/"


def words(response):
    return text_of(response.content.decode())


def typed(moment):
    return f"{timezone.localtime(moment):%Y-%m-%dT%H:%M}"


def lines(*names):
    return list(AuditEntry.objects.order_by("pk").values_list(*names))


@pytest.fixture
def desk(sign_in, manager):
    return sign_in(manager)


@pytest.fixture
def unpublished(plan, occupation):
    Plan.objects.filter(pk=plan.pk).update(published_at=None)
    plan.refresh_from_db()
    return plan


# Publishing ---------------------------------------------------------------------------------------------------------


def test_published_at_once(desk, unpublished):
    response = desk.post(address(unpublished, "publish"), {"at": ""}, follow=True)
    assert f"“{unpublished}”已发布。" in words(response)
    assert Client().get(unpublished.get_absolute_url()).status_code == 200
    assert lines("verb", "detail") == [("plan.published", "")]


def test_published_at_a_moment(desk, unpublished):
    at = (timezone.now() + DAY).replace(second=0, microsecond=0)
    response = desk.post(address(unpublished, "publish"), {"at": typed(at)}, follow=True)
    assert "自动发布。" in words(response)
    unpublished.refresh_from_db()
    assert unpublished.published_at == at
    assert Client().get(unpublished.get_absolute_url()).status_code == 404
    response = desk.post(address(unpublished, "publish"), {"withdraw": "1"}, follow=True)
    unpublished.refresh_from_db()
    assert unpublished.published_at is None


def test_what_cannot_be_noted_is_not_published(unpublished, manager, monkeypatch):
    """Nothing is seen by applicants of which the record does not say who has published it."""

    def breaks(*args, **kwargs):
        raise RuntimeError("the machine stops here")

    monkeypatch.setattr(publication, "record", breaks)
    with pytest.raises(RuntimeError):
        publication.publish(unpublished, manager)
    assert Plan.objects.get().published_at is None


def test_published_meanwhile_it_stays_as_it_was(unpublished, manager):
    """Of two managers at once, the second has read a plan that was not published."""
    publication.publish(Plan.objects.get(), manager)
    was = Plan.objects.get().published_at
    with pytest.raises(PublicationRefused, match="早已发布"):
        publication.publish(unpublished, manager)
    assert (Plan.objects.get().published_at, lines("verb")) == (was, [("plan.published",)])


@pytest.mark.parametrize(
    ("change", "at", "sentence"),
    [
        ({}, -DAY, "发布时间要晚于现在、早于报名截止时间。"),
        ({}, 9 * DAY, "发布时间要晚于现在、早于报名截止时间。"),
        ({"registration_closes_at": timezone.now() - DAY}, None, "报名截止时间已经过去，请先改好报名时间。"),
    ],
)
def test_what_is_not_published(desk, unpublished, change, at, sentence):
    Plan.objects.filter(pk=unpublished.pk).update(**change)
    response = desk.post(address(unpublished, "publish"), {"at": typed(timezone.now() + at) if at else ""})
    assert sentence in words(response)
    unpublished.refresh_from_db()
    assert (unpublished.published_at, AuditEntry.objects.count()) == (None, 0)


def test_without_occupations_nothing_is_published(desk, plan):
    Plan.objects.update(published_at=None)
    assert "还没有职业（工种），请先添加或导入。" in words(desk.post(address(plan, "publish"), {}))


def test_a_mistyped_moment_stays_and_is_explained(desk, unpublished):
    response = desk.post(address(unpublished, "publish"), {"at": "明天"})
    assert "请按 2026-09-01 09:00 的样子填写日期和时间。" in words(response)
    assert 'value="明天"' in response.content.decode()


def test_taken_back_while_nobody_has_begun(desk, plan, occupation):
    assert "可以撤回发布" in words(desk.get(address(plan, "publish")))
    response = desk.post(address(plan, "publish"), {"withdraw": "1"}, follow=True)
    assert f"“{plan}”已撤回发布，报名人员看不到了。" in words(response)
    assert Client().get(plan.get_absolute_url()).status_code == 404
    assert lines("verb") == [("plan.withdrawn",)]


def test_not_taken_back_once_somebody_has_begun(desk, plan, occupation, applicant):
    scenes.draft(applicant, occupation)
    assert "不能撤回发布。" in words(desk.get(address(plan, "publish")))
    response = desk.post(address(plan, "publish"), {"withdraw": "1"})
    assert "已经有人开始填写报名，不能撤回发布。" in words(response)
    plan.refresh_from_db()
    assert plan.published_at is not None


@pytest.mark.django_db(transaction=True)
def test_taking_back_and_beginning_at_once():
    """Either somebody has begun and it stays, or it is taken back and nobody has begun."""
    plan = scenes.open_plan()
    scenes.occupation(plan)
    boss, people = scenes.member(plan, "manager"), [scenes.person(f"人{n}") for n in range(3)]

    def take_back():
        try:
            publication.withdraw(plan, boss)
        except PublicationRefused:
            return "refused"
        return "taken back"

    outcome = at_once(take_back, *(lambda person=person: intake.start(person, plan) for person in people))
    plan.refresh_from_db()
    assert (plan.published_at is None) == (outcome[0] == "taken back")
    assert (plan.published_at is None) == (not plan.registrations.exists())


def test_who_begins_a_moment_late_is_told(plan, occupation, applicant):
    Plan.objects.update(published_at=None)
    with pytest.raises(StepRefused, match="刚刚撤回发布"), transaction.atomic():
        intake.start(applicant, plan)
    assert not plan.registrations.exists()


# A later deadline -----------------------------------------------------------------------------------------------------


@pytest.fixture
def heard():
    heard = []

    def listen(sender, plan, before, **kwargs):
        heard.append((plan.code, before, plan.registration_closes_at))
        return "已通知 3 人。"

    deadlines_moved.connect(listen)
    yield heard
    deadlines_moved.disconnect(listen)


def test_a_later_deadline_is_told(desk, plan, heard):
    before, later = plan.registration_closes_at, (plan.registration_closes_at + DAY).replace(second=0, microsecond=0)
    response = desk.post(address(plan, "extend"), {"closes_at": typed(later)}, follow=True)
    assert "报名截止时间已延长。还没有需要通知的人。已通知 3 人。" in words(response)
    assert heard == [(plan.code, before, later)]
    plan.refresh_from_db()
    assert (plan.registration_closes_at, plan.correction_closes_at) == (later, None)
    assert lines("verb", "detail") == [("plan.extended", moves((before, later), (before, later)))]


def moves(registration, corrections=()):
    """As the record has them."""
    return ", ".join(
        f"{name} {typed(pair[0])} → {typed(pair[1])}"
        for name, pair in (("registration", registration), ("corrections", corrections))
        if pair
    )


@pytest.mark.parametrize("by_days", [3, 0, -1])
def test_the_record_names_each_deadline_that_was_moved(desk, plan, by_days):
    closes = plan.registration_closes_at.replace(second=0, microsecond=0)
    corrections = closes + 5 * DAY
    Plan.objects.update(registration_closes_at=closes, correction_closes_at=corrections)
    form = {"closes_at": typed(closes + DAY), "corrections": typed(corrections + by_days * DAY)}
    desk.post(address(plan, "extend"), form)
    moved = (corrections, corrections + by_days * DAY) if by_days else ()
    expected = moves((closes, closes + DAY), moved)
    assert lines("verb", "detail") == [("plan.extended", expected)]


def test_a_deadline_is_not_moved_forward(desk, plan, heard):
    sooner = plan.registration_closes_at - DAY
    response = desk.post(address(plan, "extend"), {"closes_at": typed(sooner)})
    assert "新的截止时间要晚于原来的截止时间，也要晚于现在。" in words(response)
    later = plan.registration_closes_at + 2 * DAY
    response = desk.post(address(plan, "extend"), {"closes_at": typed(later), "corrections": typed(later - DAY)})
    assert "修改截止时间不能早于新的报名截止时间；不另设就留空。" in words(response)
    response = desk.post(address(plan, "extend"), {"closes_at": typed(timezone.now() - DAY)})
    assert "新的截止时间要晚于现在。" in words(response)
    assert (heard, AuditEntry.objects.count()) == ([], 0)


# A copy ---------------------------------------------------------------------------------------------------------------


def copied(desk, plan, **values):
    now = timezone.now()
    form = {
        "code": "BJ-NEW",
        "title": "明年的大赛",
        "registration_opens_at": typed(now + 9 * DAY),
        "registration_closes_at": typed(now + 19 * DAY),
    }
    return desk.post(address(plan, "copy"), {**form, **values}, follow=True)


def test_a_copy_takes_what_is_offered_and_leaves_who_came(desk, plan, manager, viewer):
    taken = scenes.occupation(plan, name="电工", capacity=7, seats_taken=3, requirements="在职")
    Plan.objects.filter(pk=plan.pk).update(photo_background="blue", description="**说明**")
    attachment = Attachment(plan=plan, title="规程.txt")
    attachment.file.save("rules.txt", ContentFile(b"rules"))
    assert "已复制为“明年的大赛”，还没有发布。" in words(copied(desk, plan))
    made = Plan.objects.get(code="BJ-NEW")
    assert (made.published_at, made.photo_background, made.description) == (None, "blue", "**说明**")
    values = ("name", "capacity", "seats_taken", "requirements")
    assert list(made.occupations.values_list(*values)) == [("电工", 7, 0, "在职")]
    assert list(made.members.values_list("user", "role")) == [(manager.pk, "manager")]
    (twin,) = made.attachments.all()
    with twin.file.open("rb") as file:
        assert (twin.title, file.read(), twin.file.name == attachment.file.name) == ("规程.txt", b"rules", False)
    taken.refresh_from_db()
    assert (taken.plan_id, taken.seats_taken) == (plan.pk, 3)
    assert lines("verb", "detail") == [("plan.created", f"copy of {plan.code}"), ("member.added", "BJ-NEW manager")]


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"code": ""}, "请填写新的计划编号。"),
        ({"code": "北京"}, "计划编号只能用字母、数字和连字符。"),
        ({"title": ""}, "请填写竞赛名称。"),
        ({"registration_opens_at": "2099-01-01 09:00"}, "报名截止时间必须晚于报名开始时间。"),
    ],
)
def test_a_wrong_copy_loses_nothing(desk, plan, values, sentence):
    response = copied(desk, plan, **values)
    assert sentence in words(response)
    kept = {"code": "BJ-NEW", "title": "明年的大赛"} | {
        name: values[name] for name in values if name in {"code", "title"}
    }
    assert all(f'value="{text}"' in response.content.decode() for text in kept.values() if text)
    assert Plan.objects.count() == 1


def test_a_code_that_is_taken(desk, plan):
    assert "这个计划编号已经用过，请换一个。" in words(copied(desk, plan, code=plan.code))


def test_an_attachment_that_cannot_be_read_leaves_nothing_half_done(desk, plan):
    Attachment(plan=plan, title="通知.txt").file.save("notice.txt", ContentFile(b"notice"))
    Attachment.objects.create(plan=plan, title="规程.txt", file="attachments/gone.txt")
    before = files()
    assert "附件暂时读不出来，没有复制。" in words(copied(desk, plan))
    assert (Plan.objects.count(), files()) == (1, before)


def files():
    return sorted(file.name for file in default_storage.walk("attachments"))


def test_the_files_of_a_copy_that_is_refused_are_removed(desk, plan, monkeypatch):
    """The other tab has made one of the same code since the form was looked at."""
    Attachment(plan=plan, title="规程.txt").file.save("rules.txt", ContentFile(b"rules"))
    before = files()
    scenes.open_plan(code="BJ-OTHER")
    monkeypatch.setattr(CopyForm, "validate_unique", lambda form: None)
    assert "这个计划编号已经用过，请换一个。" in words(copied(desk, plan, code="BJ-OTHER"))
    assert (Plan.objects.count(), files()) == (2, before)


@pytest.mark.django_db(transaction=True)
def test_no_storage_is_asked_while_the_copy_is_written(desk, plan, monkeypatch):
    """Nor while the form's key is held: the page's own form is sent."""
    Attachment(plan=plan, title="规程.txt").file.save("rules.txt", ContentFile(b"rules"))
    opened, stored, inside = PrivateFolder._open, PrivateFolder._save, []
    monkeypatch.setattr(
        PrivateFolder, "_open", lambda *args: inside.append(connection.in_atomic_block) or opened(*args)
    )
    monkeypatch.setattr(
        PrivateFolder, "_save", lambda *args: inside.append(connection.in_atomic_block) or stored(*args)
    )
    copied(desk, plan, **{FIELD: form_of(desk.get(address(plan, "copy")))[FIELD]})
    assert (inside, Plan.objects.count()) == ([False, False], 2)


def test_files_stay_where_the_database_does_not_say_whether_a_row_names_them(plan, monkeypatch):
    """A commit whose answer was lost may have happened: a file too many is purged later, one too few is lost."""
    Attachment(plan=plan, title="规程.txt").file.save("rules.txt", ContentFile(b"rules"))
    before = files()

    def silent(*arguments, **named):
        raise OperationalError("gone")

    with pytest.raises(OperationalError), copying.attachments_of(plan):
        monkeypatch.setattr(QuerySet, "filter", silent)
        raise OperationalError("the server closed the connection")
    monkeypatch.undo()
    (orphan,) = set(files()) - set(before)
    with pytest.raises(OperationalError), copying.attachments_of(plan) as ((_, name),):
        Attachment.objects.create(plan=plan, title="已写入.txt", file=name)
        raise OperationalError("the server closed the connection")
    assert set(files()) == {*before, orphan, name}
    with time_machine.travel(timezone.now() + 2 * DAY):
        call_command("purge_expired", verbosity=0)
    assert set(files()) == {*before, name}


@pytest.mark.parametrize("own", [True, False])
def test_a_copy_takes_the_plans_own_reasons_along(desk, plan, own):
    reason = ReturnReason(field="school", code="own_1", label="院校", sentence="请写全称。")
    return_reasons.replace(plan, [reason] if own else [])
    copied(desk, plan)
    made = Plan.objects.get(code="BJ-NEW")
    expected = [("school", "own_1", "院校", "请写全称。")] if own else []
    assert list(made.return_reasons.values_list("field", "code", "label", "sentence")) == expected
    assert plan.return_reasons.count() == len(expected)


# The preview ----------------------------------------------------------------------------------------------------------


def test_the_preview_is_the_applicants_page(sign_in, unpublished, viewer, occupation):
    response = sign_in(viewer).get(address(unpublished, "preview"))
    assert "这是预览：发布后，报名人员看到的就是这样。" in words(response)
    assert str(occupation) in words(response)
    assert f"/registrations/start/{unpublished.code}/" not in response.content.decode()


def test_the_preview_of_what_is_published_says_so(sign_in, plan, viewer):
    said = words(sign_in(viewer).get(address(plan, "preview")))
    assert "这是预览：报名人员看到的就是这样。" in said
    assert "报名人员在这里看到“报名”按钮，或者不能报名的原因。" in said


def test_what_hangs_on_the_plan_form(desk, sign_in, plan, viewer):
    page = f"/admin/plans/plan/{plan.pk}/change/"
    tools = ["预览", "发布", "延长截止时间", "导入职业（工种）", "复制"]
    assert [tool in words(desk.get(page)) for tool in tools] == [True] * 5
    shown = sign_in(viewer).get(page).content.decode()
    assert [address(plan, name) in shown for name in ("preview", "publish", "extend", "occupations", "copy")] == [
        True,
        *[False] * 4,
    ]
