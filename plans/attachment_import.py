"""The attachments of a plan's file: which of them are new or differ, and what is wrong with them."""

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO, Any

from django.core.files.uploadedfile import UploadedFile
from django.utils.datastructures import MultiValueDict

from accounts.audit import record
from accounts.verbs import Verb
from photos.uploads import MAX_UPLOAD_BYTES, MEGABYTE
from plans.forms import AttachmentForm
from plans.models import Attachment, Plan
from plans.plan_file import ATTACHMENT, Mistake, Row

MOST = 20


@dataclass
class Offer:
    """A file that the plan does not offer yet under this title; `attachment` where it has another one there."""

    title: str
    path: Path
    attachment: Attachment | None

    @property
    def in_words(self) -> str:
        return f"{'更换' if self.attachment else '新增'}附件 {self.title}（{self.path.name}）"


def look(plan: Plan | None, rows: Iterable[Row], folder: Path) -> tuple[list[Offer], list[Mistake]]:
    """What differs from the plan, and what is wrong. OSError where the storage cannot be read."""
    held = {attachment.title: attachment for attachment in plan.attachments.all()} if plan else {}
    offers: list[Offer] = []
    mistakes: list[Mistake] = []
    seen: set[str] = set()
    for number, row in enumerate(rows):
        title = row.text("title")
        if number >= MOST:
            mistakes.append(Mistake(row.place, f"附件最多 {MOST} 个。"))
            break
        problems, path = judged(row, folder)
        if title in seen:
            problems.append(Mistake(row.place_of("title"), f"附件“{title}”写了两次，请留一个。"))
        seen.add(title)
        mistakes += problems
        if path and not problems and not (title in held and same(held[title], path)):
            offers.append(Offer(title, path, held.get(title)))
    return offers, mistakes


def judged(row: Row, folder: Path) -> tuple[list[Mistake], Path | None]:
    """By the form of the desk, and by what the desk's upload asks of every file."""
    named = row.text("file")
    if not named:
        return [Mistake(row.place_of("file"), "没有写附件的文件。")], None
    try:
        path = (folder / named).resolve()
        outside, there = not path.is_relative_to(folder.resolve()), path.is_file()
        size = path.stat().st_size if there and not outside else 0
    except (OSError, ValueError):  # a name that is none
        outside, there, size = False, False, 0
    if outside:
        return [Mistake(row.place_of("file"), "附件要和计划文件放在同一个目录（或它的子目录）里。")], None
    if not there:
        return [Mistake(row.place_of("file"), f"没有文件 {named[:100]}（从计划文件所在的目录找起）。")], None
    if size > MAX_UPLOAD_BYTES:
        return [Mistake(row.place_of("file"), f"附件最多 {MAX_UPLOAD_BYTES // MEGABYTE} MB。")], None
    try:
        with path.open("rb") as content:
            form = AttachmentForm({"title": row.text("title")}, MultiValueDict({"file": [sent(content, path, size)]}))
            errors = form.errors
    except OSError as problem:
        return [Mistake(row.place_of("file"), f"文件读不了：{problem.strerror}。")], None
    return [
        Mistake(row.place_of(name), f"附件的“{ATTACHMENT.get(name, name)}”：{sentence}")
        for name, sentences in errors.items()
        for sentence in sentences
    ], path


def sent(content: IO[bytes], path: Path, size: int) -> UploadedFile:
    return UploadedFile(content, path.name, size=size)


def same(attachment: Attachment, path: Path) -> bool:
    with attachment.file.open("rb") as stored, path.open("rb") as ours:
        return hashlib.file_digest(stored, "sha256").digest() == hashlib.file_digest(ours, "sha256").digest()


def sources(offers: Iterable[Offer]) -> list[tuple[str, Callable[[], IO[Any]]]]:
    """For attachment_files.stored()."""
    return [(offer.path.name, partial(offer.path.open, "rb")) for offer in offers]


def apply(plan: Plan, offers: Iterable[Offer], names: Iterable[str], by: str) -> list[str]:
    """With the stored files of these names, in the caller's transaction; the names of the files that nothing offers any more once it has ended."""
    replaced = []
    for offer, name in zip(offers, names, strict=True):
        attachment = offer.attachment or Attachment(plan=plan, title=offer.title)
        if attachment.pk:
            replaced.append(str(attachment.file.name))
        attachment.file.name = name
        attachment.save()
        record(by, Verb.PLAN_CHANGED, plan, detail=f"attachment {attachment.pk}")
    return replaced
