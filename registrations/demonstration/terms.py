"""What the demonstration's committee has arranged with single people: more time for one, another occupation for one."""

from datetime import timedelta

from plans.models import Occupation, Plan, Role
from registrations import extensions, moves
from registrations.models import Registration

PLAN = "JNJS-ZBZZ"
MORE_TIME = timedelta(days=7)
ILL = "住院期间不能补交材料，凭医院证明延长。"
TOO_FEW = "这个职业（工种）报名人数较多，您的经历也符合另一个职业（工种）的条件。"


def arrange(plans: dict[str, Plan]) -> None:
    """李芳 has a week more to correct what was sent back; 陈静 is asked whether she takes part in another occupation."""
    plan = plans[PLAN]
    by = plan.members.select_related("user").filter(role=Role.MANAGER).first()
    returned, submitted = (found(plan, name) for name in ("李芳", "陈静"))
    if by and returned:
        until = plan.corrections_end_at + MORE_TIME
        extensions.grant(plan, returned.applicant, until, reason=ILL, by=by.user)
    if by and submitted:
        moves.propose(submitted, other(submitted), reason=TOO_FEW, by=by.user)


def found(plan: Plan, name: str) -> Registration | None:
    return Registration.objects.for_pages().filter(plan=plan, legal_name=name).first()


def other(registration: Registration) -> Occupation:
    """The next that has a seat, of the same division."""
    now = registration.occupation
    same = registration.plan.occupations.filter(division=now.division if now else "").exclude(
        pk=registration.occupation_id or 0
    )
    return next(occupation for occupation in same if not occupation.is_full)
