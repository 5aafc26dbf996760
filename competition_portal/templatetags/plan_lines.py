"""What the pages of plans say to everybody: each line rendered once for all that it says, and kept in the process.

What a line says is its whole key, word for word: nothing in it can be old, and nothing in it is anybody's. What is a
person's own, the button beside the line, is never part of it.
"""

from datetime import datetime
from functools import lru_cache

from django import template
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.safestring import SafeString

from competition_portal.templatetags.portal import how_long, is_near
from plans.models import Occupation, Plan, PlanState

register = template.Library()

KEPT = 2048  # about half a kilobyte each


@register.simple_tag
def plan_line(plan: Plan) -> SafeString:
    """In the list of plans: its name, where it stands, and until when."""
    opens, closes = plan.registration_opens_at, plan.registration_closes_at
    state = plan.state_at(timezone.now())
    left = how_long(closes if state == PlanState.OPEN else opens) if state != PlanState.CLOSED else ""
    return kept_plan(
        plan.code, plan.title, plan.level_label, plan.organiser, opens, closes, state, left, is_near(closes)
    )


@lru_cache(KEPT)
def kept_plan(
    code: str,
    title: str,
    level: str,
    organiser: str,
    opens: datetime,
    closes: datetime,
    state: PlanState,
    left: str,
    is_near: bool,
) -> SafeString:
    plan = Plan(code=code, title=title, organiser=organiser)
    moments = {"opens": opens, "closes": closes, "left": left, "is_near": is_near}
    return render_to_string("plans/_line.html", {"plan": plan, "level": level, "state": state, **moments})


@register.simple_tag
def occupation_line(occupation: Occupation) -> SafeString:
    """On the page of a plan: what it is, what it asks, and how many seats are left."""
    values = (getattr(occupation, name) for name in OCCUPATION)
    return kept_occupation(*values)


OCCUPATION = ("pk", "name", "division", "skill_level", "code", "requirements", "capacity", "seats_taken")


@lru_cache(KEPT)
def kept_occupation(*values: str | int | None) -> SafeString:
    return render_to_string(
        "plans/_occupation.html", {"occupation": Occupation(**dict(zip(OCCUPATION, values, strict=True)))}
    )
