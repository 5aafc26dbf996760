"""消息: what a person is told, one row for each thing that happened, and its way out by mail and SMS."""

import uuid
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import models
from django.urls import reverse
from django.utils import timezone

from accounts.models import User


class Kind(models.TextChoices):
    """What is told. Each has templates/notifications/messages/<kind>.txt; those that go out by SMS, sms/<kind>.txt."""

    SUBMITTED = "submitted", "提交回执"
    WITHDRAWN = "withdrawn", "撤回回执"
    RETURNED = "returned", "退回修改"
    APPROVED = "approved", "审核通过"
    REJECTED = "rejected", "审核不通过"
    REOPENED = "reopened", "重新审核"
    UNDONE = "undone", "撤销决定"
    DRAFT_DUE = "draft_due", "草稿快到期"
    RETURN_DUE = "return_due", "修改快到期"
    DEADLINE = "deadline", "截止时间变更"


class Channel(models.TextChoices):
    MAIL = "mail", "邮件"
    SMS = "sms", "短信"


class ChannelChoice(models.Model):
    """How a person wants to be told, beside the portal itself. Who has never said it gets mail, if an address is known."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, models.CASCADE, related_name="channel_choice", editable=False)
    mail = models.BooleanField("邮件", default=True)
    sms = models.BooleanField("短信", default=False)

    class Meta:
        verbose_name = "通知方式"
        verbose_name_plural = "通知方式"

    def __str__(self) -> str:
        return f"{self.user}"

    @classmethod
    def of(cls, user: User) -> "ChannelChoice":
        return cls.objects.filter(user=user).first() or cls(user=user)

    def wants(self, channel: str) -> bool:
        return bool(getattr(self, channel))


class MessageQuerySet(models.QuerySet["Message"]):
    def owned_by(self, user: User) -> "MessageQuerySet":
        return self.filter(person=user)

    def unread(self) -> "MessageQuerySet":
        return self.filter(seen_at=None)

    def unread_first(self) -> "MessageQuerySet":
        read = models.ExpressionWrapper(models.Q(seen_at__isnull=False), output_field=models.BooleanField())
        return self.alias(read=read).order_by("read", "-pk")

    def mark_read(self) -> int:
        return self.unread().update(seen_at=timezone.now())


class Message(models.Model):
    """One thing that one person is told about one registration. `key` is the event: for each there is one message."""

    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="messages", verbose_name="收件人", editable=False
    )
    registration = models.ForeignKey(
        "registrations.Registration", models.CASCADE, related_name="messages", verbose_name="报名", editable=False
    )
    kind = models.CharField("种类", max_length=12, choices=Kind)
    key = models.CharField(max_length=60)
    title = models.CharField("标题", max_length=200)
    body = models.TextField("内容")
    created_at = models.DateTimeField("时间", default=timezone.now)
    seen_at = models.DateTimeField("阅读时间", null=True)
    useful_until = models.DateTimeField("过了就不必再发", null=True)
    token = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)

    objects = MessageQuerySet.as_manager()

    class Meta:
        verbose_name = "消息"
        verbose_name_plural = "消息"
        ordering = ["-pk"]
        constraints = [models.UniqueConstraint(fields=["registration", "key"], name="one_message_per_event")]
        indexes = [
            models.Index(fields=["person", "-id"], name="messages_of_person"),
            models.Index(fields=["person"], condition=models.Q(seen_at=None), name="unread_of_person"),
            models.Index(fields=["created_at"], name="messages_by_age"),
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def link(self) -> str:
        """Our own page on which the person goes on."""
        page = "edit" if self.kind in {Kind.DRAFT_DUE, Kind.RETURN_DUE} else "detail"
        return reverse(f"registrations:{page}", args=[self.registration.reference])


class DeliveryState(models.TextChoices):
    WAITING = "waiting", "待发"
    SENDING = "sending", "正在发"
    SENT = "sent", "已发"
    SKIPPED = "skipped", "不必发"
    GIVEN_UP = "given_up", "没有发成"


class DeliveryQuerySet(models.QuerySet["Delivery"]):
    def due(self, channel: str, now: datetime) -> "DeliveryQuerySet":
        return self.filter(channel=channel, state=DeliveryState.WAITING, next_try_at__lte=now)

    def tried(self) -> "DeliveryQuerySet":
        """What has reached somebody, or may have: nobody knows it of one that is being sent."""
        return self.filter(attempts__gt=0).exclude(state=DeliveryState.SKIPPED)

    def move(self, delivery: "Delivery", state: str, **values: Any) -> bool:
        """From the state that this instance was read in, or not at all: of two that try, one does."""
        same = self.filter(pk=delivery.pk, state=delivery.state, attempts=delivery.attempts)
        if not same.update(state=state, **values):
            return False
        for name, value in {"state": state, **values}.items():
            setattr(delivery, name, value)
        return True


class Delivery(models.Model):
    """One message on one way out. This row is the truth about it; a task only says that somebody should look."""

    message = models.ForeignKey(Message, models.CASCADE, related_name="deliveries", verbose_name="消息")
    channel = models.CharField("方式", max_length=4, choices=Channel)
    state = models.CharField("状态", max_length=8, choices=DeliveryState, default=DeliveryState.WAITING)
    attempts = models.PositiveSmallIntegerField("试过几次", default=0)
    next_try_at = models.DateTimeField("下次在什么时候", default=timezone.now)
    tried_at = models.DateTimeField("最近一次", null=True)
    last_error = models.CharField("最近的错误", max_length=40, blank=True)

    objects = DeliveryQuerySet.as_manager()

    class Meta:
        verbose_name = "发送"
        verbose_name_plural = "发送"
        ordering = ["pk"]
        constraints = [models.UniqueConstraint(fields=["message", "channel"], name="one_delivery_per_channel")]
        indexes = [
            models.Index(fields=["channel", "state", "next_try_at"], name="deliveries_due"),
            models.Index(fields=["channel", "-tried_at"], name="deliveries_last_tried"),
        ]

    def __str__(self) -> str:
        return f"{self.get_channel_display()}（{self.get_state_display()}）"
