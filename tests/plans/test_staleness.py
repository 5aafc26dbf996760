"""Whoever saves a form that lay open is told what others have changed meanwhile, and saves once more knowing it."""

import base64
import tracemalloc
import zlib
from random import Random
from time import sleep
from urllib.parse import urlencode

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts import kept_forms
from plans import staleness
from plans.desk_form import standing_of
from plans.models import Attachment, Occupation, Plan
from tests import scenes
from tests.pages import form_of
from tests.plans.test_admin import change, errors, new_row, save
from tests.registrations.threads import at_once

BEFORE = "没有保存：您打开这一页以后，别人"
AFTER = "下面仍是您填写的内容，请在新的页面里看过现在的内容，改好后再次保存，就以您的为准。"
KEPT, AGAIN = "别人添加的会保留。", "别人删除的仍在下面，再次保存会重新添加。"


@pytest.fixture
def desk(manager, sign_in):
    return sign_in(manager)


@pytest.fixture
def colleague(plan, sign_in):
    return sign_in(scenes.member(plan, "manager", "钱进"))


@pytest.fixture
def electrician(plan):
    return scenes.occupation(plan, name="电工", capacity=5)


def told(answer):
    """What the page says, without the line that only says that something is wrong."""
    assert answer.status_code == 200
    return [sentence for sentence in errors(answer) if sentence != "请更正下列错误。"]


def offers(plan):
    return list(Occupation.objects.filter(plan=plan).values_list("name", "capacity"))


def test_an_occupation_that_a_colleague_has_changed_is_not_overwritten(desk, colleague, plan, electrician):
    form = form_of(desk.get(change(plan)))
    row = {"occupations-0-capacity": 9, "occupations-0-requirements": "满 2 年"}
    assert save(colleague, plan, **row).status_code == 302
    answer = desk.post(change(plan), {**form, "title": "改过的名称", "occupations-0-name": "高级电工"})
    assert told(answer) == [f"{BEFORE}改过职业（工种）“电工（职工组）”的“参赛条件”、“名额”。{AFTER}"]
    assert (offers(plan), Plan.objects.get().title) == ([("电工", 9)], plan.title)
    typed = form_of(answer)
    assert (typed["title"], typed["occupations-0-name"], typed["occupations-0-capacity"]) == (
        "改过的名称",
        "高级电工",
        "5",
    )
    assert desk.post(change(plan), typed).status_code == 302
    assert (offers(plan), Plan.objects.get().title) == ([("高级电工", 5)], "改过的名称")


def test_the_plan_and_its_rows_are_named_in_one_sentence(desk, colleague, plan, electrician):
    form = form_of(desk.get(change(plan)))
    file = SimpleUploadedFile("a.txt", "规程".encode())
    Attachment.objects.create(plan=plan, title="规程.txt", file=file)
    added = new_row("occupations", form, name="焊工", division="student")
    save(colleague, plan, **added, title="同事的名称", place="同事的地点", **{"occupations-0-code": "6-31"})
    answer = desk.post(change(plan), form)
    changes = "改过“竞赛名称”、“竞赛地点”，改过职业（工种）“电工（职工组）”的“职业编码”"
    assert told(answer) == [f"{BEFORE}{changes}，添加了职业（工种）“焊工（学生组）”、附件“规程.txt”。{AFTER}{KEPT}"]
    assert desk.post(change(plan), form_of(answer)).status_code == 302
    assert (Plan.objects.get().title, offers(plan)) == (plan.title, [("电工", 5), ("焊工", None)])
    assert Attachment.objects.get().title == "规程.txt"


def test_a_row_that_a_colleague_has_deleted_is_a_new_one_for_whoever_saves_again(desk, colleague, plan, electrician):
    welder = scenes.occupation(plan, name="焊工", capacity=7)
    scenes.occupation(plan, name="钳工", capacity=8)
    form = form_of(desk.get(change(plan)))
    save(colleague, plan, **{"occupations-0-DELETE": "on", "occupations-1-DELETE": "on"})
    sent = {**form, "occupations-0-name": "高级电工", "occupations-1-DELETE": "on", "occupations-2-capacity": 80}
    answer = desk.post(change(plan), sent | new_row("occupations", form, name="车工", division="worker"))
    changes = "删除了职业（工种）“电工（职工组）”、职业（工种）“焊工（职工组）”"
    assert told(answer) == [f"{BEFORE}{changes}。{AFTER}{AGAIN}"]
    assert offers(plan) == [("钳工", 8)]
    assert desk.post(change(plan), form_of(answer)).status_code == 302
    assert offers(plan) == [("钳工", 80), ("高级电工", 5), ("车工", None)]
    assert not Occupation.objects.filter(pk__in=[electrician.pk, welder.pk]).exists()


def test_a_row_of_another_plan_is_no_row_of_this_one(desk, plan, electrician):
    other = scenes.occupation(scenes.open_plan(), name="焊工")
    save(desk, plan, **{"occupations-0-id": other.pk, "occupations-0-name": "改过"})
    assert (offers(plan), offers(other.plan)) == ([("电工", 5)], [("焊工", other.capacity)])


def test_seats_that_are_taken_meanwhile_are_nobodys_change(desk, plan, electrician):
    form = form_of(desk.get(change(plan)))
    Occupation.objects.take_seat(electrician.pk)
    assert desk.post(change(plan), {**form, "occupations-0-name": "高级电工"}).status_code == 302
    assert list(Occupation.objects.values_list("name", "seats_taken")) == [("高级电工", 1)]


def packed(text):
    return base64.urlsafe_b64encode(zlib.compress(text.encode())).decode()


STRANGE = ["", "[1]", "{", '{"plan": 1}', '{"title": "ab12cd34ef56"}', "null", "[" * 200_000]


@pytest.mark.parametrize("seen", ["", "没有", "e30", "AAAA", '{"plan":["","ab12"]}', *map(packed, STRANGE)])
def test_a_page_that_cannot_be_compared_is_shown_once_more(desk, plan, seen):
    answer = save(desk, plan, seen=seen, title="改过的名称")
    sentence = "没有保存：这一页打开得太久，或者没有完整送到，查不出别人是不是改过。"
    assert told(answer) == [f"{sentence}{AFTER}"]
    assert desk.post(change(plan), form_of(answer)).status_code == 302
    assert Plan.objects.get().title == "改过的名称"


def test_of_many_changes_the_first_are_named(desk, plan):
    form = form_of(desk.get(change(plan)))
    for number in range(9):
        scenes.occupation(plan, name=f"工种{number}")
    (sentence,) = told(desk.post(change(plan), form))
    assert sentence.endswith(f"、职业（工种）“工种7（职工组）”等 9 处。{AFTER}{KEPT}")


def test_the_page_asks_the_database_as_often_for_many_rows(desk, plan, electrician):
    def asked():
        with CaptureQueriesContext(connection) as queries:
            desk.get(change(plan))
        return len(queries)

    asked()  # what the process remembers
    few = asked()
    for name in ("焊工", "钳工", "车工"):
        scenes.occupation(plan, name=name)
    assert asked() == few


@pytest.mark.django_db(transaction=True)
def test_two_managers_in_the_same_instant(sign_in, monkeypatch):
    """One saves, the other is told: the second has not looked before the first was done."""
    plan = scenes.open_plan()
    scenes.occupation(plan, name="电工", capacity=5)
    visitors = [sign_in(scenes.member(plan, "manager", name)) for name in ("周敏", "钱进")]
    forms = [form_of(visitor.get(change(plan))) for visitor in visitors]
    write = Occupation.save

    def slowly(*row, **options):
        sleep(0.3)
        write(*row, **options)

    monkeypatch.setattr(Occupation, "save", slowly)

    def send(number):
        answer = visitors[number].post(change(plan), forms[number] | {"occupations-0-capacity": 10 + number})
        return answer.status_code, answer.content.decode().count("别人改过职业（工种）“电工（职工组）”的“名额”。")

    answers = at_once(lambda: send(0), lambda: send(1))
    assert sorted(answers) == [(200, 1), (302, 0)]
    assert offers(plan) == [("电工", 10 + answers.index((302, 0)))]


# How large it is ------------------------------------------------------------------------------------------------------


def test_what_was_seen_takes_little_room_in_a_form_that_is_kept(plan):
    """A form that is kept over a login has 64 KB for everything; 250 bytes a row were these alone."""
    empty = len(urlencode({"seen": staleness.seen_of(standing_of(plan))}))
    pick = Random(7)  # noqa: S311  (no secret: names that have little in common)

    def name():
        return "".join(chr(pick.randrange(0x4E00, 0x9FA5)) for _ in range(8))

    Occupation.objects.bulk_create(
        Occupation(plan=plan, name=name(), code=name(), requirements=name(), capacity=pick.randrange(1, 10_000))
        for _ in range(200)
    )
    standing = standing_of(plan)
    seen = staleness.seen_of(standing)
    assert (len(urlencode({"seen": seen})) - empty) / 200 < 90
    names = {key: name for key, (name, _) in (staleness.read(seen) or {}).items()}
    assert names == {key: part.name for key, part in standing.items()}


def test_a_form_of_many_rows_is_kept_over_a_login(desk, colleague, manager, plan):
    """And compared as ever with what stands by then."""
    wanted = "从事本职业工作满三年，取得中级证书"
    for number in range(100):
        scenes.occupation(plan, name=f"第 {number} 号工业机器人系统操作员", code=f"6-{number}", requirements=wanted)
    form = form_of(desk.get(change(plan)))
    assert kept_forms.keep_text(manager.pk, change(plan), urlencode(form))
    save(colleague, plan, **{"occupations-7-capacity": 9})
    answer = desk.post(change(plan), form_of(desk.get(change(plan))))
    assert told(answer) == [f"{BEFORE}改过职业（工种）“第 7 号工业机器人系统操作员（职工组）”的“名额”。{AFTER}"]


def test_what_says_it_is_small_and_is_not_is_not_unpacked():
    bomb = packed("[" * 50_000_000)
    tracemalloc.start()
    assert staleness.read(bomb) is None
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 4 * staleness.MOST_BYTES


@pytest.mark.parametrize("cut", [1, 2, 3, 4, 40])
def test_what_came_in_part_is_not_read(plan, electrician, cut):
    assert staleness.read(staleness.seen_of(standing_of(plan))[:-cut]) is None


# Attachments ----------------------------------------------------------------------------------------------------------

GONE = "其中附件的文件已经随之删除：要保留的请重新选择文件，不要的请清空名称。"
CHOOSE = "请选择文件；不要这个附件了，请清空名称。"
FILES = "文件没有保留，请重新选择。"


def attachment(plan, title):
    return Attachment.objects.create(plan=plan, title=title, file=pdf(title))


def pdf(name="a.pdf"):
    return SimpleUploadedFile(name, b"%PDF-1.7\n")


def titles(plan):
    return list(Attachment.objects.filter(plan=plan).values_list("title", flat=True))


def test_an_attachment_that_a_colleague_has_deleted_needs_its_file_again(desk, colleague, plan):
    attachment(plan, "规程.pdf"), attachment(plan, "通知.pdf")
    form = form_of(desk.get(change(plan)))
    save(colleague, plan, **{"attachments-0-DELETE": "on"})
    answer = desk.post(change(plan), {**form, "title": "改过的名称", "attachments-0-title": "新规程.pdf"})
    assert told(answer) == [f"{BEFORE}删除了附件“规程.pdf”。{AFTER}{AGAIN}{GONE}", CHOOSE]
    again = form_of(answer)
    assert (again["attachments-1-id"], again["attachments-1-title"]) == ("", "新规程.pdf")

    refused = desk.post(change(plan), again)
    assert (told(refused), titles(plan)) == ([CHOOSE], ["通知.pdf"])
    again = form_of(refused)
    assert (again["title"], again["attachments-1-title"]) == ("改过的名称", "新规程.pdf")
    assert desk.post(change(plan), {**again, "attachments-1-file": pdf()}).status_code == 302
    assert (titles(plan), Plan.objects.get().title) == (["通知.pdf", "新规程.pdf"], "改过的名称")
    assert not Attachment.objects.filter(file="").exists()


def test_who_does_not_want_it_any_more_clears_its_title(desk, colleague, plan):
    attachment(plan, "规程.pdf")
    form = form_of(desk.get(change(plan)))
    save(colleague, plan, **{"attachments-0-DELETE": "on"})
    again = form_of(desk.post(change(plan), form))
    assert desk.post(change(plan), {**again, "attachments-0-title": ""}).status_code == 302
    assert titles(plan) == []


def test_files_that_were_chosen_have_to_be_chosen_again(desk, colleague, plan):
    """A browser sends no file twice: of a stored one the old file would stay, and nobody would know."""
    old, gone = attachment(plan, "规程.pdf"), attachment(plan, "通知.pdf")
    form = form_of(desk.get(change(plan)))
    save(colleague, plan, title="同事的名称", **{"attachments-1-DELETE": "on"})
    files = {"attachments-0-file": pdf("new.pdf"), "attachments-1-file": pdf("newer.pdf")}
    answer = desk.post(change(plan), {**form, **files})
    assert told(answer) == [f"{BEFORE}改过“竞赛名称”，删除了附件“通知.pdf”。{AFTER}{AGAIN}{GONE}{FILES}"]
    assert (titles(plan), Attachment.objects.get().file) == (["规程.pdf"], old.file)
    again = desk.post(change(plan), form_of(answer))
    assert (told(again), titles(plan)) == ([CHOOSE], ["规程.pdf"])
    assert not Attachment.objects.filter(pk=gone.pk).exists()


def test_a_row_that_is_gone_is_a_new_one_on_a_page_that_cannot_be_compared_too(desk, colleague, plan, electrician):
    form = form_of(desk.get(change(plan)))
    save(colleague, plan, **{"occupations-0-DELETE": "on"})
    answer = desk.post(change(plan), {**form, "seen": "", "occupations-0-name": "高级电工"})
    assert [sentence for sentence in told(answer) if not sentence.startswith("没有保存：这一页打开得太久")] == []
    assert desk.post(change(plan), form_of(answer)).status_code == 302
    assert offers(plan) == [("高级电工", 5)]


# Kept over a login ------------------------------------------------------------------------------------------------------


def kept_form(desk, manager, plan, **typed):
    """As it is shown again, after a colleague has been there."""
    form = {**form_of(desk.get(change(plan))), **typed}
    return lambda: kept_forms.keep_text(manager.pk, change(plan), urlencode(form)) and form_of(desk.get(change(plan)))


def test_rows_that_were_kept_come_back_though_a_colleague_has_deleted_one(desk, colleague, manager, plan, electrician):
    scenes.occupation(plan, name="焊工", capacity=7)
    again = kept_form(desk, manager, plan, **{"occupations-0-capacity": 50, "occupations-1-capacity": 70})
    save(colleague, plan, **{"occupations-0-DELETE": "on"})
    answer = desk.post(change(plan), again())
    assert told(answer) == [f"{BEFORE}删除了职业（工种）“电工（职工组）”。{AFTER}{AGAIN}"]
    assert desk.post(change(plan), form_of(answer)).status_code == 302
    assert offers(plan) == [("焊工", 70), ("电工", 50)]


def test_rows_that_were_kept_come_back_though_a_colleague_has_added_one(desk, colleague, manager, plan, electrician):
    form = form_of(desk.get(change(plan)))
    added = new_row("occupations", form, name="车工", division="worker")
    again = kept_form(desk, manager, plan, **added)
    save(colleague, plan, **new_row("occupations", form, name="焊工", division="worker"))
    answer = desk.post(change(plan), again())
    assert told(answer) == [f"{BEFORE}添加了职业（工种）“焊工（职工组）”。{AFTER}{KEPT}"]
    assert desk.post(change(plan), form_of(answer)).status_code == 302
    assert offers(plan) == [("电工", 5), ("焊工", None), ("车工", None)]
