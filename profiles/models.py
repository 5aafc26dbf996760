"""个人基本信息: the details that a person fills in once and takes along into every registration."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from django.conf import settings
from django.db import models, transaction
from django.dispatch import Signal
from django.urls import reverse
from django.utils import timezone

from accounts.identity import Sex
from accounts.models import Identity, User
from photos.models import Portrait
from photos.spec import PhotoSpec
from profiles.choices import ETHNICITIES, Education, EmployerType, PoliticalStatus, SkillLevel

# Sent inside the transaction that changed a profile, with `profile` and `changed`: {field: (before, after)}.
# Rooms above listen; this one does not know them.
profile_changed = Signal()
UNITS = {"years_of_service": " 年"}


@dataclass(frozen=True)
class Missing:
    """Something that is still to be filled in: the field, and the sentence that says so."""

    field: str
    sentence: str


class StaleDetails(Exception):
    """Somebody, most likely the same person in another tab, saved in between."""


class PersonalDetails(models.Model):
    """What an organising committee asks about a person. Every field may be empty while it is being filled in."""

    sex = models.CharField("性别", max_length=6, choices=Sex, blank=True)
    birth_date = models.DateField("出生日期", null=True, blank=True)
    ethnicity = models.CharField("民族", max_length=12, choices=ETHNICITIES, blank=True)
    political_status = models.CharField("政治面貌", max_length=16, choices=PoliticalStatus, blank=True)
    education = models.CharField("文化程度", max_length=16, choices=Education, blank=True)
    school = models.CharField("毕业（就读）院校", max_length=80, blank=True)
    major = models.CharField("所学专业", max_length=60, blank=True)
    employer = models.CharField("工作单位", max_length=120, blank=True, help_text="单位全称，学生可不填。")
    employer_type = models.CharField("单位性质", max_length=10, choices=EmployerType, blank=True)
    position = models.CharField("职务", max_length=60, blank=True)
    years_of_service = models.PositiveSmallIntegerField(
        "从业年限", null=True, blank=True, help_text="从事本职业的年数。"
    )
    skill_level = models.CharField("现职业资格或技能等级", max_length=10, choices=SkillLevel, blank=True)
    certificate_number = models.CharField("证书编号", max_length=40, blank=True, help_text="没有等级的不用填。")
    phone = models.CharField("手机", max_length=20, blank=True, help_text="审核结果和参赛通知会用到。")
    email = models.CharField("邮箱", max_length=120, blank=True)
    address = models.CharField("通信地址", max_length=200, blank=True)
    postcode = models.CharField("邮编", max_length=6, blank=True)
    emergency_contact = models.CharField("紧急联系人", max_length=40, blank=True)
    emergency_phone = models.CharField("紧急联系人电话", max_length=20, blank=True)

    version = models.PositiveIntegerField(default=0, editable=False)
    updated_at = models.DateTimeField("更新时间", auto_now=True)

    class Meta:
        abstract = True

    @staticmethod
    def detail_names() -> list[str]:
        fields = PersonalDetails._meta.get_fields()
        return [field.name for field in fields if field.name not in {"version", "updated_at"}]

    def details(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.detail_names()}

    def shown(self, name: str) -> str:
        """A field's value as the pages show it; empty for none."""
        display = getattr(self, f"get_{name}_display", None)
        value = display() if display else getattr(self, name)
        if isinstance(value, date):
            return f"{value.year}年{value.month}月{value.day}日"
        return "" if value is None else f"{value}{UNITS.get(name, '')}"

    def write(self, version: int, **values: Any) -> None:
        """Write the values if the row still is at `version`, the one that the person saw; raise StaleDetails if not."""
        if (
            not self.writable_rows()
            .filter(version=version)
            .update(**values, version=version + 1, updated_at=timezone.now())
        ):
            raise StaleDetails
        for name, value in {**values, "version": version + 1}.items():
            setattr(self, name, value)

    def writable_rows(self) -> models.QuerySet[Any]:
        return type(self)._default_manager.filter(pk=self.pk)

    def adopt_from_document(self, held: Identity) -> None:
        """Sex and birth date as the document number carries them; where it does not, what was typed stays."""
        document = held.document()
        self.sex = document.sex or self.sex
        self.birth_date = document.birth_date or self.birth_date

    def missing(self) -> list[Missing]:
        """What everybody must fill in before a registration can be submitted, in the order of the form."""
        asked = {
            "sex": "请选择性别",
            "birth_date": "请填写出生日期",
            "ethnicity": "请选择民族",
            "political_status": "请选择政治面貌",
            "education": "请选择文化程度",
            "skill_level": "请选择现职业资格或技能等级，没有的选“无”",
            "phone": "请填写手机",
            "address": "请填写通信地址",
            "emergency_contact": "请填写紧急联系人",
            "emergency_phone": "请填写紧急联系人电话",
        }
        found = [Missing(name, sentence) for name, sentence in asked.items() if getattr(self, name) in {"", None}]
        if self.skill_level not in {"", SkillLevel.NONE} and not self.certificate_number:
            level = self.get_skill_level_display()
            found.append(Missing("certificate_number", f"请填写{level}的证书编号"))
        return found


class Profile(PersonalDetails):
    """The reusable details of one account, and its portrait."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, models.CASCADE, verbose_name="账户", related_name="profile", editable=False
    )
    portrait = models.ForeignKey(
        Portrait, models.SET_NULL, null=True, editable=False, verbose_name="证件照", related_name="+"
    )

    class Meta:
        verbose_name = "个人基本信息"
        verbose_name_plural = "个人基本信息"

    def __str__(self) -> str:
        return self.user.username

    @classmethod
    def of(cls, user: User) -> "Profile":
        """The person's profile; if there is none, an unsaved one with what the platform and the document know."""
        found = Profile.objects.select_related("portrait").filter(user=user).first()
        if found is None:
            found = cls(user=user)
            held = user.confirmed_identity
            if held:
                found.adopt_from_document(held)
                found.phone = held.phone
        return found

    @property
    def is_empty(self) -> bool:
        """Nobody has saved anything yet: a first registration may fill it."""
        return self.version == 0

    # A subject of photos (photos/views.py) -----------------------------------------------------------------------

    photo_closed = ""

    @property
    def photo_spec(self) -> PhotoSpec:
        spec: PhotoSpec = settings.PHOTO_SPEC
        return spec

    @property
    def photo_owner(self) -> User:
        return self.user

    def get_photo_return_url(self) -> str:
        return reverse("profiles:edit")

    def set_portrait(self, portrait: Portrait) -> None:
        with transaction.atomic():
            User.objects.hold(self.user_id)
            if self.pk is None:
                self.pk = Profile.objects.get_or_create(user=self.user, defaults=self.details())[0].pk
            before = self.portrait
            self.portrait = portrait
            # The portrait alone: a picture takes its time, and the text may have been saved in another tab meanwhile.
            Profile.objects.filter(pk=self.pk).update(portrait=portrait, updated_at=timezone.now())
            profile_changed.send(type(self), profile=self, changed={"portrait": (before, portrait)})

    def save_details(self, version: int, values: dict[str, Any]) -> None:
        """Save the text alone, and tell whoever carries these details on. Raises StaleDetails or AccountEnded."""
        with transaction.atomic():
            User.objects.hold(self.user_id)
            self.put_details(version, values)

    def put_details(self, version: int, values: dict[str, Any]) -> None:
        """The same in the transaction of somebody who holds the account."""
        if self.pk is None:
            self.pk = Profile.objects.get_or_create(user=self.user)[0].pk
        before = Profile.objects.get(pk=self.pk).details()
        self.write(version, **values)
        changed = {name: (before[name], value) for name, value in values.items() if before[name] != value}
        profile_changed.send(type(self), profile=self, changed=changed)
