"""What the registrations hold about a person, and what becomes of them when the account is closed."""

from collections.abc import Iterator
from typing import Any

from django.db.models import QuerySet
from django.urls import reverse
from django.utils import timezone

from accounts.erasure import ErasureRefused, remove_lines
from accounts.models import User
from accounts.personal_data import Entry, Fact, Holding, days, facts_of, in_words
from plans.models import Plan
from profiles.models import PersonalDetails
from registrations.extensions import Extension
from registrations.jobs import Job
from registrations.models import Registration
from registrations.moves import MoveProposal
from registrations.removal import remove
from registrations.snapshots import Snapshot
from registrations.trail import ReviewEvent
from registrations.workflow import TABLE, Action, Actor, Status, StepRefused

ENTERED = {Status.SUBMITTED, Status.RETURNED, Status.APPROVED}
APPLICANTS = [action for action, line in TABLE.items() if line.actor == Actor.APPLICANT]


def tell(user: User) -> Iterator[Entry]:
    found = (
        Registration.objects.owned_by(user).for_pages().prefetch_related("events", "snapshots", "proposals__occupation")
    )
    for registration in found:
        hidden = registration.plan.is_holding
        events = sorted(
            (event for event in registration.events.all() if not (hidden and event.held)), key=lambda event: event.pk
        )
        yield Entry(
            [
                Fact(
                    "报名编号",
                    registration.reference,
                    link=reverse("registrations:detail", args=[registration.reference]),
                ),
                *facts_of(registration, ["plan", "occupation"]),
                Fact("状态", registration.shown_status.label),
                *facts_of(registration, ["created_at", "submitted_at"]),
                *facts_of(registration, ["legal_name", "document_type"]),
                Fact("证件号码", registration.masked_number, registration.document_number),
                *facts_of(registration, PersonalDetails.detail_names()),
                Fact("审核记录", "；".join(map(in_short, events)) or "没有", [line_of(event) for event in events]),
                *facts_of_returns(registration),
                *facts_of_proposals(registration),
            ],
            str(registration.plan),
        )


def facts_of_returns(registration: Registration) -> list[Fact]:
    """What stood in it at each return; the changes since are what the committee compares."""
    kept = [snapshot.told() for snapshot in registration.snapshots.all()]
    return [Fact("退回时的内容", f"留存 {len(kept)} 份，供组委会对照", kept)] if kept else []


def facts_of_proposals(registration: Registration) -> list[Fact]:
    """Other occupations that were proposed, and the answers."""
    made = [
        {"建议": str(each), "原因": each.reason, "时间": in_words(each.at)} for each in registration.proposals.all()
    ]
    return [Fact("调整职业（工种）的建议", "；".join(each["建议"] for each in made), made)] if made else []


def in_short(event: ReviewEvent) -> str:
    return f"{timezone.localtime(event.at):%Y-%m-%d %H:%M} {who(event)}{event.get_action_display()}"


def line_of(event: ReviewEvent) -> dict[str, Any]:
    items = [f"{item.get('label', '')}：{item['sentence']}" for item in event.items]
    said = {"意见": event.note, "需修改的内容": items}
    line = {"时间": in_words(event.at), "由谁": who(event), "操作": event.get_action_display()}
    return line | {name: value for name, value in said.items() if value}


def who(event: ReviewEvent) -> str:
    return "您" if event.by_applicant else "组委会"


# Closing the account -------------------------------------------------------------------------------------------


def entered(user: User) -> list[Registration]:
    """What a committee counts on: submitted, sent back or approved; what is decided in silence counts as submitted."""
    return [found for found in Registration.objects.owned_by(user).for_pages() if found.shown_status in ENTERED]


def is_over(plan: Plan) -> bool:
    """The competition has taken place; where its days are not known, nothing can be corrected any more."""
    last = plan.competition_ends_on or plan.competition_starts_on
    if last:
        return timezone.localdate() > last
    return timezone.now() >= plan.corrections_end_at


def refuses(user: User) -> list[str]:
    """Who can no longer withdraw takes part: the committee has planned with the place until the competition is over."""
    return [
        f"您在“{registration.plan}”的报名（{registration.reference}）是“{registration.shown_status.label}”，报名已经截止，"
        "竞赛结束后才能注销。不参加了的，请先联系组委会。"
        for registration in entered(user)
        if Action.WITHDRAW not in registration.actions_for(user) and not is_over(registration.plan)
    ]


def warns(user: User) -> list[str]:
    return [
        f"您在“{registration.plan}”的报名（{registration.reference}，{registration.shown_status.label}）会同时撤回，名额让给别人。"
        for registration in entered(user)
        if Action.WITHDRAW in registration.actions_for(user)
    ]


def count(user: User) -> dict[str, int]:
    return {
        "报名": Registration.objects.owned_by(user).count(),
        "审核记录": trail_of(user).count(),
        "退回时的内容": Snapshot.objects.filter(registration__applicant=user).count(),
        "调整职业（工种）的建议": MoveProposal.objects.filter(registration__applicant=user).count(),
    }


def trail_of(user: User) -> QuerySet[ReviewEvent]:
    """Every line about a registration of this person's, also about a draft that is deleted: all began with a step of theirs."""
    theirs = ReviewEvent.objects.filter(by=user, action__in=APPLICANTS).values("registration_id")
    return ReviewEvent.objects.filter(registration_id__in=theirs)


def erase(user: User) -> None:
    """Withdraw what can be withdrawn, as the person would; then remove it all.

    The rows are held first: one that another window submits meanwhile has a seat, which goes back, or is no longer theirs
    to withdraw, which is refused.
    """
    list(Registration.objects.owned_by(user).select_for_update(of=("self",)).order_by("pk").values_list("pk"))
    if reasons := refuses(user):
        raise ErasureRefused(reasons)
    for registration in entered(user):
        if Action.WITHDRAW in registration.actions_for(user):
            try:
                registration.take(Action.WITHDRAW, by=user)
            except StepRefused as refusal:  # the deadline has just passed, or the committee was faster
                again = "" if registration.is_held else "请再试一次。"
                raise ErasureRefused([f"没有注销。{again}{refusal}"]) from refusal
    remove_lines(trail_of(user))
    remove(Registration.objects.owned_by(user))


HOLDING = Holding(
    place=60,
    title="报名",
    why="参加竞赛：组委会凭它审核资格、安排竞赛。提交时的内容单独留一份，以后修改个人基本信息不会改动它。",
    how_long=lambda: (
        f"没有再动过的草稿 {days('drafts')} 天；其余的到竞赛结束后 {days('closed_plans')} 天，连同证件号码和证件照一起删除。"
    ),
    covers=[
        *("registrations.Registration", "registrations.ReviewEvent", "registrations.Snapshot", "registrations.Claim"),
        "registrations.MoveProposal",
    ],
    tell=tell,
    count=count,
    erase=erase,
    stays={
        "registrations.ReviewEvent": "以组委会成员身份审核别人的记录，属于那些人的报名；只剩账户代号。",
        "registrations.MoveProposal": "以组委会成员身份给别人的建议，属于那些人的报名；只剩账户代号。",
    },
    refuses=refuses,
    warns=warns,
)


# More time than the others have ---------------------------------------------------------------------------------


def tell_extensions(user: User) -> Iterator[Entry]:
    for given in Extension.objects.filter(person=user).select_related("plan"):
        yield Entry(facts_of(given, ["plan", "until", "reason", "at"]), str(given.plan))


def count_extensions(user: User) -> dict[str, int]:
    return {"个人延期": Extension.objects.filter(person=user).count()}


def erase_extensions(user: User) -> None:
    Extension.objects.filter(person=user).delete()


EXTENSIONS = Holding(
    place=62,
    title="个人延期",
    why="组委会为您一个人延长的截止时间和原因：在此之前您可以报名、修改和提交。",
    how_long=lambda: f"到竞赛结束后 {days('closed_plans')} 天。",
    covers=["registrations.Extension"],
    tell=tell_extensions,
    count=count_extensions,
    erase=erase_extensions,
    stays={"registrations.Extension": "以组委会成员身份为别人延长的记录，属于那些人；只剩账户代号。"},
)


# What a committee member has had done --------------------------------------------------------------------------


def tell_jobs(user: User) -> Iterator[Entry]:
    for job in Job.objects.filter(owner=user).select_related("plan"):
        facts = facts_of(job, ["plan", "created_at", "state", "total", "done", "refused"])
        note = job.arguments.get("note")
        yield Entry([*facts, *([Fact("意见", note)] if note else [])], job.title)


def count_jobs(user: User) -> dict[str, int]:
    return {"批量处理": Job.objects.filter(owner=user).count()}


def erase_jobs(user: User) -> None:
    """What still waits in them is not done: nobody would be doing it."""
    Job.objects.filter(owner=user).delete()


JOBS = Holding(
    place=65,
    title="批量处理和导出",
    why="您作为组委会成员一次处理多份报名、或在后台导出名单时的进度和结果，供您核对。",
    how_long=lambda: f"{days('jobs')} 天；导出的文件 24 小时。",
    covers=["registrations.Job", "registrations.CarriedFile"],
    tell=tell_jobs,
    count=count_jobs,
    erase=erase_jobs,
)
