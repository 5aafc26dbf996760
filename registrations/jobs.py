"""Work that is too much for one answer: a job with its progress, and what became of each registration in it.

What a kind of job does is registered here by the kind's own module (AppConfig.ready sees to it). It may be called again
at any time, also while another worker is still at it: what is done stays done, and is done once.
"""

import logging
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import models, transaction
from django.db.models import F, Q
from django.db.models.functions import Greatest
from django.tasks import task
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from plans.models import Plan, Role

logger = logging.getLogger(__name__)

SENTENCE_LENGTH = 300
PATIENCE = timedelta(minutes=1)  # without a sign of life, after which the page says so


class State(models.TextChoices):
    ASKED = "asked", "待确认"
    WAITING = "waiting", "等待后台处理"
    RUNNING = "running", "处理中"
    DONE = "done", "已完成"
    STOPPED = "stopped", "已停止"
    FAILED = "failed", "中断"


ALIVE = frozenset({State.WAITING, State.RUNNING})
TO_GO_ON = frozenset({State.WAITING, State.RUNNING, State.FAILED})


class Outcome(models.TextChoices):
    WAITING = "waiting", "未处理"
    DONE = "done", "已办"
    REFUSED = "refused", "没有办"
    UNFIT = "unfit", "不在其中"  # could not be done when the question was asked, and was left out


class Stopped(Exception):
    """Somebody has ended the job: what was about to be done is not."""


class JobQuerySet(models.QuerySet["Job"]):
    def visible_to(self, user: User) -> "JobQuerySet":
        """One's own, and those of the plans that one manages; a question is only for whom it was put to."""
        if user.is_superuser:
            return self.filter(~Q(state=State.ASKED) | Q(owner=user))
        managed = Plan.objects.filter(members__user=user, members__role=Role.MANAGER)
        own = Q(owner=user, plan__in=Plan.objects.reviewable_by(user))
        return self.filter(own | ~Q(state=State.ASKED) & Q(plan__in=managed.values("pk")))


class Job(models.Model):
    """One piece of work in one plan, for the one who asked for it. `public_id` stands in addresses."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="jobs", verbose_name="由谁")
    plan = models.ForeignKey(Plan, models.CASCADE, related_name="jobs", verbose_name="竞赛计划")
    kind = models.CharField("种类", max_length=20)
    arguments = models.JSONField("内容", default=dict)
    key = models.CharField(max_length=64, default=uuid.uuid4)
    state = models.CharField("状态", max_length=10, choices=State, default=State.WAITING)
    total = models.PositiveIntegerField("共", default=0)
    done = models.PositiveIntegerField("已办", default=0)
    refused = models.PositiveIntegerField("没有办", default=0)
    created_at = models.DateTimeField("提出时间", default=timezone.now)
    queued_at = models.DateTimeField("交给后台的时间", null=True)
    started_at = models.DateTimeField("开始时间", null=True)
    heartbeat_at = models.DateTimeField("最近进展", null=True)
    ended_at = models.DateTimeField("结束时间", null=True)

    objects = JobQuerySet.as_manager()

    class Meta:
        verbose_name = "后台任务"
        verbose_name_plural = "后台任务"
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(fields=["owner", "key"], name="one_job_per_key"),
            models.CheckConstraint(condition=Q(state__in=State.values), name="job_state_is_known"),
            models.CheckConstraint(condition=Q(done__lte=F("total") - F("refused")), name="job_counts_within_total"),
        ]
        indexes = [models.Index(fields=["owner", "-id"], name="jobs_of_owner")]

    def __str__(self) -> str:
        return str(self.public_id)

    def get_absolute_url(self) -> str:
        return reverse("admin:registrations_registration_job", args=[self.public_id])

    @classmethod
    def once(cls, owner: User, key: str, **values: Any) -> tuple["Job", bool]:
        """The owner's job with this key, and whether it is new: pressed twice, it is one job."""
        return cls.objects.get_or_create(owner=owner, key=key, defaults=values)

    # Its life -----------------------------------------------------------------------------------------------------

    def move(self, *sources: State, to: State, **values: Any) -> bool:
        """Write the state if it still is one of these; False where somebody was faster."""
        moved = Job.objects.filter(pk=self.pk, state__in=sources).update(state=to, **values)
        self.refresh_from_db()
        return bool(moved)

    @transaction.atomic
    def hand_over(self, *sources: State, **values: Any) -> bool:
        """Give it to the worker, together with the change that asks for it; False where that has been done already."""
        handed = self.move(*sources, to=State.WAITING, queued_at=timezone.now(), **values)
        if handed:
            run_job.enqueue(str(self.public_id))
        return handed

    def stop(self) -> bool:
        return self.move(*TO_GO_ON, to=State.STOPPED, ended_at=timezone.now())

    def count(self, *, done: int = 0, refused: int = 0) -> None:
        """Say how far it has come, within the transaction that has done it. Raises Stopped where nothing more shall be."""
        counted = Job.objects.filter(pk=self.pk, state=State.RUNNING).update(
            done=F("done") + done, refused=F("refused") + refused, heartbeat_at=timezone.now()
        )
        if not counted:
            raise Stopped

    def reach(self, done: int, refused: int = 0) -> None:
        """Say how far it has come, where a job that is taken up again begins anew. Raises Stopped as `count` does."""
        running = Job.objects.filter(pk=self.pk, state=State.RUNNING)
        if not running.update(
            total=Greatest(F("total"), done + refused), done=done, refused=refused, heartbeat_at=timezone.now()
        ):
            raise Stopped

    # How it stands ------------------------------------------------------------------------------------------------

    @property
    def is_alive(self) -> bool:
        return self.state in ALIVE

    @property
    def title(self) -> str:
        return KINDS[self.kind].title(self)

    @property
    def percent(self) -> int:
        """All of it at the end, also where something was removed before its turn came."""
        return 100 if self.state == State.DONE else 100 * (self.done + self.refused) // max(self.total, 1)

    @property
    def left(self) -> int:
        return self.total - self.done - self.refused

    @property
    def silent(self) -> bool:
        """No sign of life for so long that the page should say so."""
        last = self.heartbeat_at if self.state == State.RUNNING else self.queued_at
        return self.is_alive and timezone.now() - (last or self.created_at) > PATIENCE

    @property
    def may_go_on(self) -> bool:
        """Whether it can be given to the worker once more: it broke off, or nobody seems to be at it."""
        return self.state == State.FAILED or self.silent


class JobRow(models.Model):
    """One registration of a job: what was seen of it when the question was asked, and what became of it."""

    job = models.ForeignKey(Job, models.CASCADE, related_name="rows")
    registration = models.ForeignKey("registrations.Registration", models.CASCADE, related_name="+")
    version = models.PositiveIntegerField()
    portrait = models.CharField(max_length=64, blank=True)  # SHA-256, as decisions.Seen has it
    outcome = models.CharField(max_length=10, choices=Outcome, default=Outcome.WAITING)
    sentence = models.CharField(max_length=SENTENCE_LENGTH, blank=True)

    class Meta:
        ordering = ["pk"]
        constraints = [models.UniqueConstraint(fields=["job", "registration"], name="one_row_per_job")]
        indexes = [models.Index(fields=["job", "outcome", "id"], name="rows_of_job")]

    def __str__(self) -> str:
        return f"{self.job_id}:{self.registration_id}"


# Doing it -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Kind:
    """What a kind of job is called on its page, and what it does: calling `job.count` as it goes, letting Stopped pass."""

    title: Callable[[Job], str]
    do: Callable[[Job], None]


KINDS: dict[str, Kind] = {}


@task
def run_job(public_id: str) -> None:
    """What the worker calls. A job that is over, or gone, is not begun again."""
    job = Job.objects.select_related("owner", "plan").filter(public_id=public_id).first()
    if job is not None:
        run(job)


def run(job: Job) -> None:
    """Do the job from where it stands to its end; if something breaks, say so and let the caller know."""
    now = timezone.now()
    if not job.move(*TO_GO_ON, to=State.RUNNING, heartbeat_at=now, started_at=job.started_at or now):
        return
    try:
        KINDS[job.kind].do(job)
    except Stopped:
        logger.info("job %s was stopped", job.public_id)
    except BaseException:
        job.move(State.RUNNING, to=State.FAILED)
        raise
    else:
        job.move(State.RUNNING, to=State.DONE, ended_at=timezone.now())


def run_now(job: Job) -> None:
    """Before the answer, where there are few; what breaks is seen on the job's page, from where it can go on."""
    try:
        run(job)
    except Exception:
        logger.exception("job %s broke", job.public_id)
