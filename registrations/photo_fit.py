"""How many of a plan's portraits no longer fit, once it asks for other ones."""

from django.db.models import Count

from photos.spec import PhotoSpec
from plans.models import Plan
from registrations.models import Registration
from registrations.workflow import EDITABLE, Status

OUT_OF_PLAY = [Status.REJECTED, Status.WITHDRAWN]


def misfits(plan: Plan) -> tuple[int, int]:
    """Of registrations that can still be edited, and of those that were submitted or approved. One query, whatever their number."""
    held = Registration.objects.filter(plan=plan).exclude(portrait=None).exclude(status__in=OUT_OF_PLAY)
    counted = held.order_by().values_list("status", "portrait__spec").annotate(number=Count("pk"))
    found = [0, 0]
    for status, spec, number in counted:
        if not plan.photo_spec.same_picture(PhotoSpec.from_dict(spec)):
            found[0 if status in EDITABLE else 1] += number
    return found[0], found[1]


def tell(sender: object, plan: Plan, **kwargs: object) -> str:
    """For whoever has just changed the requirements."""
    editable, submitted = misfits(plan)
    parts = [
        f"{editable} 份还能修改的报名" if editable else "",
        f"{submitted} 份已提交的报名" if submitted else "",
    ]
    if not any(parts):
        return ""
    return (
        f"照片要求改过以后，{'、'.join(filter(None, parts))}里的证件照不再符合。"
        "这些照片不会自动改变：需要换的，请在审核时退回修改。"
    )
