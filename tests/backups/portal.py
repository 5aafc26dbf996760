"""A portal full of data, what it holds in words that both databases speak, and the two commands."""

import base64
import hashlib
import io
from typing import Any

from django.contrib.auth.models import Group, Permission
from django.core.files.storage import default_storage
from django.core.management import CommandError, call_command
from django.db import connection

from accounts.models import KeptForm, SentForm
from competition_portal.backups.files import folders
from competition_portal.backups.snapshot import snapshot
from photos.models import Portrait, Upload
from plans.models import Attachment, Plan
from registrations.jobs import State
from registrations.models import Registration
from registrations.workflow import Action, Status
from tests import scenes
from tests.isolation.two_plans import Side

KEYS = {"b1": b"1" * 31 + b"!"}
OTHER_KEYS = {"b2": b"2" * 31 + b"!"}
# What a format could stumble over: its own signs, every kind of line end, and characters beyond 16 bits.
AWKWARD = "制表\t换行\n回车\r竖\v页\f退\b反斜杠\\ \\N \\. \u2028\x85 “引号” ' 𠮷😀 空 "


def text_of(keys: dict[str, bytes]) -> str:
    return ",".join(f"{name}:{base64.b64encode(key).decode()}" for name, key in keys.items())


class Full:
    """All statuses, photos, attachments, messages, jobs, held decisions, a trail whose draft is gone."""

    def __init__(self) -> None:
        self.side = Side("FULL-1", "备份", scenes.person("两边都报的人"), set(Status))
        self.held = self.hold()
        self.discarded = self.discard()
        Attachment.objects.filter(pk=self.side.attachment.pk).update(title=AWKWARD.strip())
        Plan.objects.filter(pk=self.side.plan.pk).update(description=AWKWARD)
        self.fill_the_rest()

    def fill_the_rest(self) -> None:
        """So that no table is compared with nothing in it."""
        boss = self.side.people["manager"]
        group = Group.objects.create(name="值班")
        group.permissions.add(Permission.objects.order_by("pk")[0])
        boss.groups.add(group)
        boss.user_permissions.add(Permission.objects.order_by("pk")[1])
        self.side.job.hand_over(State.ASKED)
        KeptForm.objects.create(user=boss, path="/profile/", content=AWKWARD)
        SentForm.objects.create(user=boss, key="the-key-of-one-form", digest="0" * 64)

    def hold(self) -> Registration:
        plan = scenes.open_plan(holds_decisions=True)
        manager = scenes.member(plan, "manager")
        person = scenes.person("等结果的人")
        return scenes.registration_at(Status.APPROVED, person, scenes.occupation(plan), manager)

    def discard(self) -> int:
        """The primary key of a draft that is gone: it was the last one, and its trail stays."""
        person = scenes.person("不报了的人")
        submitted = scenes.registration_at(Status.SUBMITTED, person, self.side.occupation, self.side.people["manager"])
        draft, number = scenes.take(submitted, Action.RECALL, person), submitted.pk
        draft.discard(person)
        return number


def rows(own: Any = connection) -> dict[str, list[str]]:
    """Every row of every table that is in a backup, as sorted lines."""
    with snapshot(own) as moment:
        return {
            table.name: sorted(line for segment in moment.segments(table) for line in lines_of(segment))
            for table in moment.tables()
        }


def lines_of(segment: bytes) -> list[str]:
    return segment.decode().split("\n")[:-1]


def files() -> dict[str, str]:
    """The SHA-256 of each file by its name."""
    found = {}
    for folder in folders():
        for stored in default_storage.walk(folder):
            with default_storage.open(stored.name) as content:
                found[stored.name] = hashlib.sha256(content.read()).hexdigest()
    return found


def named_files() -> set[str]:
    names: set[str] = set(Attachment.objects.values_list("file", flat=True))
    for model, field in ((Upload, "file"), (Upload, "preview"), (Portrait, "file")):
        names |= set(model.objects.exclude(**{field: ""}).values_list(field, flat=True))
    return names


def empty_database() -> None:
    call_command("flush", interactive=False, verbosity=0)


def run(command: str, *arguments: Any) -> tuple[int, list[str], str]:
    """The exit code, the lines that it said, and the sentence with which it failed."""
    said, aside = io.StringIO(), io.StringIO()
    try:
        call_command(command, *map(str, arguments), stdout=said, stderr=aside)
    except CommandError as problem:
        return problem.returncode, said.getvalue().splitlines(), str(problem)
    return 0, said.getvalue().splitlines(), ""
