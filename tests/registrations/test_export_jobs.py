"""An export in the background: made once and whole, for the one who asked, for a day."""

import csv
import io
import os
from datetime import timedelta

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.management import call_command
from django.utils import timezone

from accounts.models import AuditEntry
from plans.models import Role
from registrations import carried, export_jobs, jobs
from registrations.carried import CarriedFile
from registrations.jobs import Job, State
from registrations.workflow import Status
from tests import scenes


@pytest.fixture
def submitted(applicant, occupation, manager):
    return scenes.registration_at(Status.SUBMITTED, applicant, occupation, manager)


@pytest.fixture
def in_background(monkeypatch):
    """Whatever there is is too much for one answer."""
    what = export_jobs.WHATS["list"]
    few = {name: getattr(what, name) for name in ("title", "unit", "make", "most", "too_many")}
    monkeypatch.setitem(export_jobs.WHATS, "list", export_jobs.What(**few, at_once=0))
    monkeypatch.setattr(jobs.run_job.__class__, "enqueue", lambda self, *args, **kwargs: None)


def ask(visitor, plan, **values):
    """What the form leads to: the job."""
    wanted = {"format": "csv", "place_legal_name": 1, "place_number": 2, **values}
    answer = visitor.post(f"/admin/registrations/registration/export/{plan.code}/", wanted)
    assert answer.status_code == 302, answer.content.decode()
    job = Job.objects.order_by("pk").last()
    assert answer.headers["Location"] == job.get_absolute_url()
    return job


def fetch(visitor, job):
    return visitor.get(f"{job.get_absolute_url()}file/")


def rows(answer):
    return list(csv.reader(io.StringIO(b"".join(answer.streaming_content).decode("utf-8-sig"), newline="")))


def lines(verb):
    return list(AuditEntry.objects.filter(verb=verb).values_list("actor", "detail"))


def files():
    return sorted(found.name for found in default_storage.walk(carried.FOLDER))


def text_of(visitor, job):
    return visitor.get(job.get_absolute_url()).content.decode()


def standing(job):
    job.refresh_from_db()
    return job.state, job.total, job.done


def test_a_long_list_is_made_by_the_worker_and_fetched(sign_in, submitted, reviewer, in_background):
    visitor, plan = sign_in(reviewer), submitted.plan
    job = ask(visitor, plan)
    assert (standing(job), fetch(visitor, job).status_code) == (("waiting", 1, 0), 404)
    jobs.run_job.func(str(job.public_id))
    (kept,) = CarriedFile.objects.all()
    assert (standing(job), files(), plan.code in kept.file.name) == (("done", 1, 1), [kept.file.name], False)
    assert f"下载 {plan.code}-报名名单-" in text_of(visitor, job)
    answer = fetch(visitor, job)
    assert rows(answer) == [["姓名", "证件号码"], ["王晓明", f"\t{submitted.masked_number}"]]
    assert (answer["Cache-Control"], answer["X-Content-Type-Options"]) == (
        "max-age=0, no-cache, no-store, must-revalidate, private",
        "nosniff",
    )
    assert lines("list.exported") == [(reviewer.username, f"{plan.code} csv 1 masked")]
    assert lines("export.fetched") == [(reviewer.username, f"{plan.code} list")]


def test_pressed_twice_it_is_one_job_and_a_changed_form_is_another(sign_in, submitted, reviewer, in_background):
    visitor, key = sign_in(reviewer), "0b9c7f80-1111-4222-8333-444455556666"
    first, second = ask(visitor, submitted.plan, key=key), ask(visitor, submitted.plan, key=key)
    assert (first, Job.objects.count()) == (second, 1)
    assert ask(visitor, submitted.plan, key=key, place_phone=3) != first


def test_the_file_is_for_the_one_who_asked(sign_in, submitted, reviewer, manager, in_background):
    job = ask(sign_in(reviewer), submitted.plan)
    jobs.run_job.func(str(job.public_id))
    visitor = sign_in(manager)
    assert ("文件只有" in text_of(visitor, job), "/file/" in text_of(visitor, job)) == (True, False)
    strangers = [manager, scenes.member(scenes.open_plan(), "manager"), scenes.member(submitted.plan, "reviewer")]
    assert [fetch(sign_in(person), job).status_code for person in strangers] == [404] * 3
    assert lines("export.fetched") == []


def test_the_role_is_asked_again(sign_in, submitted, reviewer, manager, in_background):
    job, full = ask(sign_in(reviewer), submitted.plan), {"full": "on", "reason": "上报市级组委会"}
    complete = ask(sign_in(manager), submitted.plan, **full)
    for each in (job, complete):
        jobs.run_job.func(str(each.public_id))
    submitted.plan.members.filter(user=reviewer).update(role=Role.VIEWER)
    submitted.plan.members.filter(user=manager).update(role=Role.REVIEWER)
    assert [fetch(sign_in(who), each).status_code for who, each in ((reviewer, job), (manager, complete))] == [403, 403]
    submitted.plan.members.filter(user=reviewer).delete()
    scenes.open_plan().members.create(user=reviewer, role=Role.REVIEWER)  # still at the desk
    assert fetch(sign_in(reviewer), job).status_code == 404


def test_who_may_no_longer_gets_a_sentence_and_no_file(sign_in, submitted, reviewer, in_background):
    visitor = sign_in(reviewer)
    job = ask(visitor, submitted.plan)
    submitted.plan.members.filter(user=reviewer).update(role=Role.VIEWER)
    jobs.run_job.func(str(job.public_id))
    assert (standing(job)[0], export_jobs.NO_LONGER in text_of(visitor, job), files()) == ("stopped", True, [])


def test_a_worker_that_falls_leaves_nothing_and_the_next_makes_it_anew(
    sign_in, submitted, reviewer, in_background, monkeypatch
):
    visitor = sign_in(reviewer)
    job = ask(visitor, submitted.plan)

    def fall(*arguments, **named):
        raise SystemExit

    with monkeypatch.context() as patch:
        patch.setattr(CarriedFile.objects, "create", fall)
        with pytest.raises(SystemExit):
            jobs.run_job.func(str(job.public_id))
    assert (standing(job)[0], files(), lines("list.exported")) == ("failed", [], [])
    assert "导出中断了，没有生成文件。请按“从头再做”" in text_of(visitor, job)
    jobs.run_job.func(str(job.public_id))
    assert (standing(job), len(files()), len(lines("list.exported"))) == (("done", 1, 1), 1, 1)


def test_two_workers_at_once_make_one_file(sign_in, submitted, reviewer, in_background):
    """The second one comes to its end when the first has been there."""
    job = ask(sign_in(reviewer), submitted.plan)
    job.move(State.WAITING, to=State.RUNNING)
    kept = carried.keep

    def slow(*arguments, **named):
        assert kept(*arguments, **named) is True
        return kept(*arguments, **named)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(carried, "keep", slow)
        export_jobs.do(job)
    assert (len(files()), len(lines("list.exported"))) == (1, 1)


def test_storage_away(sign_in, submitted, reviewer, in_background, monkeypatch):
    visitor = sign_in(reviewer)
    job = ask(visitor, submitted.plan)

    def away(*arguments, **named):
        raise OSError("away")

    with monkeypatch.context() as patch:
        patch.setattr(default_storage, "save", away)
        with pytest.raises(OSError, match="away"):
            jobs.run_job.func(str(job.public_id))
    assert (standing(job)[0], CarriedFile.objects.count(), lines("list.exported")) == ("failed", 0, [])
    jobs.run_job.func(str(job.public_id))
    with monkeypatch.context() as patch:
        patch.setattr(default_storage, "open", away)
        answer = fetch(visitor, job)
    assert (answer.status_code, answer.content.decode()) == (
        503,
        "文件暂时读不到，请过几分钟再试；如果仍然不行，请联系运营人员。",
    )
    assert lines("export.fetched") == []


def test_after_a_day_it_is_gone(sign_in, submitted, reviewer, in_background, django_capture_on_commit_callbacks):
    visitor = sign_in(reviewer)
    job = ask(visitor, submitted.plan)
    jobs.run_job.func(str(job.public_id))
    CarriedFile.objects.update(created_at=timezone.now() - timedelta(hours=24, seconds=1))
    assert (fetch(visitor, job).status_code, "文件已经过期删除" in text_of(visitor, job), len(files())) == (
        404,
        True,
        1,
    )
    with django_capture_on_commit_callbacks(execute=True):
        assert carried.drop_expired() == 1
    assert (files(), CarriedFile.objects.count(), Job.objects.count()) == ([], 0, 1)


def test_with_its_job_the_file_goes(sign_in, submitted, reviewer, in_background, django_capture_on_commit_callbacks):
    job = ask(sign_in(reviewer), submitted.plan)
    jobs.run_job.func(str(job.public_id))
    with django_capture_on_commit_callbacks(execute=True):
        job.delete()
    assert files() == []


def test_more_than_the_most_is_a_sentence(sign_in, submitted, reviewer, in_background, monkeypatch):
    what = export_jobs.WHATS["list"]
    monkeypatch.setitem(
        export_jobs.WHATS, "list", export_jobs.What(what.title, what.unit, what.make, 0, 0, what.too_many)
    )
    wanted = {"format": "csv", "place_legal_name": 1}
    answer = sign_in(reviewer).post(f"/admin/registrations/registration/export/{submitted.plan.code}/", wanted)
    assert (what.too_many in answer.content.decode(), Job.objects.count()) == (True, 0)


def test_stopped_in_the_middle(sign_in, submitted, reviewer, in_background, monkeypatch):
    visitor = sign_in(reviewer)
    job = ask(visitor, submitted.plan)
    monkeypatch.setattr(export_jobs, "TICK", 1)
    count = export_jobs.count
    monkeypatch.setattr(export_jobs, "count", lambda found: (count(found), found.stop()))
    jobs.run_job.func(str(job.public_id))
    assert (standing(job)[0], files(), lines("list.exported")) == ("stopped", [], [])
    assert "已停止，没有生成文件。" in text_of(visitor, job)


def test_the_purge_finds_what_is_over_and_what_nobody_names(
    sign_in, submitted, reviewer, in_background, django_capture_on_commit_callbacks
):
    job = ask(sign_in(reviewer), submitted.plan)
    jobs.run_job.func(str(job.public_id))
    stray = default_storage.save(f"{carried.FOLDER}/2026/stray", ContentFile(b"left behind"))
    call_command("purge_expired")
    assert len(files()) == 2  # neither is a day old
    CarriedFile.objects.update(created_at=timezone.now() - timedelta(hours=25))
    os.utime(default_storage.path(stray), (0, 0))
    with django_capture_on_commit_callbacks(execute=True):
        call_command("purge_expired")
    assert (files(), CarriedFile.objects.count(), Job.objects.count()) == ([], 0, 1)
