"""What a registration needs before it can be submitted, beyond what everybody must fill in."""

from typing import TYPE_CHECKING

from photos import subjects
from photos.spec import Background, PhotoSpec
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
CROP = "crop"  # in place of a field: what there is can be cropped again, so the link leads there


def missing(registration: "Registration", details: list[Missing]) -> list[Missing]:
    """`details` (what everybody must fill in), then what the division asks, the occupation and the portrait."""
    found = list(details)
    if registration.occupation:
        asked = BY_DIVISION[Division(registration.occupation.division)]
        found += [Missing(name, sentence) for name, sentence in asked if not getattr(registration, name)]
    else:
        found.append(Missing("occupation", "请选择参赛的职业（工种）"))
    return found + missing_portrait(registration)


def missing_portrait(registration: "Registration") -> list[Missing]:
    """What was submitted stays as it was, whatever its plan has come to want since."""
    spec, own = registration.photo_spec, registration.portrait
    if own and (subjects.fits(own, spec) or not registration.is_editable):
        return []
    portrait, again = own or registration.other_portrait, subjects.cropped_again(registration)
    if portrait is None or (own is None and (again is None or subjects.fits(portrait, spec))):
        return [Missing("portrait", "请上传证件照")]
    whose = "证件照" if own else "个人信息里的证件照"
    what = f"{whose}不符合本竞赛的要求（需要 {'、'.join(wanted(spec, portrait.made_for))}）"
    if portrait.lost_at:
        what = f"{whose}的文件找不到了"
    return [Missing(CROP, f"{what}，请重新裁切") if again else Missing("portrait", f"{what}，请换一张照片")]


def wanted(spec: PhotoSpec, made_for: PhotoSpec) -> list[str]:
    """Sides and background, and what else the portrait was not made for."""
    words = [f"{spec.width}×{spec.height} 像素"]
    if spec.background != Background.ANY:
        words.append(f"{spec.background_label}背景")
    if spec.dpi != made_for.dpi:
        words.append(f"{spec.dpi} dpi")
    if made_for.min_kilobytes < spec.min_kilobytes or made_for.max_kilobytes > spec.max_kilobytes:
        words.append(f"{spec.min_kilobytes} 到 {spec.max_kilobytes} KB")
    if any(mine > theirs for mine, theirs in zip(spec.least_source, made_for.least_source, strict=True)):
        words.append(f"取自至少 {'×'.join(map(str, spec.least_source))} 像素的画面")
    return words
