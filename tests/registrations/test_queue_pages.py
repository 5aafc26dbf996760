"""The queue's pages: what they count, list and find, for whom, and at what cost."""

import re
from datetime import timedelta

import pytest
from django.core.cache import cache
from django.db import connection, models
from django.http import QueryDict
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts import limits
from accounts.models import AuditEntry
from plans.models import CommitteeMember
from registrations import queue_pages, queue_rows
from registrations.models import Registration
from registrations.workflow import Action, Status
from tests import scenes
from tests.browser.scenery import doubtful
from tests.registrations.reading import every_row, text_of

DESK = "/admin/registrations/registration/"


def queue_of(plan, query=""):
    return f"{DESK}queue/{plan.code}/{query}"


def rows(answer):
    """The references that are listed, in their order."""
    return re.findall(r'<th scope="row"><a [^>]*>(BJ[0-9A-Z-]+)', answer.content.decode())


def table(answer):
    """Its rows, without the boxes."""
    found = re.findall(r"<tr>.*?</tr>", answer.content.decode().partition("<tbody>")[2], re.DOTALL)
    return [re.sub(r'<td class="tick">.*?</td>', "", row, flags=re.DOTALL) for row in found]


def links(answer, label):
    """{words: address} of a part of the page, with its counts."""
    part = re.search(rf'<(nav|aside)[^>]*aria-label="{label}".*?</\1>', answer.content.decode(), re.DOTALL)
    found = re.findall(r'<a [^>]*href="([^"]*)"[^>]*>(.*?)</a>', part[0], re.DOTALL) if part else []
    return {text_of(words): address.replace("&amp;", "&") for address, words in found}


def search(visitor, plan, text, query=""):
    return visitor.post(queue_of(plan, query), {"looked_for": text})


def refusal(answer):
    return [text_of(found) for found in re.findall(r'<p class="wrong"[^>]*>(.*?)</p>', answer.content.decode())]


def nothing(answer):
    return [text_of(found) for found in re.findall(r'<p class="queue-nothing">(.*?)</p>', answer.content.decode())]


def submitted(occupation, *, minutes=0, person=None, **values):
    """One that was submitted so many minutes ago."""
    person = person or scenes.person()
    registration = scenes.registration_at(Status.SUBMITTED, person, occupation, person)
    Registration.objects.filter(pk=registration.pk).update(
        submitted_at=timezone.now() - timedelta(minutes=minutes), **values
    )
    return scenes.fresh(registration)


def many(occupation, number):
    """So many more, each a minute younger than the one before, by the short road: their steps are not looked at."""
    first = submitted(occupation, minutes=number + 1)
    now, copies = timezone.now(), []
    for ago in range(number - 1):
        copy = Registration.objects.get(pk=first.pk)
        copy.pk, copy.applicant, copy.reference = None, scenes.account(), f"BJ26-{next(scenes.serials):04d}-COPY"
        copy.submitted_at = now - timedelta(minutes=number - ago)
        copies.append(copy)
    Registration.objects.bulk_create(copies)
    return [first.reference, *(copy.reference for copy in copies)]


@pytest.fixture
def elsewhere(db):
    """Another plan's registration, whose words no page of ours may show."""
    other = scenes.occupation(scenes.open_plan(title="金丝雀大赛", code="CANARY-A"), name="金丝雀焊工")
    return submitted(other, person=scenes.person("金丝雀选手"))


# The list -------------------------------------------------------------------------------------------------------------


def test_who_waits_longest_is_first(sign_in, occupation, reviewer):
    waiting = [submitted(occupation, minutes=minutes).reference for minutes in (5, 3000, 90)]
    visitor = sign_in(reviewer)
    assert rows(visitor.get(queue_of(occupation.plan))) == [waiting[1], waiting[2], waiting[0]]
    assert rows(visitor.get(queue_of(occupation.plan, "?order=newest"))) == [waiting[0], waiting[2], waiting[1]]
    content = text_of(visitor.get(queue_of(occupation.plan)).content.decode())
    assert re.findall(r"等了 \d+ \S+", content) == ["等了 2 天", "等了 1 小时", "等了 5 分钟"]


def test_a_row_says_all_that_it_takes_to_choose_one(sign_in, applicant, occupation, reviewer):
    registration = submitted(occupation, person=applicant)
    answer = sign_in(reviewer).get(queue_of(occupation.plan, "?status=all"))
    (row,) = table(answer)
    at = timezone.localtime(registration.submitted_at)
    said = ["王晓明", f"{occupation.name} 职工组", "待审核", f"{at.month}月{at.day}日 {at:%H:%M} 等了 不到 1 分钟", ""]
    assert [text_of(cell) for cell in re.findall(r"<td.*?</td>", row, re.DOTALL)] == said
    assert f'href="{DESK}{registration.pk}/change/?status=all"' in row


def test_the_marks_of_a_row(sign_in, applicant, occupation, manager, monkeypatch):
    user = scenes.person()
    warned = scenes.take(scenes.draft(user, occupation, portrait=doubtful(user)), Action.SUBMIT, user)
    findings = len(warned.portrait.findings)
    without = scenes.registration_at(Status.RETURNED, applicant, occupation, manager)
    without.write(without.version, portrait=None, occupation=None)
    monkeypatch.setattr(queue_rows, "holders", lambda registrations, user: {warned.pk: "李审"})
    answer = sign_in(manager).get(queue_of(occupation.plan, "?status=all"))
    marks = {}
    for row in table(answer):
        marks[re.search(r"BJ[0-9A-Z-]+", row)[0]] = re.findall(r'<span class="mark[^"]*">(.*?)</span>', row)
    assert marks == {warned.reference: [f"照片有 {findings} 处提示", "李审正在看"], without.reference: ["没有照片"]}
    assert "未选" in answer.content.decode()


def test_a_draft_is_nobodys_but_the_applicants(sign_in, applicant, occupation, manager):
    draft = scenes.draft(applicant, occupation)
    recalled = submitted(occupation, person=scenes.person("李芳"))
    scenes.take(recalled, Action.RECALL, recalled.applicant)
    other = submitted(occupation)
    visitor = sign_in(manager)
    for query in ("?status=all", "?status=draft", ""):
        assert rows(visitor.get(queue_of(draft.plan, query))) == [other.reference]
    for text in (draft.reference, "王晓明", recalled.reference, "李芳"):
        assert rows(search(visitor, draft.plan, text)) == ([other.reference] if text == "王晓明" else [])


# The counts and the filters -------------------------------------------------------------------------------------------


@pytest.fixture
def three_states(plan, manager):
    worker, student = scenes.occupation(plan, name="电工"), scenes.occupation(plan, name="焊工", division="student")
    for status, occupation in [
        (Status.SUBMITTED, worker), (Status.SUBMITTED, worker), (Status.SUBMITTED, student),
        (Status.RETURNED, student), (Status.APPROVED, worker), (Status.DRAFT, worker),
    ]:  # fmt: skip
        scenes.registration_at(status, scenes.person(), occupation, manager)
    return worker, student


def test_the_counts_are_those_of_the_lists_they_lead_to(sign_in, plan, three_states, manager):
    worker, student = three_states
    visitor = sign_in(manager)
    answer = visitor.get(queue_of(plan))
    states, narrower = links(answer, "状态"), links(answer, "筛选")
    assert list(states) == ["待审核 3", "退回修改 1", "审核通过 1", "审核不通过 0", "已撤回 0", "全部 5"]
    assert list(narrower) == [
        *("全部组别 3", "职工组 2", "学生组 1", "教师组 0"),
        *("全部职业 3", "电工（职工组） 2", "焊工（学生组） 1"),
    ]
    for words, query in [*states.items(), *narrower.items()]:
        assert len(rows(visitor.get(queue_of(plan, query)))) == int(words.split()[-1])
    answer = visitor.get(queue_of(plan, "?status=all&division=student"))
    assert list(links(answer, "状态")) == ["待审核 1", "退回修改 1", "审核通过 0", "审核不通过 0", "已撤回 0", "全部 2"]
    assert list(links(answer, "筛选")) == [
        *("全部组别 5", "职工组 3", "学生组 2", "教师组 0"),
        *("全部职业 2", "焊工（学生组） 2"),
    ]
    assert links(answer, "状态")["退回修改 1"] == "?status=returned&division=student"


@pytest.mark.parametrize("value", ["abc", "²", "١", "-1", "9" * 30, "\x01", "金", "'; --", "%00"])
@pytest.mark.parametrize("name", ["occupation", "status", "division", "order", "after", "before", "q", "o"])
def test_a_mistyped_address_is_no_fault_of_ours(sign_in, occupation, manager, name, value):
    expected = submitted(occupation).reference
    answer = sign_in(manager).get(queue_of(occupation.plan), {name: value})
    assert (answer.status_code, rows(answer)) == (200, [expected])


def test_the_filter_is_carried_over_to_the_export(sign_in, plan, three_states, manager, viewer):
    visitor = sign_in(manager)
    query = f"?status=submitted&occupation={three_states[0].pk}"
    (place,) = re.findall(r'href="([^"]*)">导出名单', visitor.get(queue_of(plan, query)).content.decode())
    assert place.replace("&amp;", "&") == f"{DESK}export/{plan.code}/{query}"
    chosen = re.findall(r'<option value="(\w+)" selected>', visitor.get(place.replace("&amp;", "&")).content.decode())
    assert chosen == ["submitted", str(three_states[0].pk)]
    plain = re.findall(r'<option value="(\w+)" selected>', visitor.get(f"{DESK}export/{plan.code}/").content.decode())
    assert plain == []
    assert "导出名单" not in sign_in(viewer).get(queue_of(plan)).content.decode()


# Page by page ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("order", ["", "&order=newest"])
def test_leafing_through_leaves_nothing_out(sign_in, occupation, manager, order):
    expected = many(occupation, 121)
    expected = expected[::-1] if order else expected
    visitor, query, seen = sign_in(manager), f"?status=submitted{order}", []
    pages = []
    while query:
        answer = visitor.get(queue_of(occupation.plan, query))
        pages.append(rows(answer))
        query = links(answer, "分页").get("下一页")
    assert ([len(page) for page in pages], [row for page in pages for row in page]) == ([50, 50, 21], expected)
    while query := links(answer, "分页").get("上一页"):
        answer = visitor.get(queue_of(occupation.plan, query))
        seen.append(rows(answer))
    assert seen == [pages[1], pages[0]]


def test_a_page_that_was_decided_meanwhile_leads_back(sign_in, occupation, manager):
    many(occupation, 60)
    visitor = sign_in(manager)
    first = visitor.get(queue_of(occupation.plan))
    second = links(first, "分页")["下一页"]
    ninth = Registration.objects.get(reference=rows(first)[8])
    back = f"?status=submitted&before={queue_pages.Position.of(ninth)}"
    # Less than a page lies before it: that is the beginning, in full.
    assert rows(visitor.get(queue_of(occupation.plan, back))) == rows(first)
    late = Registration.objects.filter(reference__in=rows(visitor.get(queue_of(occupation.plan, second))))
    late.update(status=Status.APPROVED)
    answer = visitor.get(queue_of(occupation.plan, second))
    assert nothing(answer) == ["后面没有了：这一页的报名刚刚都处理过了。回到第一页"]
    assert links(answer, "分页") == {"上一页": "?status=submitted"}


def test_the_empty_ones(sign_in, plan, occupation, manager):
    visitor = sign_in(manager)
    assert nothing(visitor.get(queue_of(plan))) == ["还没有人提交报名。提交以后会出现在这里，等得最久的排在最前面。"]
    scenes.registration_at(Status.APPROVED, scenes.person(), occupation, manager)
    assert nothing(visitor.get(queue_of(plan))) == ["没有符合条件的报名。待审核的都办完了。"]
    assert nothing(visitor.get(queue_of(plan, "?status=rejected&division=student"))) == [
        "没有符合条件的报名。请在“筛选”里放宽条件，或去掉筛选。"
    ]


# The search -----------------------------------------------------------------------------------------------------------


def spellings(registration):
    reference, number = registration.reference, registration.document_number
    spaced = f" {number[:6]} {number[6:14]}-{number[14:].lower()}"
    wide = "".join(chr(ord(char) + 0xFEE0) for char in reference)
    return ["王晓明", " 王晓明 ", reference, reference.lower(), reference.replace("-", " "), wide, number, spaced]


def test_one_person_is_found_however_it_is_typed(sign_in, applicant, occupation, elsewhere, manager):
    wanted = submitted(occupation, person=applicant)
    submitted(occupation, person=scenes.person("李芳"))
    visitor = sign_in(manager)
    for text in spellings(wanted):
        answer = search(visitor, occupation.plan, text, "?status=approved")
        assert (answer.status_code, rows(answer), refusal(answer)) == (200, [wanted.reference], [])
        assert wanted.document_number not in answer.content.decode()
        assert {"private", "no-store"} <= set(answer["Cache-Control"].split(", "))


def test_the_search_finds_every_state_but_drafts_and_the_same_name_twice(sign_in, occupation, manager):
    withdrawn = scenes.registration_at(Status.WITHDRAWN, scenes.person("赵一"), occupation, manager)
    approved = scenes.registration_at(Status.APPROVED, scenes.person("赵一"), occupation, manager)
    answer = search(sign_in(manager), occupation.plan, "赵一")
    assert rows(answer) == [approved.reference, withdrawn.reference]
    assert f'href="{DESK}{approved.pk}/change/?status=submitted" target="_blank"' in answer.content.decode()


@pytest.mark.parametrize("text", ["金丝雀选手", "reference", "number"])
def test_nobody_of_another_plan_is_found(sign_in, occupation, elsewhere, manager, text):
    typed = {"reference": elsewhere.reference, "number": elsewhere.document_number}.get(text, text)
    answer = search(sign_in(manager), occupation.plan, typed)
    assert (rows(answer), nothing(answer)) == (
        [],
        ["这个竞赛计划里没有这样的报名，也可能还没有提交：没提交的草稿只有本人看得到。请核对后再查找。"],
    )


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "请填写姓名、报名编号或证件号码。"),
        ("  \n", "请填写姓名、报名编号或证件号码。"),
        ("王" * 81, "内容太长，请只填写一个姓名、报名编号或证件号码。"),
        ("王\x00明", "“王\x00明”不是姓名，也不是报名编号（例如 BJ26-7K4M-Q2AB）或证件号码，请核对。"),
        ("%_*", "“%_*”不是姓名，也不是报名编号（例如 BJ26-7K4M-Q2AB）或证件号码，请核对。"),
        ("1101051990金307121", "证件号码只能由数字和英文字母组成，请删去或改正“金”。"),
        ("110105199003071219000", "证件号码应为 18 位，您填写了 21 位，请对照证件核对。"),
    ],
)
def test_what_can_be_nothing_is_told_why(sign_in, occupation, manager, text, sentence):
    submitted(occupation)
    answer = search(sign_in(manager), occupation.plan, text)
    assert (answer.status_code, rows(answer), refusal(answer)) == (200, [], [sentence])


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("11010519900307121", "证件号码应为 18 位，您填写了 17 位，请对照证件核对。"),
        ("110105199003071219", "证件号码最后一位与前 17 位不符，请核对是否有输错的数字。"),
        ("81000019900307121", "证件号码应为 18 位，您填写了 17 位，请对照证件核对。"),
        ("E12345678", ""),
    ],
)
def test_a_number_that_is_not_found_is_told_where_it_was_mistyped(sign_in, occupation, manager, text, sentence):
    """It may have been a passport's: these have no check character."""
    absent = "这个竞赛计划里没有这样的报名，也可能还没有提交：没提交的草稿只有本人看得到。"
    doubt = f"如果填写的是身份证件号码：{sentence}" if sentence else "请核对后再查找。"
    assert nothing(search(sign_in(manager), occupation.plan, text)) == [absent + doubt]


def test_what_was_typed_stands_there_again_but_for_a_number(sign_in, applicant, occupation, manager):
    registration = submitted(occupation, person=applicant)
    again = []
    for text in ("没有这个人", registration.reference.lower(), registration.document_number, "110105199003071219"):
        content = search(sign_in(manager), occupation.plan, text).content.decode()
        again.append(re.search(r'name="looked_for" value="([^"]*)"', content)[1])
    assert again == ["没有这个人", registration.reference.lower(), "", "110105199003071219"]


def test_a_search_leads_to_no_address_and_writes_nothing(sign_in, applicant, occupation, manager):
    registration, visitor = submitted(occupation, person=applicant), sign_in(manager)
    before = every_row()
    answer = search(visitor, occupation.plan, registration.document_number)
    assert (answer.status_code, "Location" in answer.headers, every_row() == before) == (200, False, True)
    assert visitor.get(queue_of(occupation.plan, "?looked_for=王晓明")).content.decode().count("找到") == 0


def test_there_is_an_end_to_searching(sign_in, occupation, manager):
    cache.clear()
    visitor = sign_in(manager)
    answers = [search(visitor, occupation.plan, "王晓明") for _ in range(limits.SEARCH.times + 1)]
    assert {answer.status_code for answer in answers[:-1]} == {200}
    assert (answers[-1].status_code, "查找报名的次数太多了" in answers[-1].content.decode()) == (429, True)
    assert AuditEntry.objects.get().verb == "limit.reached"
    cache.clear()


def test_fifty_are_shown_and_no_more(sign_in, occupation, manager):
    many(occupation, 60)
    answer = search(sign_in(manager), occupation.plan, "王晓明")
    assert (len(rows(answer)), "只列出最近提交的 50 份" in answer.content.decode()) == (50, True)


# Whose ----------------------------------------------------------------------------------------------------------------


def test_another_plans_queue_is_not_there(sign_in, occupation, elsewhere, manager, viewer):
    for person in (manager, viewer):
        visitor = sign_in(person)
        for answer in (visitor.get(queue_of(elsewhere.plan)), search(visitor, elsewhere.plan, "金丝雀选手")):
            assert (answer.status_code, "金丝雀" in answer.content.decode()) == (404, False)


def test_the_canary_is_on_no_queue(sign_in, occupation, elsewhere, manager):
    expected, visitor = submitted(occupation).reference, sign_in(manager)
    queries = [f"occupation={elsewhere.occupation_id}", f"plan={elsewhere.plan_id}", "division=worker", "status=all"]
    queries += ["applicant__legal_name=x", f"pk={elsewhere.pk}", "legal_name=金丝雀选手", "_facets=True", "all=", "e=1"]
    for query in queries:
        answer = visitor.get(queue_of(occupation.plan, f"?{query}"))
        assert (answer.status_code, rows(answer)) == (200, [expected])
        assert [word for word in ("焊工", elsewhere.reference, "CANARY-A") if word in answer.content.decode()] == []


@pytest.mark.parametrize("role", ["viewer", "reviewer", "manager", "superuser"])
def test_one_plan_is_the_way_straight_to_its_queue(sign_in, plan, role):
    person = scenes.member(plan, "viewer" if role == "superuser" else role)
    if role == "superuser":
        person.is_superuser = person.is_staff = True
        person.save()
    for query in ("", "?q=王晓明", "?o=3&p=1"):
        answer = sign_in(person).get(DESK + query)
        assert (answer.status_code, answer["Location"]) == (302, queue_of(plan, "?status=submitted"))


def test_several_plans_with_their_counts(sign_in, plan, three_states, elsewhere, manager):
    empty = scenes.open_plan()
    CommitteeMember.objects.create(plan=empty, user=manager, role="viewer")
    visitor = sign_in(manager)
    content = visitor.get(DESK).content.decode()
    assert re.findall(r'<a href="([^"]*)">第', content) == [queue_of(empty), queue_of(plan)]
    counts = [text_of(found) for found in re.findall(r'<p class="counts">(.*?)</p>', content)]
    assert counts == ["待审核 0 份 退回修改 0 份，共提交 0 份", "待审核 3 份 退回修改 1 份，共提交 5 份"]
    assert "金丝雀" not in content
    old = f"{DESK}?plan={plan.pk}&status=returned&q=王晓明&occupation={three_states[1].pk}"
    there = queue_of(plan, f"?status=returned&occupation={three_states[1].pk}")
    assert visitor.get(old)["Location"] == there
    assert visitor.get(f"{DESK}?plan={elsewhere.plan_id}").status_code == 200


def test_whoever_is_in_no_committee_is_told_what_to_do(sign_in, applicant):
    applicant.is_staff = True
    applicant.save()
    answer = sign_in(applicant).get(DESK)
    assert nothing(answer) == [
        f"您还没有参加任何竞赛计划的组委会。请把您的账户代号 {applicant.username} 告诉竞赛计划的管理成员，由他添加。"
    ]


# What it costs --------------------------------------------------------------------------------------------------------


@pytest.fixture
def raising(monkeypatch):
    """Whatever the rows forgot to ask for together is refused, instead of being asked for row by row."""
    asked = queue_pages.rows_of
    monkeypatch.setattr(queue_pages, "rows_of", lambda plan: asked(plan).fetch_mode(models.FETCH_RAISE))


@pytest.mark.parametrize("query", ["", "?status=all&division=worker", "?order=newest"])
def test_nothing_three_or_sixty_rows_cost_the_same(sign_in, plan, manager, raising, query):
    scenes.occupation(plan)
    visitor, counts = sign_in(manager), []
    for number in (0, 3, 57):
        if number:
            many(scenes.occupation(plan, capacity=None), number)
        visitor.get(queue_of(plan, query))
        with CaptureQueriesContext(connection) as captured:
            answer = visitor.get(queue_of(plan, query))
        counts.append((len(captured), len(rows(answer))))
    assert counts == [(7, 0), (8, 3), (8, 50)]  # of nothing it is not asked who is looking at it
    asked = [query["sql"] for query in captured]
    assert [
        sql
        for sql in asked
        if "COUNT(" in sql
        or "OFFSET" in sql
        or "document_number" in sql.split("FROM")[0]
        and "registrations_registration" in sql
    ] == []


def test_a_search_costs_the_same_whatever_it_finds(sign_in, occupation, manager, raising):
    visitor, counts = sign_in(manager), []
    for number in (1, 3, 9):
        many(occupation, number)
        with CaptureQueriesContext(connection) as captured:
            search(visitor, occupation.plan, "王晓明")
        counts.append(len([query for query in captured if "shared_cache" not in query["sql"]]))
    assert counts[0] == counts[1] == counts[2]


@pytest.mark.parametrize(
    ("query", "index"),
    [
        ("status=submitted", "queue_of_status"),
        ("status=submitted&order=newest", "queue_of_status"),
        ("status=all", "queue_of_all"),
        ("status=all&order=newest", "queue_of_all"),
        ("status=submitted&occupation={occupation}", "queue_of_occupation"),
        ("status=all&occupation={occupation}", "queue_of_occupation_all"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("place", ["", "after", "before"])
def test_each_order_has_its_index(plan, occupation, query, index, place):
    """No sorting and no walk through the table, in whichever state and direction, at the beginning and further on."""
    many(occupation, 3)
    asked = queue_pages.QueueFilter.read(plan, QueryDict(query.format(occupation=occupation.pk)))
    found = asked.apply(queue_pages.rows_of(plan))
    if place:
        found = asked.beyond(queue_pages.rows_of(plan), queue_pages.Position.of(found[1]), before=place == "before")
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            # With three rows sorting is cheap; what has to be sorted because no index serves still is.
            cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_sort = off")
    how = found[: queue_pages.PER_PAGE + 1].explain()
    # Which one of them PostgreSQL takes where there are so few rows is chance.
    assert (index if connection.vendor == "sqlite" else "queue_of_") in how
    assert [word for word in ("Sort", "TEMP B-TREE", "Seq Scan on registrations") if word in how] == []


@pytest.mark.parametrize("text", ["王晓明", "BJ26-7K4M-Q2AB", "number"])
def test_the_search_has_its_indexes(plan, occupation, text):
    many(occupation, 3)
    typed = Registration.objects.first().document_number if text == "number" else text
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL enable_seqscan = off")
    how = queue_pages.Question.of(typed).find(queue_pages.rows_of(plan)).explain()
    assert ("Seq Scan on registrations_registration" in how, "SCAN registrations_registration" in how) == (False, False)
