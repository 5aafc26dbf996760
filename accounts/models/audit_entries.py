"""The record of who did what."""

from django.db import models
from django.utils import timezone

from accounts.models.append_only import AppendOnlyModel
from accounts.verbs import Verb


class AuditEntry(AppendOnlyModel):
    """Who did what, on whom, when and from where: in pseudonyms, no name, no number. Written by accounts/audit.py."""

    at = models.DateTimeField("时间", default=timezone.now, editable=False, db_index=True)
    actor = models.CharField("操作人", max_length=64, editable=False, db_index=True)
    # Without choices: a new verb is no new migration, and a line outlives the verb it was written with.
    verb = models.CharField("操作", max_length=40, editable=False)
    target = models.CharField("对象", max_length=80, blank=True, editable=False)
    subject = models.CharField("当事人", max_length=64, blank=True, editable=False, db_index=True)
    detail = models.CharField("说明", max_length=200, blank=True, editable=False)
    address = models.CharField("来源地址", max_length=45, blank=True, editable=False)
    request_id = models.CharField("请求编号", max_length=32, blank=True, editable=False)

    class Meta:
        verbose_name = "操作记录"
        verbose_name_plural = "操作记录"
        ordering = ["-pk"]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M:%S} {self.actor} {self.verb} {self.target}"

    @property
    def verb_label(self) -> str:
        """The verb in words; one that the portal no longer knows stands for itself."""
        return str(Verb(self.verb).label) if self.verb in Verb.values else self.verb
