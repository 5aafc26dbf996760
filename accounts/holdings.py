"""What this floor holds about a person: account, identity, consents, forms that were kept, sessions, audit lines."""

from collections.abc import Iterator

from django.contrib.auth import SESSION_KEY
from django.db.models import Q

from accounts.models import AuditEntry, Consent, Identity, KeptForm, SentForm, Session, User
from accounts.personal_data import Entry, Fact, Holding, days, facts_of, in_words
from accounts.retention import session_rows
from accounts.session_store import SessionStore

UNTIL_CLOSED = "直到您注销账户。"
BATCH = 500


# The account ---------------------------------------------------------------------------------------------------


def tell_account(user: User) -> list[Entry]:
    roles = [name for name in ("is_staff", "is_auditor") if getattr(user, name)]
    return [Entry(facts_of(user, ["username", "issuer", "subject", "date_joined", "last_login", *roles]))]


def count_account(user: User) -> dict[str, int]:
    return {"账户": 1}


def erase_account(user: User) -> None:
    """Leaves a tombstone: the pseudonym, so that what others did with this account still says who; nothing else."""
    user.groups.clear()
    user.user_permissions.clear()
    user.issuer, user.subject, user.last_login = "", None, None
    user.is_active = user.is_staff = user.is_superuser = user.is_auditor = False
    user.set_unusable_password()
    user.save()


def refuse_roles(user: User) -> list[str]:
    if user.is_superuser or user.is_staff or user.is_auditor:
        return ["您是运营人员或审计人员。请先让系统管理员收回这个权限，再注销。"]
    return []


# The identity --------------------------------------------------------------------------------------------------


def tell_identity(user: User) -> list[Entry]:
    held = Identity.objects.filter(user=user).first()
    if held is None:
        return []
    facts = facts_of(held, ["legal_name", "document_type"])
    if held.document_number:
        facts.append(Fact("证件号码", held.masked_number, held.document_number))
    return [Entry([*facts, *facts_of(held, ["phone", "name_vouched", "document_vouched", "confirmed_at"])])]


def count_identity(user: User) -> dict[str, int]:
    return {"身份信息": Identity.objects.filter(user=user).count()}


def erase_identity(user: User) -> None:
    Identity.objects.filter(user=user).delete()


# Consents and forms --------------------------------------------------------------------------------------------


def tell_consents(user: User) -> list[Entry]:
    return [Entry(facts_of(consent, ["notice", "at"])) for consent in Consent.objects.filter(user=user)]


def counts_nothing(user: User) -> dict[str, int]:
    return {}


def stays(user: User) -> None:
    """It ends with its own retention (accounts/retention.py)."""


def tell_kept_forms(user: User) -> list[Entry]:
    """That there is one, and since when: what stands in it is shown by the page that it belongs to."""
    kept = KeptForm.objects.filter(user=user).defer("content").order_by("pk")
    return [
        Entry([Fact("表单", "打开", form.path, form.path), Fact("保存时间", in_words(form.kept_at))]) for form in kept
    ]


def count_kept_forms(user: User) -> dict[str, int]:
    return {"没有保存的表单": KeptForm.objects.filter(user=user).count()}


def erase_kept_forms(user: User) -> None:
    KeptForm.objects.filter(user=user).delete()


def tell_sent_forms(user: User) -> list[Entry]:
    sent = SentForm.objects.filter(user=user).defer("answer").order_by("pk")
    return [Entry([Fact("办理时间", in_words(form.sent_at))]) for form in sent]


def count_sent_forms(user: User) -> dict[str, int]:
    return {"已办理的表单": SentForm.objects.filter(user=user).count()}


def erase_sent_forms(user: User) -> None:
    SentForm.objects.filter(user=user).delete()


# Sessions ------------------------------------------------------------------------------------------------------


def sessions_of(user: User) -> Iterator[Session]:
    """The rows of this person's sessions, also those that are over and not yet purged.

    What the release of before has written, or ended, while this one was put in its place is decoded to know whose it is: for
    a day there are many of those, so some at a time, by their keys, for without a cursor of the server's (behind a pooler)
    all of them would be held in memory.
    """
    store = SessionStore()
    rows = session_rows().filter(Q(account=user.pk) | Q(account=None)).order_by("pk")
    batch = list(rows[:BATCH])
    while batch:
        yield from (row for row in batch if store.decode(row.session_data).get(SESSION_KEY) == str(user.pk))
        batch = list(rows.filter(pk__gt=batch[-1].pk)[:BATCH]) if len(batch) == BATCH else []


def tell_sessions(user: User) -> list[Entry]:
    return [Entry([Fact("到期时间", in_words(row.expire_date))]) for row in sessions_of(user)]


def count_sessions(user: User) -> dict[str, int]:
    return {"登录会话": sum(1 for _ in sessions_of(user))}


def end_sessions(user: User, but: str = "") -> int:
    """End every session of this person, but for the one with this key; how many there were."""
    keys = [row.pk for row in sessions_of(user) if row.pk != but]
    session_rows().filter(pk__in=keys).delete()
    return len(keys)


def erase_sessions(user: User) -> None:
    end_sessions(user)


# The record ----------------------------------------------------------------------------------------------------


def tell_audit(user: User) -> list[Entry]:
    """What this person did and what was done with this person's data, the last lines first; not who else did it."""
    name = user.username
    lines = AuditEntry.objects.filter(Q(actor=name) | Q(subject=name) | Q(target=name)).order_by("-pk")
    return [
        Entry(
            [
                Fact("时间", in_words(line.at)),
                Fact("操作", line.verb_label),
                Fact("由谁", "您" if line.actor == name else "组委会或系统"),
                *([Fact("来源地址", line.address)] if line.actor == name and line.address else []),
            ]
        )
        for line in lines
    ]


HOLDINGS = (
    Holding(
        place=10,
        title="账户",
        why="认出您是谁：统一身份认证平台告诉本系统的用户标识，和本系统给您的代号。",
        how_long=lambda: UNTIL_CLOSED,
        covers=["accounts.User", "accounts.User_groups", "accounts.User_user_permissions"],
        tell=tell_account,
        count=count_account,
        erase=erase_account,
        refuses=refuse_roles,
        stays={"accounts.User": "只留账户代号，操作记录和审核记录里的代号靠它仍有所指。"},
    ),
    Holding(
        place=20,
        title="身份信息",
        why="核实参赛资格，防止冒名和重复报名。证件号码加密保存。",
        how_long=lambda: UNTIL_CLOSED,
        covers=["accounts.Identity"],
        tell=tell_identity,
        count=count_identity,
        erase=erase_identity,
    ),
    Holding(
        place=30,
        title="同意记录",
        why="证明您什么时候同意了哪一版《隐私告知》。",
        how_long=lambda: f"注销后只留账户代号、版本和时间，{days('consents')} 天后删除。",
        covers=["accounts.Consent"],
        tell=tell_consents,
        count=counts_nothing,
        erase=stays,
        stays={"accounts.Consent": "证明同意曾经给出；只有账户代号、版本和时间。"},
    ),
    Holding(
        place=80,
        title="没有保存的表单",
        why="登录超时那一刻您正在填写的内容，加密保存，重新登录后还给您。",
        how_long=lambda: f"您再次提交后删除，最多留 {days('kept_forms')} 天。",
        covers=["accounts.KeptForm"],
        tell=tell_kept_forms,
        count=count_kept_forms,
        erase=erase_kept_forms,
    ),
    Holding(
        place=85,
        title="已办理的表单",
        why="同一张表单重复提交时只办一次，并给您看同样的结果。结果加密保存。",
        how_long=lambda: f"{days('kept_forms')} 天。",
        covers=["accounts.SentForm"],
        tell=tell_sent_forms,
        count=count_sent_forms,
        erase=erase_sent_forms,
    ),
    Holding(
        place=90,
        title="登录会话",
        why="让您在登录之后不用每打开一页再登录一次。",
        how_long=lambda: f"退出时删除；到期的最多再留 {days('sessions')} 天。",
        covers=["accounts.Session"],
        tell=tell_sessions,
        count=count_sessions,
        erase=erase_sessions,
    ),
    Holding(
        place=100,
        title="操作记录",
        why="查清谁在什么时候做了什么：只写账户代号，不写姓名和号码；您自己的操作还有来源地址。",
        how_long=lambda: f"{days('audit')} 天。注销账户不删除这些记录，它们从不修改，到期整行删除。",
        covers=["accounts.AuditEntry"],
        tell=tell_audit,
        count=counts_nothing,
        erase=stays,
        stays={"accounts.AuditEntry": "网络安全法第二十一条要求保存日志；只有账户代号和来源地址，到期删除。"},
    ),
)
