"""What the committees hold about a person: memberships, invitations, and what the desk noted down about what was edited there."""

import json
from collections.abc import Iterator
from typing import Any

from django.contrib.admin.models import LogEntry
from django.db.models import Q

from accounts import retention
from accounts.models import User
from accounts.personal_data import Entry, Fact, Holding, days, facts_of, in_words
from photos.removal import OrphanFiles
from photos.sweep import Place
from plans.models import Attachment, CommitteeMember, Invitation, Role

BATCH = 500


def tell(user: User) -> Iterator[Entry]:
    for member in CommitteeMember.objects.filter(user=user).select_related("plan"):
        yield Entry([Fact("竞赛计划", member.plan.title), *facts_of(member, ["role", "since"])], "组委会成员")
    for invitation in Invitation.objects.filter(Q(by=user) | Q(used_by=user)).select_related("plan"):
        what = "发出的组委会邀请" if invitation.by_id == user.pk else "接受的组委会邀请"
        yield Entry([Fact("竞赛计划", invitation.plan.title), *facts_of(invitation, ["role", "created_at"])], what)
    for line in LogEntry.objects.filter(user=user):
        yield Entry([Fact("时间", in_words(line.action_time)), Fact("对象", line.object_repr)], "在工作台做的修改")


def count(user: User) -> dict[str, int]:
    return {"工作台记录里的姓名": sum(1 for _ in naming(user))}


def erase(user: User) -> None:
    """The lines stay, they are about plans; where one names the person as a member, the pseudonym stands instead."""
    for line in list(naming(user)):
        line.change_message = json.dumps(renamed(json.loads(line.change_message), user))
        line.save(update_fields=["change_message"])


def naming(user: User) -> Iterator[LogEntry]:
    """Lines about plans in which the person was made a member, changed or removed: Django notes `姓名（角色）` there."""
    if not user.legal_name:
        return
    # As JSON escapes it: that is what stands in the column.
    name = json.dumps(user.legal_name)[1:-1]
    for line in LogEntry.objects.filter(change_message__contains=name).iterator(chunk_size=BATCH):
        try:
            message = json.loads(line.change_message)
        except ValueError:
            continue
        if renamed(message, user) != message:
            yield line


def renamed(message: Any, user: User) -> Any:
    if isinstance(message, dict):
        return {key: renamed(value, user) for key, value in message.items()}
    if isinstance(message, list):
        return [renamed(value, user) for value in message]
    if message in {f"{user.legal_name}（{role.label}）" for role in Role}:
        return str(message).replace(user.legal_name, user.username, 1)
    return message


def refuses(user: User) -> list[str]:
    titles = CommitteeMember.objects.filter(user=user).values_list("plan__title", flat=True)
    return [f"您是“{title}”的组委会成员。请先让组委会把您移出，再注销。" for title in titles]


HOLDING = Holding(
    place=70,
    title="组委会工作",
    why="让组委会成员只看到自己负责的竞赛计划，并查得出谁修改过竞赛计划。",
    how_long=lambda: (
        f"成员身份到被移出为止；邀请在失效 {days('invitations')} 天后删除；工作台记录与竞赛计划一同保存，注销时其中的姓名换成账户代号。"
    ),
    covers=["plans.CommitteeMember", "plans.Invitation", "admin.LogEntry"],
    tell=tell,
    count=count,
    erase=erase,
    refuses=refuses,
    stays={
        "admin.LogEntry": "竞赛计划的修改记录，说的是竞赛计划；操作人只剩账户代号。",
        "plans.Invitation": "谁邀请了谁进组委会；只剩账户代号，到期删除。",
    },
)

PARTS = (
    retention.Rows(
        "invitations",
        "失效的组委会邀请",
        lambda before: Invitation.objects.filter(expires_at__lt=before),
        retention.remove_rows,
    ),
    OrphanFiles("uploads", "没有记录的附件", places=(Place("附件", "attachments", Attachment, "file"),)),
)
