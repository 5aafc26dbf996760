"""The pages of the queue: a committee's plans with their counts, one plan's registrations, and the search in them."""

from dataclasses import dataclass
from typing import Any

from django.db.models import OuterRef, Q, Subquery, Sum
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from accounts import limits
from accounts.models import User
from accounts.requests import signed_in
from accounts.written import QuestionBy
from plans.models import CommitteeMember, Plan, PlanQuerySet, Role
from registrations import search, workflow
from registrations.facets import Facets
from registrations.models import Registration
from registrations.position import Position
from registrations.queue import QueueFilter
from registrations.queue_rows import lines, rows_of
from registrations.search import Question
from registrations.workflow import Action, Actor, Status

PER_PAGE = 50
DECIDERS = {Role.REVIEWER, Role.MANAGER}
QUEUE = "admin:registrations_registration_queue"


# One plan ---------------------------------------------------------------------------------------------------------------


@require_http_methods(["GET", "HEAD", "POST"])
def queue(request: HttpRequest, code: str, context: dict[str, Any]) -> HttpResponse:
    """GET lists what the filter in the address lets through; POST shows what a search finds, and never leads on to an
    address: whoever is searched for stands in none."""
    user = signed_in(request)
    plan = IN_QUEUE.answer(user, code)
    if plan is None:
        raise Http404
    asked = QueueFilter.read(plan, request.GET)
    context |= {
        "title": "审核队列",
        "subtitle": plan.title,
        "plan": plan,
        "asked": asked,
        "query": asked.query_string(),
        "mixed": asked.status is None,
        "facets": Facets(asked, list(plan.occupations.all())),
        "may_decide": user.is_superuser or getattr(plan, "role", None) in DECIDERS,
        "may_publish": user.is_superuser or getattr(plan, "role", None) == Role.MANAGER,
        "actions": bulk_actions(asked.status),
    }
    context |= found(request, user, plan) if request.method == "POST" else page(asked, request.GET)
    context["lines"] = lines(context["rows"], plan, user)
    return TemplateResponse(request, "admin/registrations/registration/queue.html", context)


def page(asked: QueueFilter, address: QueryDict) -> dict[str, Any]:
    """Fifty rows, and the addresses of the page after and the one before."""
    shown = Page.read(asked, address)
    return {"rows": shown.rows, "before": shown.before, "after": shown.after, "is_first": not shown.before}


def found(request: HttpRequest, user: User, plan: Plan) -> dict[str, Any]:
    """What a search says: its rows or its sentence, and what was typed unless it is somebody's document number."""
    limits.SEARCH.claim(user)
    typed = request.POST.get("looked_for", "")
    question = Question.of(typed)
    rows = [] if question.problem else list(question.find(rows_of(plan)))
    shown_again = "" if rows and question.is_a_number else typed[: search.LONGEST]
    return {"rows": rows, "question": question, "looked_for": shown_again, "most": search.MOST}


def bulk_actions(status: Status | None) -> list[Action]:
    """What can be done to several at once in this state; of all states, whatever can be done to any."""
    states = [status] if status else list(Status)
    offered = {action for state in states for action in workflow.possible(state, {Actor.COMMITTEE})}
    return [action for action in (Action.APPROVE, Action.RETURN, Action.REJECT) if action in offered]


@dataclass(frozen=True)
class Page:
    """A page of the queue: from a place on, not from a number on, so that every page costs the same."""

    rows: list[Any]
    before: str = ""
    after: str = ""

    @classmethod
    def read(cls, asked: QueueFilter, address: QueryDict) -> "Page":
        before, after = (Position.read(address.get(name, "")) for name in ("before", "after"))
        registrations = rows_of(asked.plan)
        if before:
            nearest = list(asked.beyond(registrations, before, before=True)[: PER_PAGE + 1])
            if len(nearest) > PER_PAGE:
                return cls.of(asked, nearest[PER_PAGE - 1 :: -1], has_before=True, has_after=True)
            after = None  # that is the beginning: a whole page of it
        if after:
            following = list(asked.beyond(registrations, after)[: PER_PAGE + 1])
            return cls.of(asked, following[:PER_PAGE], has_before=True, has_after=len(following) > PER_PAGE)
        first = list(asked.apply(registrations)[: PER_PAGE + 1])
        return cls.of(asked, first[:PER_PAGE], has_before=False, has_after=len(first) > PER_PAGE)

    @classmethod
    def of(cls, asked: QueueFilter, rows: list[Registration], *, has_before: bool, has_after: bool) -> "Page":
        """Behind the last page there may be nothing: what was there was decided meanwhile. It leads to the beginning."""
        query = asked.query_string()
        before = f"{query}&before={Position.of(rows[0])}" if has_before and rows else query if has_before else ""
        return cls(rows, before, f"{query}&after={Position.of(rows[-1])}" if has_after else "")


# A person's plans -------------------------------------------------------------------------------------------------------


def plans_of(user: User) -> PlanQuerySet:
    """With the person's role in each."""
    mine = CommitteeMember.objects.filter(user=user, plan=OuterRef("pk")).values("role")
    return Plan.objects.reviewable_by(user).annotate(role=Subquery(mine))


def in_queue(user: User, code: str) -> PlanQuerySet:
    return plans_of(user).filter(code=code).prefetch_related("occupations")


IN_QUEUE = QuestionBy(in_queue, "-")


@require_safe
def choose(request: HttpRequest, context: dict[str, Any]) -> HttpResponse:
    """Whoever has one plan goes straight to its queue; so does an address that names one, with its filter."""
    plans = list(with_counts(plans_of(signed_in(request))))
    named = [plan for plan in plans if str(plan.pk) == request.GET.get("plan")]
    if len(only := named or plans) == 1:
        asked = QueueFilter.read(only[0], request.GET)
        return redirect(f"{reverse(QUEUE, args=[only[0].code])}?{asked.query_string()}")
    context |= {"title": "报名", "plans": plans}
    return TemplateResponse(request, "admin/registrations/registration/queues.html", context)


def with_counts(plans: PlanQuerySet) -> PlanQuerySet:
    """How many wait, were sent back and are there in all, from the kept counts."""
    waiting, returned = (Q(tallies__status=status) for status in (Status.SUBMITTED, Status.RETURNED))
    return plans.annotate(
        waiting=Sum("tallies__count", filter=waiting, default=0),
        returned=Sum("tallies__count", filter=returned, default=0),
        submitted=Sum("tallies__count", default=0),
    ).order_by("-registration_closes_at", "pk")
