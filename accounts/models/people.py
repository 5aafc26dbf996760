"""Who someone is: the account, and the identity that was confirmed for it."""

import uuid
from collections.abc import Collection
from hmac import compare_digest
from typing import Any, Self

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.db import IntegrityError, models, transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.functional import cached_property

from accounts import identity
from accounts.fields import EncryptedTextField, TamperedCiphertext, blind_index
from accounts.identity import DocumentNumber, DocumentType
from accounts.models import consents
from accounts.models.consents import Consent
from accounts.written import Question


def pseudonym() -> str:
    """A name for logs and audit lines that says nothing about the person."""
    return f"u-{uuid.uuid4().hex[:16]}"


class UserManager(BaseUserManager["User"]):
    @transaction.atomic(savepoint=False)
    def from_platform(self, issuer: str, subject: str) -> tuple["User", bool]:
        """The account of (issuer, subject), and whether it was made just now. Nothing else ever joins accounts.

        Held to the end of the caller's transaction: what is written for it there is not written after its erasure
        (accounts/erasure.py), which waits, or has left nobody of that subject.
        """
        held = self.select_for_update(of=("self",), no_key=True).select_related("identity")
        return held.get_or_create(issuer=issuer, subject=subject)

    def hold(self, user_id: int) -> None:
        """Hold the account to the end of the caller's transaction, before any other row: whoever writes something new of
        a person, or more than one row of it, begins so (docs/developers/README.md). Raises AccountEnded.

        Nobody waits for it but who holds or erases (accounts/erasure.py) the same account: no foreign key does.
        """
        held = self.select_for_update(no_key=True).filter(pk=user_id, is_active=True)
        if held.values_list("pk").first() is None:
            raise AccountEnded

    def of_session(self, user_id: int) -> "User | None":
        """The account of a session, with what each page asks of it in the same query: its identity and its consent."""
        return OF_SESSION.answer(user_id, consents.NOTICE_VERSION)

    def create_superuser(self, username: str, password: str | None = None, **fields: Any) -> "User":
        user = self.model(username=username, is_staff=True, is_superuser=True, **fields)
        user.set_password(password)
        user.save(using=self._db)
        Identity.objects.create(user=user)  # the confirmation page asks everybody, and finds nothing vouched for
        return user


class User(AbstractBaseUser, PermissionsMixin):
    """An account of the unified identity platform: issuer and subject, nothing else, say who it is."""

    username = models.CharField("账户代号", max_length=64, unique=True, default=pseudonym, editable=False)
    issuer = models.CharField("认证平台", max_length=255, blank=True, editable=False)
    # null, not blank, for an account without a platform: two of them are not the same subject
    subject = models.CharField("平台用户标识", max_length=255, null=True, editable=False)  # noqa: DJ001
    is_active = models.BooleanField("可以登录", default=True)
    is_staff = models.BooleanField("运营人员", default=False, help_text="可以进入工作台并新建竞赛计划。")
    is_auditor = models.BooleanField("审计人员", default=False, help_text="可以在工作台查看操作记录，别的都不能做。")
    date_joined = models.DateTimeField("首次登录时间", default=timezone.now, editable=False)

    USERNAME_FIELD = "username"
    objects = UserManager()
    sealed_id_token = ""  # only during a login: what the new session keeps for signing out

    class Meta:
        verbose_name = "账户"
        verbose_name_plural = "账户"
        constraints = [
            models.UniqueConstraint(fields=["issuer", "subject"], name="one_account_per_subject"),
        ]

    def __str__(self) -> str:
        return self.legal_name or self.username

    @property
    def confirmed_identity(self) -> "Identity | None":
        found: Identity | None = getattr(self, "identity", None)
        return found if found and found.confirmed_at else None

    @property
    def legal_name(self) -> str:
        return self.confirmed_identity.legal_name if self.confirmed_identity else ""

    @cached_property
    def is_committee_member(self) -> bool:
        """Whether any plan's committee counts this person in. Asked through the reverse relation: no import upward."""
        return self.committee_memberships.exists()

    @property
    def has_desk(self) -> bool:
        """Whether the committee's desk opens for this person; what is on it is each page's own matter."""
        return self.is_active and (self.is_staff or self.is_auditor or self.is_committee_member)


def of_session(user: int, notice: str) -> models.QuerySet[User]:
    people = User.objects.filter(pk=user, is_active=True).select_related("identity")
    return people.annotate(has_consented=Consent.of_outer(notice))


OF_SESSION = Question(of_session, -1, "-")


class DocumentHolder(models.Model):
    """A legal name and an identity document: encrypted at rest, found by blind index, shown masked."""

    legal_name = models.CharField("姓名", max_length=64, blank=True)
    document_type = models.CharField("证件类型", max_length=20, choices=DocumentType, blank=True)
    document_number = EncryptedTextField("证件号码", blank=True)
    document_index = models.CharField(max_length=64, blank=True, editable=False, db_index=True)

    class Meta:
        abstract = True

    @classmethod
    def from_db(cls, db: str | None, field_names: Collection[str], values: Collection[Any], **how: Any) -> Self:
        """Raises TamperedCiphertext for a number that was exchanged for another row's: it opens, but is not the one
        whose fingerprint stands beside it."""
        held = super().from_db(db, field_names, values, **how)
        if {"document_type", "document_number", "document_index"} <= set(field_names):
            number = held.document_number
            expected = blind_index(held.document_type, number) if number else ""
            if not compare_digest(expected, held.document_index):
                place = f"{cls._meta.db_table}.document_number:{held.pk}"
                raise TamperedCiphertext(
                    place,
                    "的密文与旁边的指纹不符，可能是从另一行换来的，请从备份恢复这一行；如果每一行都这样，请检查 BLIND_INDEX_KEY 是否被更换。",
                )
        return held

    def hold_document(self, document: DocumentNumber) -> None:
        self.document_type = document.type
        self.document_number = document.number
        self.document_index = blind_index(document.type, document.number)

    def copy_document_to(self, other: "DocumentHolder") -> None:
        for name in ("legal_name", "document_type", "document_number", "document_index"):
            setattr(other, name, getattr(self, name))

    @property
    def masked_number(self) -> str:
        return identity.mask(self.document_number)

    def document(self) -> DocumentNumber:
        """The document, parsed once more: its birth date and sex where the number carries them."""
        return identity.parse(self.document_type, self.document_number, today=timezone.localdate())


class Identity(DocumentHolder):
    """个人身份信息: what the platform vouches for, then what the person confirmed, once and for good.

    Until `confirmed_at` is set the row only holds the platform's word, and is refreshed at each login.
    """

    user = models.OneToOneField(User, models.CASCADE, verbose_name="账户", related_name="identity")
    phone = models.CharField("平台登记的手机", max_length=20, blank=True)
    name_vouched = models.BooleanField("姓名经平台核验", default=False)
    document_vouched = models.BooleanField("证件经平台核验", default=False)
    confirmed_at = models.DateTimeField("确认时间", null=True, editable=False)

    class Meta:
        verbose_name = "个人身份信息"
        verbose_name_plural = "个人身份信息"
        indexes = [models.Index(fields=["legal_name"], name="identity_legal_name")]  # plans/members.py looks for it
        constraints = [
            models.UniqueConstraint(
                fields=["document_index"],
                condition=Q(confirmed_at__isnull=False),
                name="one_identity_per_document",
                violation_error_message="这个证件已经由另一个账户确认过。",
            ),
            models.CheckConstraint(
                condition=Q(confirmed_at__isnull=True) | (~Q(legal_name="") & ~Q(document_index="")),
                name="confirmed_identity_is_complete",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.legal_name}（{self.masked_number}）"

    def confirm(self, *, legal_name: str, document: DocumentNumber) -> None:
        """Confirm once and for good, or raise AlreadyConfirmed or DocumentTaken and leave everything as it was."""
        held = Identity(legal_name=legal_name, confirmed_at=timezone.now())
        held.hold_document(document)
        names = ("legal_name", "document_type", "document_number", "document_index", "confirmed_at")
        values = {name: getattr(held, name) for name in names}
        try:
            with transaction.atomic():
                if not Identity.objects.filter(pk=self.pk, confirmed_at=None).update(**values):
                    raise AlreadyConfirmed
        except IntegrityError as problem:
            raise DocumentTaken from problem
        for name, value in values.items():
            setattr(self, name, value)

    taken_sentence = (
        "这个证件已经由另一个账户确认过，一个证件只能用一个账户报名。请点右上角“退出”，用原来的账户登录；"
        "如果想不起原来的账户，或怀疑被别人冒用，请带证件原件联系系统管理员。"
    )


class AccountEnded(Exception):
    """The account was erased or deactivated while a request of its person was under way: the session is over."""


class AlreadyConfirmed(Exception):
    """The identity was confirmed before: it stays as it is."""


class DocumentTaken(Exception):
    """Another account has confirmed this document."""
