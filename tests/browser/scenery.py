"""Who and what there is in the walks: a plan that says all it can, a complete person, registrations in every state."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.audit import record
from accounts.erasure import remove_lines
from accounts.models import AuditEntry, Consent, User
from accounts.verbs import Verb
from photos import bounded
from photos.findings import Doubt, Finding
from photos.models import Portrait, Upload
from photos.pipeline import Cropped, suggest_box
from photos.reasons import Reason
from plans.models import CommitteeMember, Level, Plan, Role
from profiles.models import Profile
from registrations import intake
from registrations.decisions import items_of
from registrations.models import Registration
from registrations.workflow import Action, Status
from tests import scenes
from tests.browser.pictures import drawn_photo

DESCRIPTION = """\
## 参赛须知

请带**身份证**。

| 日期 | 安排 |
|---|---|
| 12月20日 | 报到 |

- 理论
- 实操
"""
REMARKS = items_of(
    {"portrait": "身后的柜子请不要拍进去。", "employer": "请填写与社保缴纳单位一致的全称。"},
    [Reason.BACKGROUND, Reason.HEAD_SMALL],
)


def full_plan() -> Plan:
    """A plan with everything that a plan can say."""
    plan = scenes.open_plan(
        title="2026 年北京市职业技能大赛",
        category="一类",
        co_organiser="北京市工业技师学院、北京机械工业职业技能鉴定指导中心",
        competition_starts_on=date(2026, 12, 20),
        competition_ends_on=date(2026, 12, 22),
        correction_closes_at=timezone.now() + timedelta(days=9),
        place="北京市通州区潞苑南大街 1 号实训基地",
        description=DESCRIPTION,
    )
    scenes.occupation(plan, name="电工", skill_level="技师（二级）", code="6-31-01-03", capacity=None)
    scenes.occupation(plan, name="焊工", capacity=1, seats_taken=1, requirements="已满的一项。")
    scenes.occupation(
        plan,
        name="数控车工",
        skill_level="高级工（三级）",
        code="6-18-01-01",
        capacity=60,
        requirements="从事本职业满 2 年，持有四级以上证书；同一单位最多 3 人。",
    )
    return plan


def many_plans() -> Plan:
    now = timezone.now()
    plan = full_plan()
    soon = now + timedelta(hours=14)
    scenes.open_plan(title="2026 年北京市养老护理职业技能竞赛", level=Level.INDUSTRY, registration_closes_at=soon)
    scenes.open_plan(title="“工匠杯”数控技能邀请赛", registration_opens_at=now + timedelta(days=7, hours=1),
                     registration_closes_at=now + timedelta(days=20))  # fmt: skip
    scenes.open_plan(title="2026 年西城区餐饮行业职业技能比武", level=Level.DISTRICT,
                     registration_closes_at=now - timedelta(days=1))  # fmt: skip
    return plan


def applicant() -> User:
    return scenes.person("王晓明")


def without_consent() -> User:
    """Somebody who confirmed before anybody was asked."""
    user = scenes.person("王晓明")
    remove_lines(Consent.objects.filter(user=user))
    return user


def auditor() -> User:
    user = scenes.person("吴审")
    user.is_auditor = True
    user.save()
    return user


def lines_of_a_day() -> AuditEntry:
    """Several pages of the record, with the longest that a column holds; the newest of them."""
    user = scenes.person("李芳")
    for verb in [*Verb] * 3:
        record(user, verb, user, detail="platform unreachable: ConnectionError")
    return AuditEntry.objects.create(
        actor="command:add_committee_member", verb=Verb.NUMBER_SHOWN, target="registrations.registration:1234567",
        subject=user.username, detail="说明" * 100, address="2001:0db8:85a3:1111:2222:8a2e:0370:7334",
        request_id="bcdfghjkmnpqrs",
    )  # fmt: skip


def uploaded(user: User) -> Upload:
    return Upload.objects.receive(user, drawn_photo())


def doubting(monkeypatch: pytest.MonkeyPatch, *findings: Finding) -> None:
    """Every crop is found doubtful in these ways, whatever it shows."""

    def crop(*arguments: Any, **options: Any) -> Cropped:
        return replace(sincere(*arguments, **options), findings=list(findings))

    sincere = bounded.crop
    monkeypatch.setattr(bounded, "crop", crop)


def portrayed(user: User) -> Portrait:
    upload = uploaded(user)
    return upload.crop(suggest_box(upload.width, upload.height))


def doubtful(user: User) -> Portrait:
    """A portrait that its owner was warned of, with everything that can be measured and something that is new."""
    upload = uploaded(user)
    cropped = upload.crop(suggest_box(upload.width, upload.height), confirmed=list(Doubt))
    Portrait.objects.filter(pk=cropped.pk).delete()  # one file, one row
    names = ["owner", "upload", "file", "sha256", "spec", "width", "height"]
    names += ["box_left", "box_top", "box_width", "box_height"]
    return Portrait.objects.create(
        measured={"bytes": 46301, "faces": 1, "head": 61.4, "background_share": 82, "brightness": 38.6}
        | {"sharpness": 57.25, "something_new": 0.5},
        findings=[
            Finding(Doubt.BACKGROUND, "背景有 18% 不是白色，要求不超过 10%。").as_dict(),
            Finding(Doubt.DARK, "照片偏暗，亮度 38.6%，一般在 45% 以上。").as_dict(),
        ],
        **{name: getattr(cropped, name) for name in names},
    )


def complete_profile(user: User) -> Profile:
    profile = Profile.of(user)
    profile.save_details(profile.version, {name: scenes.COMPLETE.get(name, "") for name in profile.details()})
    profile = Profile.of(user)
    profile.set_portrait(portrayed(user))
    return profile


def draft(user: User, plan: Plan | None = None) -> Registration:
    """Everything is filled in."""
    plan = plan or full_plan()
    complete_profile(user)
    registration = intake.start(user, plan)
    registration.write(registration.version, occupation=plan.occupations.get(name="数控车工"))
    return scenes.fresh(registration)


def at(status: Status, user: User, plan: Plan | None = None) -> Registration:
    registration = draft(user, plan)
    if status == Status.DRAFT:
        return registration
    registration = scenes.take(registration, Action.SUBMIT, user)
    if status == Status.WITHDRAWN:
        return scenes.take(registration, Action.WITHDRAW, user)
    manager = scenes.person("周敏")
    CommitteeMember.objects.create(plan=registration.plan, user=manager, role=Role.MANAGER)
    if status == Status.RETURNED:
        registration.take(Action.RETURN, by=manager, note="两处改好后即可通过。", items=REMARKS)
    elif status == Status.APPROVED:
        registration.take(Action.APPROVE, by=manager)
    elif status == Status.REJECTED:
        registration.take(Action.REJECT, by=manager, note="从业年限不足 2 年，不符合参赛条件。\n可报名明年的竞赛。")
    return scenes.fresh(registration)


def member_of(registration: Registration) -> User:
    """Somebody who reviews it."""
    user = scenes.person("周敏")
    CommitteeMember.objects.create(plan=registration.plan, user=user, role=Role.REVIEWER)
    return user


def warned() -> Registration:
    """Submitted with a portrait that its applicant was warned of; since then the plan wants a smaller file."""
    user = applicant()
    registration = draft(user)
    registration.set_portrait(doubtful(user))
    registration = scenes.take(registration, Action.SUBMIT, user)
    registration.plan.photo_max_kilobytes = 100
    registration.plan.save()
    return registration


def mended() -> Registration:
    """Sent back for its portrait, submitted again with another one."""
    registration = at(Status.RETURNED, applicant())
    registration.set_portrait(scenes.portrait_of(registration.applicant, "#dfe9f5"))
    return scenes.take(registration, Action.SUBMIT, registration.applicant)


def path_of(registration: Registration, page: str = "") -> str:
    return f"{registration.get_absolute_url()}{page}"


def desk_of(registration: Registration, page: str = "change") -> str:
    return f"/admin/registrations/registration/{registration.pk}/{page}/"


def busy_plan() -> Plan:
    """A queue in which there is one of each: long and short names, a photo with a warning, every state but withdrawn."""
    plan = full_plan()
    worker = plan.occupations.get(name="数控车工")
    student = scenes.occupation(plan, name="工业机器人系统操作员（智能制造单元）", division="student", capacity=None)
    manager = scenes.member(plan, "manager")
    walks = [
        (Status.SUBMITTED, "王晓明", worker, 4000), (Status.SUBMITTED, "买买提·阿不都热依木江", student, 130),
        (Status.SUBMITTED, "李芳", student, 3), (Status.RETURNED, "赵强", student, 9000),
        (Status.APPROVED, "王晓明", worker, 800), (Status.REJECTED, "陈静", worker, 5000),
    ]  # fmt: skip
    for status, name, occupation, minutes in walks:
        row = scenes.registration_at(status, scenes.person(name), occupation, manager)
        submitted_at = timezone.now() - timedelta(minutes=minutes)
        Registration.objects.filter(pk=row.pk).update(submitted_at=submitted_at)
    user = scenes.person("周涛")
    row = scenes.draft(user, worker, portrait=doubtful(user))
    scenes.take(row, Action.SUBMIT, user)
    return plan


def queue_of(plan: Plan) -> str:
    return f"/admin/registrations/registration/queue/{plan.code}/"
