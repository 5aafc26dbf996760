"""What the database knows of the portal's state, as metrics: every replica tells the same. Nothing here counts registrations."""

from datetime import datetime, timedelta

from django.db.models import Count, F, Min, QuerySet, Sum
from django.tasks import TaskResultStatus
from django.utils import timezone
from django_tasks_db.models import DBTaskResult
from prometheus_client.metrics_core import GaugeMetricFamily, Metric

from competition_portal import dependencies
from plans.models import Occupation, Plan
from registrations.messages import Channel, Delivery, DeliveryState
from registrations.tally import Tally
from registrations.workflow import Status

# Of plans that are long over nobody needs a series; of plans and occupations together no more than this many have one.
OVER_SINCE = timedelta(days=60)
MOST_PLANS, MOST_OCCUPATIONS = 100, 2000
TASK_STATES = {
    TaskResultStatus.READY.value: "waiting",
    TaskResultStatus.RUNNING.value: "running",
    TaskResultStatus.FAILED.value: "failed",
}
UNDELIVERED = [DeliveryState.WAITING, DeliveryState.SENDING, DeliveryState.GIVEN_UP]


def ask() -> list[Metric]:
    """Everything, with about ten queries. Raises what a database that is away raises."""
    now = timezone.now()
    plans = dict(told_plans(now).values_list("pk", "code"))
    return [workers(), *tasks(now), *deliveries(now), registrations(plans), *seats(plans)]


def told_plans(now: datetime) -> QuerySet[Plan]:
    recent = Plan.objects.published(now).filter(registration_closes_at__gt=now - OVER_SINCE)
    return recent.order_by("-registration_closes_at")[:MOST_PLANS]


def workers() -> Metric:
    return GaugeMetricFamily("portal_workers", "Workers that have been heard of lately", dependencies.living_workers())


def age(now: datetime, since: datetime | None) -> float:
    """Seconds; 0 where there is nothing. The two moments may come from clocks that differ a little."""
    return max(0.0, (now - since).total_seconds()) if since else 0.0


def tasks(now: datetime) -> list[Metric]:
    states = GaugeMetricFamily("portal_tasks", "Tasks in the database that are not done, by state", labels=["state"])
    oldest = GaugeMetricFamily("portal_task_oldest_seconds", "Age of the task that has waited longest")
    rows = DBTaskResult.objects.exclude(status=TaskResultStatus.SUCCESSFUL).order_by()
    found = dict(rows.values_list("status").annotate(number=Count("pk")))
    for status, state in TASK_STATES.items():
        states.add_metric([state], found.get(status, 0))
    waiting = DBTaskResult.objects.ready().order_by().aggregate(first=Min("enqueued_at"))["first"]
    oldest.add_metric([], age(now, waiting))
    return [states, oldest]


def deliveries(now: datetime) -> list[Metric]:
    states = GaugeMetricFamily(
        "portal_deliveries", "Messages that have not gone out, by channel and state", labels=["channel", "state"]
    )
    oldest = GaugeMetricFamily(
        "portal_delivery_oldest_seconds", "Age of the message that has waited longest, by channel", labels=["channel"]
    )
    mine = Delivery.objects.filter(channel__in=Channel.values).order_by()
    counts = mine.filter(state__in=UNDELIVERED).values_list("channel", "state").annotate(number=Count("pk"))
    found = {(channel, state): number for channel, state, number in counts}
    waiting = mine.filter(state=DeliveryState.WAITING).values_list("channel")
    first = dict(waiting.annotate(first=Min("message__created_at")))
    for channel in Channel.values:
        for state in UNDELIVERED:
            states.add_metric([channel, state.value], found.get((channel, state.value), 0))
        oldest.add_metric([channel], age(now, first.get(channel)))
    return [states, oldest]


def registrations(plans: dict[int, str]) -> Metric:
    """From the counts that are kept beside them (registrations/tally.py). Drafts are not counted anywhere."""
    family = GaugeMetricFamily(
        "portal_registrations", "Registrations of recent plans, by plan and status", labels=["plan", "status"]
    )
    rows = Tally.objects.filter(plan__in=plans).values_list("plan", "status").annotate(number=Sum("count"))
    found = {(plan, status): number for plan, status, number in rows}
    for plan, code in plans.items():
        for status in Status:
            if status is not Status.DRAFT:
                family.add_metric([code, status.value], found.get((plan, status.value), 0))
    return family


def seats(plans: dict[int, str]) -> list[Metric]:
    """An occupation goes by its name and division, which is one in its plan. One without a limit has no capacity."""
    labels = ["plan", "occupation", "division"]
    taken = GaugeMetricFamily("portal_seats_taken", "Seats taken, by occupation of recent plans", labels=labels)
    capacity = GaugeMetricFamily(
        "portal_seats_capacity", "Seats there are, by occupation of recent plans", labels=labels
    )
    rows = Occupation.objects.filter(plan__in=plans).order_by(F("plan").desc(), "pk")[:MOST_OCCUPATIONS]
    for occupation in rows:
        values = [plans[occupation.plan_id], occupation.name, occupation.division]
        taken.add_metric(values, occupation.seats_taken)
        if occupation.capacity is not None:
            capacity.add_metric(values, occupation.capacity)
    return [taken, capacity]
