"""Compare the photo storage with the database: remove files without a row, say which rows have lost their file."""

import logging
from datetime import datetime
from typing import Any

from django.core.management.base import CommandError
from django.utils import timezone

from accounts.audit import record
from accounts.commands import PortalCommand
from accounts.verbs import Verb
from photos.models import remove_file
from photos.sweep import PLACES, Place

logger = logging.getLogger(__name__)

ACTOR = "command:sweep_photos"
NAMED = 20  # lost ones that are listed, of each kind
EMPTY = (
    "照片存储里一个文件也没有，记录里却有照片：多半是目录没有挂上，或桶写错了。没有做标记。"
    "请核对 DATA_DIR（用对象存储的，核对 S3_BUCKET），再执行一次；文件确实都没有了的，先从备份恢复。"
)


class Command(PortalCommand):
    help = (
        "核对照片存储和数据库：没有记录、满一天的照片文件删除；文件丢失的记录列出并做上标记。"
        "分批进行，系统运行时可以执行，中断后再执行即可。"
    )
    exit_codes = {0: "全部核对完了，没有丢失的", 1: "有文件丢失、没能删除，或照片存储读不了"}
    rehearsal = "只按种类计数，不删除，也不做标记"

    def handle(self, *args: Any, **options: Any) -> None:
        self.rehearsing, finished = options["dry_run"], False
        self.files = self.removed = self.stuck = self.lost = 0
        try:
            for place in PLACES:
                self.sweep_files(place)
            if not self.files and any(place.rows.filter(lost_at=None).exists() for place in PLACES):
                raise CommandError(EMPTY)
            for place in PLACES:
                self.check_rows(place, timezone.now())
            finished = True
        except OSError as problem:
            logger.exception("The photo storage could not be read to its end.")
            raise CommandError("照片存储读不了，没有核对完，原因见日志。请恢复后再执行一次，会接着做。") from problem
        finally:
            if not self.rehearsing:
                detail = f"files {self.removed}, lost {self.lost}{'' if finished else ', interrupted'}"
                record(ACTOR, Verb.DATA_PURGED, detail=detail)
        if self.rehearsing:
            self.stdout.write("没有改动。")
        self.conclude()

    def sweep_files(self, place: Place) -> None:
        files = orphans = removed = 0
        progress = self.progress()
        for number, names in place.orphans():
            files, orphans = files + number, orphans + len(names)
            removed += 0 if self.rehearsing else sum(map(remove_file, names))
            progress.tell(f"{place.label}：已核对 {files} 个文件……")
        progress.end()
        self.files += files
        self.removed += removed
        self.stuck += 0 if self.rehearsing else orphans - removed
        done = "将删除" if self.rehearsing else f"已删除 {removed} 个"
        self.stdout.write(f"{place.label}：{files} 个文件，其中没有记录的 {orphans} 个，{done}")

    def check_rows(self, place: Place, now: datetime) -> None:
        rows = lost = 0
        progress = self.progress()
        for number, gone, again in place.check():
            if not self.rehearsing:
                place.mark(gone, now)
                place.mark(again, None)
            for key in gone[: max(NAMED - lost, 0)]:
                self.stdout.write(f"  文件丢失：{place.label} {key}")
            rows, lost = rows + number, lost + len(gone)
            progress.tell(f"{place.label}：已核对 {rows} 条记录……")
        progress.end()
        self.lost += 0 if place.replaceable else lost
        instead = "，改为显示原件" if place.replaceable and lost else ""
        self.stdout.write(f"{place.label}：{rows} 条记录，其中文件丢失的 {lost} 条{instead}")

    def conclude(self) -> None:
        problems = []
        if self.stuck:
            problems.append(f"有 {self.stuck} 个文件没能删除，原因见日志，再执行一次会接着做")
        if self.lost:
            problems.append(f"有 {self.lost} 条记录的文件丢失，请从备份恢复这些文件；没有备份的，请当事人重新上传照片")
        if problems:
            raise CommandError("；".join(problems) + "。")
