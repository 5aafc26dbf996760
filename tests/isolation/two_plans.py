"""Two plans with their committees: plan B's members look and send, plan A is what they must know nothing of."""

import itertools
from collections import defaultdict
from collections.abc import Collection
from datetime import timedelta
from typing import Any

from django.apps import apps
from django.contrib.admin.models import CHANGE, LogEntry
from django.core.files.base import ContentFile
from django.db import models

from accounts.audit import record
from accounts.models import User
from accounts.verbs import Verb
from plans import members
from plans.models import Attachment, CommitteeMember, Role
from profiles.models import Profile
from registrations import bulk, claims, export_jobs, export_templates, extensions, moves, return_reasons
from registrations.decisions import items_of
from registrations.exports import Narrowing
from registrations.jobs import State, run
from registrations.messages import Channel, ChannelChoice, Delivery
from registrations.models import Registration
from registrations.return_reasons import ReturnReason
from registrations.workflow import Action, Status
from tests import scenes

PLANTED = "金丝雀"
ASKED_FOR = {"plans", "registrations", "photos", "accounts"}
ROOMS = {"plans", "registrations", "profiles"}
# What the house keeps for itself, and what is written anew at every request.
NOT_LOOKED_AT = {"sessions", "contenttypes", "auth", "django_tasks_database"}
# Lines that nothing changes once they are written; what stands in them was planted by the steps.
APPEND_ONLY = {"registrations.ReviewEvent"}
serials = itertools.count(1)

Rows = dict[type[models.Model], set[Any]]


def tables() -> list[type[models.Model]]:
    return [model for model in apps.get_models() if model._meta.app_label not in NOT_LOOKED_AT]


def all_rows() -> Rows:
    return {model: set(model._base_manager.values_list("pk", flat=True)) for model in tables()}


class Side:
    """One plan with everything that hangs on it."""

    def __init__(self, code: str, word: str, shared: User, statuses: Collection[Status]) -> None:
        self.colour = "#cfd9e5" if word == PLANTED else "#e5d9cf"  # so that its pictures are its own
        self.plan = scenes.open_plan(code=code, title=f"{word}竞赛")
        self.people = {role.value: scenes.member(self.plan, role, f"{word}{role.label}") for role in Role}
        boss = self.people["manager"]
        self.occupation = scenes.occupation(self.plan, name=f"{word}电工", capacity=50)
        self.registrations = {}
        for status in statuses:
            applicant = scenes.person(f"{word}报名人{next(serials)}")
            self.registrations[status] = self.registered(status, applicant, boss, word)
            Profile.of(applicant).set_portrait(self.registrations[status].portrait)
        self.shared = self.registered(Status.SUBMITTED, shared, boss, word)
        until = self.plan.registration_closes_at + timedelta(days=3)
        extensions.grant(self.plan, shared, until, reason=f"{word}延期", by=boss)
        other = scenes.occupation(self.plan, name=f"{word}焊工", capacity=50)
        moves.propose(scenes.fresh(self.shared), other, reason=f"{word}调整", by=boss)
        self.attachment = Attachment(plan=self.plan, title=f"{word}规程.txt")
        self.attachment.file.save(f"{word}.txt", ContentFile(f"{word}附件内容".encode()))
        self.invitation, self.token = members.invite(self.plan, "viewer", boss)
        self.desk(boss, word)
        export_templates.keep(self.plan, f"{word}模板", ["legal_name"], "xlsx")
        self.exported(boss, word)
        record(boss, Verb.LIST_EXPORTED, self.plan, detail=f"{code} {word}理由")
        LogEntry.objects.log_actions(boss.pk, [self.plan], CHANGE, change_message=f"{word}改动")

    def desk(self, boss: User, word: str) -> None:
        """What the desk keeps beside the registrations, and what waits to be sent."""
        reason = ReturnReason(field="phone", code="own_canary", label=f"{word}原因", sentence=f"{word}请改电话。")
        return_reasons.replace(self.plan, [reason])
        claims.claim(self.shared, boss)
        waiting = Registration.objects.filter(plan=self.plan, status=Status.SUBMITTED)
        self.job = bulk.ask(boss, self.plan, Action.APPROVE, waiting, "/admin/")
        for registration in self.registrations.values():
            ChannelChoice.objects.create(user=registration.applicant)
            for message in registration.messages.all():
                Delivery.objects.create(message=message, channel=Channel.MAIL)

    def exported(self, boss: User, word: str) -> None:
        """A list that was made in the background and waits to be fetched."""
        asked = {
            "narrowing": Narrowing().kept(),
            "reason": "",
            "back": "/admin/",
            "format": "csv",
            "columns": ["phone"],
        }
        job, _ = export_jobs.ask(boss, self.plan, word, "list", asked)
        job.move(State.ASKED, to=State.WAITING)
        run(job)

    def registered(self, status: Status, user: User, boss: User, word: str) -> Registration:
        """Sent back once with words of its own, and then as it is to be."""
        if status in {Status.DRAFT, Status.WITHDRAWN}:
            return scenes.registration_at(status, user, self.occupation, boss)
        sent = scenes.registration_at(Status.SUBMITTED, user, self.occupation, boss)
        items = items_of({"phone": f"{word}手机打不通", "portrait": f"{word}照片"}, [])
        scenes.fresh(sent).take(Action.RETURN, by=boss, note=f"{word}意见", items=items)
        if status == Status.RETURNED:
            return scenes.fresh(sent)
        returned = scenes.fresh(sent)
        mended = {"phone": f"1380000{next(serials):04}", "portrait": scenes.portrait_of(user, self.colour)}
        returned.write(returned.version, **mended)
        again = scenes.take(sent, Action.SUBMIT, user)
        step = {Status.APPROVED: Action.APPROVE, Status.REJECTED: Action.REJECT}.get(status)
        return scenes.take(again, step, boss, note=f"{word}结论") if step else again


class TwoPlans:
    """B is there first, so that what came afterwards is A's."""

    def __init__(self) -> None:
        shared = scenes.person("两边都报的人")
        self.b = Side("BBB-1", "乙方", shared, {Status.SUBMITTED})
        self.others = before = all_rows()
        self.a = Side("CANARY-A", PLANTED, shared, {Status.DRAFT, Status.SUBMITTED, Status.RETURNED, Status.APPROVED})
        self.once_in_a(self.b.people["manager"])
        self.rows: Rows = {model: pks - before[model] for model, pks in all_rows().items() if pks - before[model]}
        for model, pks in self.rows.items():
            if model._meta.app_label in ROOMS and model._meta.label not in APPEND_ONLY:
                plant(model, pks)

    def once_in_a(self, user: User) -> None:
        """B's manager was in A's committee, has edited there, and was put out: what was seen then is over."""
        CommitteeMember.objects.create(plan=self.a.plan, user=user, role=Role.MANAGER)
        LogEntry.objects.log_actions(user.pk, [self.a.plan], CHANGE, change_message=f"{PLANTED}改动")
        members.remove(self.a.plan.members.get(user=user), self.a.people["manager"])

    def keys(self) -> dict[str, list[Any]]:
        """Primary keys of A's rows by table, the first few of each."""
        return {
            model._meta.label: sorted(pks, key=str)[:2]
            for model, pks in self.rows.items()
            if model._meta.app_label in ASKED_FOR
        }


def plant(model: type[models.Model], pks: set[Any]) -> None:
    """A word to be found in every free text of these rows that has none yet, also in columns that are new tomorrow."""
    texts = [
        field.name
        for field in model._meta.concrete_fields
        if isinstance(field, (models.CharField, models.TextField))
        and not (isinstance(field, models.FileField) or field.choices or field.unique or field.name in KEPT)
        and (field.max_length or 1000) >= 8
    ]
    for pk in pks:
        row = model._base_manager.filter(pk=pk)
        held = row.values(*texts).get() if texts else {}
        new = {name: f"{PLANTED}{next(serials):04}" for name in texts if PLANTED not in str(held[name])}
        if new:
            row.update(**new)


# Encrypted or computed from what is: unguessable as they are.
KEPT = {"document_number", "document_index", "fingerprint", "sha256"}


def texts_of(rows: Rows) -> dict[str, set[str]]:
    """Every text in these rows, by table and column; numbers as they are typed, encrypted columns in clear."""
    found: dict[str, set[str]] = defaultdict(set)
    for model, pks in rows.items():
        for row in model._base_manager.filter(pk__in=pks):
            for field in model._meta.concrete_fields:
                value = getattr(row, field.attname)
                if not isinstance(field, (models.FileField, models.UUIDField)) and not isinstance(
                    value, (str, list, dict)
                ):
                    continue
                found[f"{model._meta.label}.{field.name}"] |= set(strings_in(value))
    return found


def strings_in(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [text for each in value.values() for text in strings_in(each)]
    if isinstance(value, (list, tuple)):
        return [text for each in value for text in strings_in(each)]
    return [str(value)] if value else []
