"""The attachments of a plan's file: which of them are new or differ, and their files stored before the plan is written."""

import hashlib
import logging
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from django.core.files import File
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import UploadedFile
from django.utils.datastructures import MultiValueDict

from accounts.audit import record
from accounts.verbs import Verb
from photos.uploads import MAX_UPLOAD_BYTES, MEGABYTE
from plans.forms import AttachmentForm
from plans.models import Attachment, Plan
from plans.plan_file import ATTACHMENT, Mistake, Row

logger = logging.getLogger(__name__)
MOST = 20


@dataclass
class Offer:
    """A file that the plan does not offer yet under this title; `attachment` where it has another one there."""

    title: str
    path: Path
    attachment: Attachment | None
    stored: str = ""

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


@contextmanager
def stored(offers: list[Offer]) -> Iterator[None]:
    """Their files are in the storage, and are removed again should the body not end well. OSError.

    Outside the transaction: a storage that is slow must not hold a plan's row.
    """
    try:
        for offer in offers:
            with offer.path.open("rb") as content:
                field = Attachment._meta.get_field("file")
                name = field.generate_filename(Attachment(), offer.path.name)
                offer.stored = default_storage.save(name, File(content, offer.path.name))
        yield
    except BaseException:
        for name in filter(None, (offer.stored for offer in offers)):
            remove(name)
        raise


def remove(name: str) -> None:
    try:
        default_storage.delete(name)
    except OSError:
        logger.exception("the file of an attachment that is not offered could not be removed")


def apply(plan: Plan, offers: Iterable[Offer], by: str) -> list[str]:
    """In the caller's transaction; the names of the files that nothing offers any more once it has ended."""
    replaced = []
    for offer in offers:
        attachment = offer.attachment or Attachment(plan=plan, title=offer.title)
        if attachment.pk:
            replaced.append(str(attachment.file.name))
        attachment.file.name = offer.stored
        attachment.save()
        record(by, Verb.PLAN_CHANGED, plan, detail=f"attachment {attachment.pk}")
    return replaced
