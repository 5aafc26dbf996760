"""The record in the words of whoever reads it: what is stored are short codes, which outlive their wording."""

import re

from accounts import limits
from accounts.audit import ANONYMOUS
from accounts.verbs import Verb

DETAILS = {
    "wrong password": "账户代号或密码不正确",
    "too many attempts": "尝试次数太多",
    "document taken": "证件已由另一个账户确认过",
    "deactivated": "账户已停用",
    "superuser": "系统管理员",
    "removed": "收回密码",
    "photo sent back": "退回时的照片",
    "found": "找到一人",
    "not found": "没有找到唯一的一人",
    Verb.LOGIN_REFUSED.value: str(Verb.LOGIN_REFUSED.label),
}
# What follows is the class or the rule, for whoever looks into the log.
BEGINNINGS = {"platform unreachable: ": "联系不上平台", "answer not acceptable: ": "平台的回答不能接受"}
COUNTED = (
    *(limits.LOGIN, limits.CONFIRM, limits.UPLOAD, limits.CROP, limits.SUBMIT),
    *(limits.BULK, limits.SEARCH, limits.EXPORT, limits.MEMBER),
)
LIMITS = {f"limit:{limit.name}": limit.doing for limit in COUNTED}
PURGED = {
    "drafts": "草稿",
    "jobs": "批量处理的结果",
    "closed_plans": "已结束竞赛的报名",
    "uploads": "照片",
    "kept_forms": "没有保存的表单",
    "sessions": "登录会话",
    "invitations": "组委会邀请",
    "consents": "同意记录",
    "audit": "操作记录",
    "messages": "消息",
    "tasks": "做完的后台任务",
    "nothing": "没有到期的",
    "interrupted": "中断",
}
# Of a backup, beside its numbers and its moment.
BACKED_UP = {"rows": "行", "files": "文件", "bytes": "字节", "made": "做于"}
DEADLINES = {"registration": "报名截止", "corrections": "修改截止"}


def actor(stored: str) -> str:
    """With the code, here and in target(): the question asks for that."""
    return f"未登录（{stored}）" if stored == ANONYMOUS else stored


def target(stored: str) -> str:
    return f"{LIMITS[stored]}（{stored}）" if stored in LIMITS else stored


def detail(verb: str, stored: str) -> str:
    """A code that is not known stands for itself."""
    if verb == Verb.DATA_PURGED:
        return re.sub("[a-z_]+", lambda word: PURGED.get(word[0], word[0]), stored).replace(", ", "，")
    if verb in {Verb.BACKUP_MADE, Verb.BACKUP_RESTORED}:
        return re.sub("[a-z]+", lambda word: BACKED_UP.get(word[0], word[0]), stored).replace(", ", "，")
    if verb == Verb.DEADLINE_EXTENDED:
        return re.sub("[a-z]+", lambda word: DEADLINES.get(word[0], word[0]), stored).replace(", ", "，")
    for beginning, words in BEGINNINGS.items():
        if stored.startswith(beginning):
            return f"{words}（{stored.removeprefix(beginning)}）"
    return DETAILS.get(stored, stored)
