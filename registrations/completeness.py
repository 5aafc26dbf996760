"""What a registration needs before it can be submitted, beyond what everybody must fill in."""

from typing import TYPE_CHECKING

from plans.models import Division
from profiles.models import Missing

if TYPE_CHECKING:
    from registrations.models import Registration

# Whom a division asks for what (field, sentence).
BY_DIVISION = {
    Division.WORKER: [("employer", "请填写工作单位"), ("employer_type", "请选择单位性质")],
    Division.TEACHER: [("employer", "请填写工作单位"), ("employer_type", "请选择单位性质")],
    Division.STUDENT: [("school", "请填写就读院校")],
}


def missing(registration: "Registration", details: list[Missing]) -> list[Missing]:
    """`details` (what everybody must fill in), then what the division asks, the occupation and the portrait."""
    found = list(details)
    if registration.occupation:
        asked = BY_DIVISION[Division(registration.occupation.division)]
        found += [Missing(name, sentence) for name, sentence in asked if not getattr(registration, name)]
    else:
        found.append(Missing("occupation", "请选择参赛的职业（工种）"))
    if registration.portrait is None:
        found.append(Missing("portrait", "请上传证件照"))
    return found
