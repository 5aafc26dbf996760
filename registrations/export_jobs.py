"""An export in the background: a list, the photos, or a committee's own sheet filled in, kept for the one who asked.

It is made anew from its beginning whenever it is taken up: nothing of it is seen before all of it is there.
"""

import hashlib
import json
import logging
import tempfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import IO, Any

from django.core.files.storage import default_storage
from django.db import transaction
from django.utils import timezone

from accounts.audit import record
from accounts.models import User
from accounts.verbs import Verb
from plans.models import Plan, Role
from registrations import carried, exports, own_workbook, photo_archive
from registrations.columns import columns_for
from registrations.exports import Narrowing
from registrations.jobs import KINDS, Job, Kind, State, Stopped
from registrations.models import RegistrationQuerySet
from registrations.photo_archive import Packed
from registrations.writers import WRITERS, About

logger = logging.getLogger(__name__)

KIND = "export"
TICK = 500  # rows between two signs of life
NO_LONGER = "您现在不能导出这个竞赛计划的名单：可能已被移出组委会，或角色改了。没有导出。"
FULL, MASKED = "完整", "只显示头尾"


@dataclass(frozen=True)
class Made:
    """What came out: the name under which it is downloaded, the line for the record, and how much it was."""

    name: str
    verb: Verb
    detail: str
    done: int
    refused: int = 0


@dataclass(frozen=True)
class What:
    """One thing that can be taken away: its title, who makes it, how many are too many for one answer and at all."""

    title: str
    unit: str
    make: Callable[[Job, IO[bytes]], Made]
    at_once: int
    most: int
    too_many: str


class TooMany(Exception):
    """More registrations than can be taken away at once. `str()` is the sentence."""


# Asking for it ------------------------------------------------------------------------------------------------------


def chosen(job: Job) -> RegistrationQuerySet:
    return Narrowing.of(job.arguments["narrowing"]).apply(exports.listed(job.plan))


@transaction.atomic
def ask(owner: User, plan: Plan, key: str, what: str, arguments: dict[str, Any]) -> tuple[Job, bool]:
    """The job, still to be handed over, and whether it is new: pressed twice, it is one. Raises TooMany."""
    kept = {"what": what, **arguments}
    # Of what was asked as well: whoever goes back and changes the form asks for something else.
    key = hashlib.sha256(json.dumps([key, plan.pk, kept], sort_keys=True).encode()).hexdigest()
    job, new = Job.once(owner, key, plan=plan, kind=KIND, arguments=kept, state=State.ASKED)
    if new:
        count(job)
    return job, new


def count(job: Job) -> None:
    """How many it is about, as far as one knows before; raises TooMany."""
    what = WHATS[job.arguments["what"]]
    total = chosen(job)[: what.most + 1].count()
    if total > what.most:
        raise TooMany(what.too_many)
    Job.objects.filter(pk=job.pk).update(total=total)
    job.total = total


def may(job: Job) -> bool:
    """Whether its owner still may: asked again when it is made and when it is fetched."""
    owner = User.objects.get(pk=job.owner_id)
    roles = [Role.MANAGER] if job.arguments["reason"] else [Role.REVIEWER, Role.MANAGER]
    return owner.is_active and job.plan.has_member(owner, *roles)


# Making it ----------------------------------------------------------------------------------------------------------


def do(job: Job) -> None:
    if job.files.filter(role=carried.Role.RESULT).exists():
        return  # the worker fell between the file and its last word
    if not may(job):
        refuse(job, NO_LONGER)
    with tempfile.TemporaryFile(prefix="portal-export-") as out:
        try:
            count(job)
            made = WHATS[job.arguments["what"]].make(job, out)
        except (TooMany, own_workbook.SheetRefused) as problem:
            refuse(job, str(problem))
        job.reach(made.done, made.refused)
        line = partial(record, job.owner, made.verb, job.plan, detail=made.detail)
        carried.keep(job, carried.Role.RESULT, made.name, out, also=line)
    job.files.filter(role=carried.Role.OWN_SHEET).delete()


def refuse(job: Job, why: str) -> None:
    """It ends with a sentence instead of a file."""
    arguments = {**job.arguments, "why": why}
    job.move(State.RUNNING, to=State.STOPPED, ended_at=timezone.now(), arguments=arguments)
    raise Stopped


def watched(job: Job, rows: Iterable[list[str]]) -> Iterator[list[str]]:
    """The rows, saying now and then how far it has come. Raises Stopped in their middle where it was stopped."""
    job.reach(0)
    for number, row in enumerate(rows, start=1):
        if not number % TICK:
            job.reach(number)
        yield row


def about(job: Job) -> About:
    narrowed = Narrowing.of(job.arguments["narrowing"]).words(job.plan)
    return About(str(job.plan), narrowed, str(job.owner), FULL if job.arguments["reason"] else MASKED)


def file_name(plan: Plan, what: str, kind: str) -> str:
    return f"{plan.code}-{what}-{timezone.localdate():%Y%m%d}.{kind}"


def make_list(job: Job, out: IO[bytes]) -> Made:
    kind, reason = job.arguments["format"], job.arguments["reason"]
    columns = columns_for(job.arguments["columns"], full_numbers=bool(reason))
    rows = watched(job, exports.rows_of(chosen(job), columns))
    written = WRITERS[kind](out, columns, rows, about(job))
    detail = exports.audit_detail(job.plan, written, kind, reason)
    return Made(file_name(job.plan, "报名名单", kind), Verb.LIST_EXPORTED, detail, written)


def make_photos(job: Job, out: IO[bytes]) -> Made:
    """The photos of those who are listed, and what reconciles them with the list."""

    def tick(packed: Packed) -> None:
        if not (packed.photos + packed.missing) % photo_archive.TICK:
            job.reach(packed.photos, packed.missing)

    job.reach(0)
    packed = photo_archive.write(out, chosen(job), job.arguments["pattern"], tick)
    return Made(
        file_name(job.plan, "证件照", "zip"),
        Verb.PHOTOS_EXPORTED,
        exports.audit_detail(job.plan, packed.photos, "photos", job.arguments["reason"]),
        packed.photos,
        packed.missing,
    )


def make_sheet(job: Job, out: IO[bytes]) -> Made:
    """The committee's own workbook, filled."""
    reason = job.arguments["reason"]
    source = job.files.get(role=carried.Role.OWN_SHEET)
    with default_storage.open(str(source.file.name)) as content:
        columns = own_workbook.columns_of(own_workbook.understand(content), full_numbers=bool(reason))
        rows = watched(job, exports.rows_of(chosen(job), columns))
        written = own_workbook.fill(content, out, rows)
    detail = exports.audit_detail(job.plan, written, "own sheet", reason)
    return Made(file_name(job.plan, "填好的表格", "xlsx"), Verb.LIST_EXPORTED, detail, written)


def title(job: Job) -> str:
    return WHATS[job.arguments["what"]].title


WHATS = {
    "list": What("导出名单", "份", make_list, exports.AT_ONCE, exports.MOST, exports.TOO_MANY),
    "photos": What("导出证件照", "张", make_photos, photo_archive.AT_ONCE, photo_archive.MOST, photo_archive.TOO_MANY),
    "sheet": What("填自己的表格", "份", make_sheet, exports.AT_ONCE, own_workbook.MOST_ROWS, own_workbook.TOO_MANY),
}
KINDS[KIND] = Kind(title, do)
