"""People, plans and registrations for the tests, made by the roads that real ones take."""

import itertools
from collections.abc import Callable
from datetime import date, timedelta
from functools import cache
from typing import Any

from django.conf import settings
from django.utils import timezone

from accounts import identity
from accounts.identity import DocumentType, Sex
from accounts.models import Consent, Identity, User
from photos.models import Portrait, Upload
from photos.pipeline import suggest_box
from plans.models import CommitteeMember, Division, Level, Occupation, Plan
from registrations import intake
from registrations.models import Registration
from registrations.workflow import Action, Status
from tests.people import resident_number
from tests.photos.pictures import drawn_portrait, encoded

serials = itertools.count(1)

COMPLETE: dict[str, Any] = {
    "sex": Sex.MALE.value,
    "birth_date": date(1990, 3, 7),
    "ethnicity": "汉族",
    "political_status": "none",
    "education": "college",
    "school": "北京工业职业技术学院",
    "major": "机电一体化",
    "employer": "北京精工机械有限公司",
    "employer_type": "private",
    "position": "技术员",
    "years_of_service": 8,
    "skill_level": "l3",
    "certificate_number": "S000011010326",
    "phone": "13812342671",
    "email": "someone@example.cn",
    "address": "北京市朝阳区幸福路 1 号",
    "postcode": "100020",
    "emergency_contact": "王大明",
    "emergency_phone": "13912345678",
}


def account() -> User:
    """Somebody who came from the platform and has confirmed nothing yet; the platform vouches for nothing."""
    user, _ = User.objects.from_platform(settings.OIDC_OP_ISSUER, f"subject-{next(serials)}")
    Identity.objects.create(user=user)
    return user


def person(name: str = "王晓明", **number: Any) -> User:
    """Somebody with a confirmed identity: a resident identity card of a man born on 1990-03-07."""
    user = account()
    text = resident_number(next(serials), **{"sex": Sex.MALE, **number})
    document = identity.parse(DocumentType.RESIDENT_ID, text, today=timezone.localdate())
    user.identity.confirm(legal_name=name, document=document)
    Consent.give(user)
    return user


def open_plan(**values: Any) -> Plan:
    """A published plan, open for five more days."""
    now = timezone.now()
    serial = next(serials)
    defaults = {
        "code": f"BJ-{serial}",
        "title": f"第 {serial} 届北京市职业技能大赛",
        "level": Level.CITY,
        "organiser": "北京市人力资源和社会保障局",
        "registration_opens_at": now - timedelta(days=5),
        "registration_closes_at": now + timedelta(days=5),
        "published_at": now - timedelta(days=6),
        "contact": "赛务组",
        "contact_phone": "010-12345678",
    }
    return Plan.objects.create(**{**defaults, **values})


def occupation(plan: Plan, **values: Any) -> Occupation:
    defaults = {"name": f"电工{next(serials)}", "division": Division.WORKER, "capacity": 10}
    return Occupation.objects.create(plan=plan, **{**defaults, **values})


def member(plan: Plan, role: str, name: str = "周敏") -> User:
    user = person(name)
    CommitteeMember.objects.create(plan=plan, user=user, role=role)
    return user


@cache
def jpeg(width: int = 600, height: int = 840, colour: str = "#ffffff") -> bytes:
    """A drawn person in clothes of this colour, large enough for a portrait."""
    return encoded(drawn_portrait(width, height, clothes=colour))


def portrait_of(user: User, colour: str = "#eeeeee") -> Portrait:
    upload = Upload.objects.receive(user, jpeg(colour=colour))
    return upload.crop(suggest_box(upload.width, upload.height))


def draft(user: User, occupation: Occupation, **values: Any) -> Registration:
    """A draft that is complete but for what `values` say otherwise."""
    registration = intake.start(user, occupation.plan)
    registration.write(
        registration.version, **{**COMPLETE, "occupation": occupation, "portrait": portrait_of(user), **values}
    )
    return fresh(registration)


def fresh(registration: Registration) -> Registration:
    """As the database has it now: a new instance, as a new request would have it."""
    return Registration.objects.for_pages().get(pk=registration.pk)


def take(registration: Registration, action: Action, by: User, note: str = "") -> Registration:
    fresh(registration).take(action, by=by, note=note)
    return fresh(registration)


def registration_at(status: Status, user: User, occupation: Occupation, manager: User) -> Registration:
    """A registration that has come to `status` by taking its steps."""
    roads: dict[Status, list[tuple[Action, Callable[[], User]]]] = {
        Status.DRAFT: [],
        Status.SUBMITTED: [(Action.SUBMIT, lambda: user)],
        Status.RETURNED: [(Action.SUBMIT, lambda: user), (Action.RETURN, lambda: manager)],
        Status.APPROVED: [(Action.SUBMIT, lambda: user), (Action.APPROVE, lambda: manager)],
        Status.REJECTED: [(Action.SUBMIT, lambda: user), (Action.REJECT, lambda: manager)],
        Status.WITHDRAWN: [(Action.SUBMIT, lambda: user), (Action.WITHDRAW, lambda: user)],
    }
    registration = draft(user, occupation)
    for action, actor in roads[status]:
        registration = take(registration, action, actor(), note="请按要求修改。")
    return registration
