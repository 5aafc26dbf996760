"""附件: the files that a plan offers for download."""

from django.db import models


class Attachment(models.Model):
    """A file that a plan offers for download."""

    plan = models.ForeignKey("plans.Plan", models.CASCADE, verbose_name="竞赛计划", related_name="attachments")
    title = models.CharField("名称", max_length=120, help_text="下载时的文件名，例如 竞赛规程.pdf。")
    file = models.FileField("文件", upload_to="attachments/%Y/")

    class Meta:
        verbose_name = "附件"
        verbose_name_plural = "附件"
        ordering = ["pk"]

    def __str__(self) -> str:
        return self.title
