"""Encrypt everything anew under the first key, so that the old ones can be retired."""

from collections import Counter
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError

from accounts.audit import record
from accounts.commands import PortalCommand
from accounts.fields import TamperedCiphertext
from accounts.refusals import record_refusal
from accounts.rotation import UNKNOWN_KEY, SealedColumn, sealed_columns
from accounts.verbs import Verb

ACTOR = "command:rotate_keys"
NAMED = 20  # refused rows that are named one by one; a lost key would name every row there is


class Command(PortalCommand):
    help = "用 FIELD_ENCRYPTION_KEYS 的第一把密钥重新加密全部证件号码。系统运行时可以执行，中断后再执行会接着做。"
    exit_codes = {0: "数据库里已没有旧密钥的密文", 1: "有读不出或没来得及换的行，或没有做完"}
    rehearsal = "只按表和密钥计数，并逐行检查能否读出，不改动"

    def handle(self, *args: Any, **options: Any) -> None:
        columns = sealed_columns()
        self.first = next(iter(settings.FIELD_ENCRYPTION_KEYS))
        self.stdout.write(f"第一把密钥：{self.first}")
        for column in columns:
            self.show_counts(column)
        if options["dry_run"]:
            self.rehearse(columns)
        else:
            self.rotate(columns)

    def show_counts(self, column: SealedColumn) -> None:
        names = {self.first: f"{self.first}（第一把）", UNKNOWN_KEY: "无法识别的密钥"}
        counts = "，".join(f"{names.get(key, key)} {count} 行" for key, count in column.count_by_key().items())
        self.stdout.write(f"{column.place}：{counts or '没有密文'}")

    def rehearse(self, columns: list[SealedColumn]) -> None:
        refused = [problem for column in columns for problem in column.refused()]
        self.name(refused)
        waiting = sum(column.waiting().count() for column in columns)
        if refused:
            raise CommandError(f"没有改动。有 {len(refused)} 行读不出来，请先从备份恢复这些行，或补上旧密钥。")
        self.stdout.write(f"没有改动。将重新加密 {waiting} 行。")

    def rotate(self, columns: list[SealedColumn]) -> None:
        done: Counter[str] = Counter()
        refused: list[TamperedCiphertext] = []
        finished = False
        try:
            for column in columns:
                self.rotate_column(column, done, refused)
            finished = True
        finally:
            for problem in refused[:NAMED]:
                record_refusal(ACTOR, problem)
            detail = f"renewed {done.total()}, refused {len(refused)}{'' if finished else ', interrupted'}"
            record(ACTOR, Verb.KEYS_ROTATED, self.first, detail=detail)
        self.name(refused)
        self.conclude(done.total(), sum(column.waiting().count() for column in columns), len(refused))

    def rotate_column(self, column: SealedColumn, done: Counter[str], refused: list[TamperedCiphertext]) -> None:
        total, seen, progress = column.waiting().count(), 0, self.progress()
        for batch in column.batches():
            for pk, sealed in batch:
                try:
                    done[column.place] += column.renew(pk, sealed)
                except TamperedCiphertext as problem:
                    refused.append(problem)
            seen += len(batch)
            progress.tell(f"{column.place}：已处理 {seen} 行，共 {max(total, seen)} 行……")
        progress.end()

    def name(self, refused: list[TamperedCiphertext]) -> None:
        for problem in refused[:NAMED]:
            self.stderr.write(str(problem))
        if len(refused) > NAMED:
            self.stderr.write(f"另有 {len(refused) - NAMED} 行同样读不出来。")

    def conclude(self, done: int, waiting: int, refused: int) -> None:
        self.stdout.write(f"重新加密了 {done} 行。")
        if refused:
            raise CommandError(f"有 {refused} 行读不出来，保持原样。请从备份恢复这些行，或补上旧密钥，再执行一次。")
        if waiting:
            raise CommandError(
                f"还有 {waiting} 行不是用第一把密钥加密的：可能有副本还在用旧的设置写入。请确认全部副本已重启，再执行一次。"
            )
        hours = -(-settings.SESSION_COOKIE_AGE // 3600)
        self.stdout.write(
            f"数据库里已没有旧密钥的密文。会话里的密文 {hours} 小时内自行过期，之后可以去掉旧密钥；旧备份仍要靠旧密钥读取，请另行保存。"
        )
