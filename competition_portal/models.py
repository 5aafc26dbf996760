"""Which workers are there, and when each of them last said so."""

from django.db import models


class WorkerPulse(models.Model):
    """One running worker (run_worker). Its times are the database's: clocks of machines differ, and this decides who lives."""

    worker = models.CharField("工作进程", max_length=64, unique=True)
    queues = models.CharField("队列", max_length=200)
    started_at = models.DateTimeField("启动时间")
    beat_at = models.DateTimeField("最近一次报告")

    class Meta:
        verbose_name = "工作进程"
        verbose_name_plural = "工作进程"
        ordering = ["pk"]

    def __str__(self) -> str:
        return self.worker
