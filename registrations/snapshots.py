"""What stood in a registration when it was returned, and what differs from it since."""

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models

from profiles.models import PersonalDetails
from registrations.trail import ReviewEvent

if TYPE_CHECKING:
    from registrations.models import Registration


@dataclass(frozen=True)
class Change:
    """One field that differs: how it is called, the former and the present value as the pages show them ("" for none).

    Of the portrait, which no words show, they are the SHA-256.
    """

    field: str
    label: str
    old: str
    new: str


class Snapshot(models.Model):
    """The details, the occupation and the portrait that a return was about. One row per return; no document number."""

    # Without constraints where the trail has none: a line may be removed before, or stay after (docs/adr/0002).
    event = models.OneToOneField(
        ReviewEvent, models.DO_NOTHING, db_constraint=False, related_name="snapshot", verbose_name="审核记录"
    )
    registration = models.ForeignKey(
        "registrations.Registration", models.CASCADE, related_name="snapshots", verbose_name="报名"
    )
    details = models.JSONField("报名信息", default=dict, encoder=DjangoJSONEncoder)  # {field: value}
    occupation_id = models.BigIntegerField("职业（工种）的代号", null=True)  # its plan may remove it meanwhile
    occupation_name = models.CharField("职业（工种）", max_length=100, blank=True)
    portrait_sha256 = models.CharField("证件照", max_length=64, blank=True)
    answers = models.JSONField("确认无误的说明", default=dict, blank=True)  # {field: why it stays as it is}

    class Meta:
        verbose_name = "退回时的内容"
        verbose_name_plural = "退回时的内容"

    def __str__(self) -> str:
        return f"{self.registration} 第 {self.pk} 次留存"

    @classmethod
    def keep(cls, registration: "Registration", event: ReviewEvent) -> "Snapshot":
        """Called by take(), in the transaction of the return."""
        return cls.objects.create(
            event=event,
            registration=registration,
            details=registration.details(),
            occupation_id=registration.occupation_id,
            occupation_name=str(registration.occupation or ""),
            portrait_sha256=registration.portrait_sha256,
        )

    @cached_property
    def former(self) -> PersonalDetails:
        """The details once more as an object, never saved: whatever has been removed from the form since is left out."""
        model: Any = type(self)._meta.get_field("registration").related_model
        known = [name for name in PersonalDetails.detail_names() if name in self.details]
        values = {name: model._meta.get_field(name).to_python(self.details[name]) for name in known}
        found: PersonalDetails = model(**values)
        return found

    def told(self) -> dict[str, str]:
        """All that is kept here, in words: for the person it is about."""
        kept = {name: self.former.shown(name) for name in self.details if hasattr(self.former, name)}
        words = {label_of(self.registration, name): value for name, value in kept.items() if value}
        return {"职业（工种）": self.occupation_name, **words, "证件照的 SHA-256": self.portrait_sha256, **self.said()}

    def said(self) -> dict[str, str]:
        return {f"确认无误：{label_of(self.registration, name)}": why for name, why in self.answers.items()}

    def former_words(self, name: str) -> str:
        """What stood in this field; "" for none, and for what was not asked then."""
        if name == "portrait":
            return self.portrait_sha256
        if name == "occupation":
            return self.occupation_name
        return self.former.shown(name) if name in self.details else ""

    def differs(self, registration: "Registration", name: str) -> bool:
        """Whether this field is another one now; what was not asked then is not."""
        if name == "portrait":
            return self.portrait_sha256 != registration.portrait_sha256
        if name == "occupation":
            return self.occupation_id != registration.occupation_id
        return name in self.details and getattr(self.former, name) != getattr(registration, name)

    def change(self, registration: "Registration", name: str) -> Change:
        present = registration.portrait_sha256 if name == "portrait" else registration.shown(name)
        return Change(name, label_of(registration, name), self.former_words(name), present)


def label_of(registration: "Registration", name: str) -> str:
    return str(registration._meta.get_field(name).verbose_name)  # type: ignore[union-attr]


def names() -> list[str]:
    """The fields that are kept, in the order of the pages."""
    return ["occupation", "portrait", *PersonalDetails.detail_names()]
