"""The photos of a list as one ZIP, with a list that says of each registration which file is its, or why there is none."""

import csv
import hashlib
import io
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from typing import IO

from django.db.models import QuerySet
from django.utils import timezone

from photos.models import Portrait
from registrations.columns import Kind, clean
from registrations.models import Registration
from registrations.photo_names import NUMBER, REFERENCE, SERIAL, Names
from registrations.writers import harmless

AT_ONCE = 100  # photos; more are packed in the background
MOST = 20_000
TOO_MANY = f"一次最多打包 {MOST} 张照片。请先按状态、职业（工种）或参赛组别筛选，分几次导出。"
CHUNK = 200
TICK = 20  # photos between two signs of life
LIST_NAME = "照片清单.csv"
LIST_HEADINGS = ("文件名", "报名编号", "姓名", "SHA-256", "字节数", "说明")
NONE, LOST, DIFFERENT = "没有证件照", "照片文件丢失，请联系运营人员", "照片文件与记录不一致，没有放入，请联系运营人员"


@dataclass
class Packed:
    """How many photos are in it, and how many registrations have none."""

    photos: int = 0
    missing: int = 0


def write(
    out: IO[bytes], registrations: QuerySet[Registration], pattern: str, tick: Callable[[Packed], None]
) -> Packed:
    """Pack the photos one by one; a storage that is away raises, and then there is no archive at all."""
    names, packed, lines = Names(pattern), Packed(), io.StringIO(newline="")
    listed = csv.writer(lines, quoting=csv.QUOTE_ALL)
    listed.writerow(LIST_HEADINGS)
    ordered = registrations.select_related("occupation", "portrait").order_by("submitted_at", "pk")
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:  # a JPEG does not get smaller
        for serial, found in enumerate(ordered.iterator(chunk_size=CHUNK), start=1):
            line = pack(archive, found, names, facts_of(found, serial, pattern))
            packed.photos += bool(line[0])
            packed.missing += not line[0]
            listed.writerow(harmless(clean(cell), Kind.TEXT) for cell in line)
            tick(packed)
        archive.writestr(entry(LIST_NAME), lines.getvalue().encode("utf-8-sig"))
    return packed


def facts_of(found: Registration, serial: int, pattern: str) -> dict[str, str]:
    """A document number is read only where the pattern has it: to decrypt is not for nothing."""
    occupation = found.occupation
    return {
        REFERENCE: found.reference,
        "姓名": found.legal_name,
        "职业": occupation.name if occupation else "",
        "组别": occupation.get_division_display() if occupation else "",
        SERIAL: f"{serial:05}",
        NUMBER: str(found.document_number) if f"{{{NUMBER}}}" in pattern else "",
    }


def pack(archive: zipfile.ZipFile, found: Registration, names: Names, facts: dict[str, str]) -> tuple[str, ...]:
    """The photo into the archive, and its line: file name, reference, name, SHA-256, bytes, or why there is none."""
    who = (found.reference, found.legal_name)
    if found.portrait is None:
        return ("", *who, "", "", NONE)
    try:
        data = read(found.portrait)
    except FileNotFoundError:
        return ("", *who, found.portrait.sha256, "", LOST)
    if hashlib.sha256(data).hexdigest() != found.portrait.sha256:
        return ("", *who, found.portrait.sha256, str(len(data)), DIFFERENT)
    name = names.next(facts)
    archive.writestr(entry(name), data)
    return (name, *who, found.portrait.sha256, str(len(data)), "")


def read(portrait: Portrait) -> bytes:
    with portrait.file.open("rb") as opened:
        return bytes(opened.read())


def entry(name: str) -> zipfile.ZipInfo:
    """Beijing's time, as ZIP has none of its own; readable by its owner where a system unpacks the rights, too."""
    made = zipfile.ZipInfo(name, timezone.localtime().timetuple()[:6])
    made.external_attr = 0o600 << 16
    return made
