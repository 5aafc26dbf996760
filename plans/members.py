"""Who comes into a plan's committee, changes the role or leaves: each with its line in the record, in one transaction."""

from django.db import transaction

from accounts import clock
from accounts.audit import record
from accounts.models import Identity, User
from accounts.verbs import Verb
from plans.invitation_links import new_token, token_of
from plans.models import CommitteeMember, Invitation, Plan, Role

# More people of one name than this, and the last characters of a document no longer say who is meant.
MOST_OF_A_NAME = 500
LAST_CHARACTERS = 4
GONE = "没有改动：这位成员刚刚被移出组委会。请看过现在的成员列表。"


class MemberRefused(Exception):
    """`str()` is the sentence for the person at the screen."""


def find(legal_name: str, last: str) -> User | None:
    """The one person with exactly this name and these last characters of the document; None for nobody and for several."""
    held = Identity.objects.filter(legal_name=legal_name, confirmed_at__isnull=False, user__is_active=True)
    people = list(held.select_related("user")[: MOST_OF_A_NAME + 1])
    matching = [person.user for person in people if person.document_number[-LAST_CHARACTERS:].upper() == last.upper()]
    return matching[0] if len(people) <= MOST_OF_A_NAME and len(matching) == 1 else None


@transaction.atomic
def appoint(plan: Plan, user: User, role: str, by: User) -> CommitteeMember:
    member, added = CommitteeMember.objects.get_or_create(plan=plan, user=user, defaults={"role": role, "added_by": by})
    if not added:
        raise MemberRefused(f"{user}已经是这个竞赛计划的组委会成员，没有改动。要更换角色，请在成员列表里改。")
    note(by, Verb.MEMBER_ADDED, member)
    return member


@transaction.atomic
def change_role(member: CommitteeMember, role: str, by: User) -> None:
    """Raises MemberRefused for the last manager, and for whoever was put out meanwhile."""
    if role != Role.MANAGER:
        keep_a_manager(member)
    if not CommitteeMember.objects.filter(pk=member.pk).update(role=role):
        raise MemberRefused(GONE)
    member.role = role
    note(by, Verb.MEMBER_CHANGED, member)


@transaction.atomic
def remove(member: CommitteeMember, by: User) -> None:
    """Raises MemberRefused for the last manager, and for whoever was put out meanwhile."""
    keep_a_manager(member)
    if not CommitteeMember.objects.filter(pk=member.pk).delete()[0]:
        raise MemberRefused(GONE)
    note(by, Verb.MEMBER_REMOVED, member)


def keep_a_manager(member: CommitteeMember) -> None:
    """Of two managers who put each other out in the same instant the second is refused: the plan's row is the queue."""
    Plan.objects.select_for_update(no_key=True).get(pk=member.plan_id)
    managers = CommitteeMember.objects.filter(plan=member.plan_id, role=Role.MANAGER, user__is_active=True)
    if not managers.exclude(pk=member.pk).exists() and managers.filter(pk=member.pk).exists():
        raise MemberRefused("每个竞赛计划至少要有一位管理成员。请先让另一位成员担任“管理”，再改这一位。")


@transaction.atomic
def invite(plan: Plan, role: str, by: User, key: str = "") -> tuple[Invitation, str]:
    """An invitation and its token; for the `key` of a form that was sent before, the same that it was answered with."""
    User.objects.select_for_update(no_key=True).get(pk=by.pk)  # of two clicks the second waits, and finds the first's
    if key and (before := Invitation.objects.of_token(token := token_of(plan, role, by, key))):
        return before, token
    invitation, token = Invitation.make(plan, role, by, token_of(plan, role, by, key) if key else new_token())
    record(by, Verb.INVITATION_MADE, invitation, detail=f"{plan.code} {role}")
    return invitation, token


@transaction.atomic
def revoke(invitation: Invitation, by: User) -> bool:
    """Whether it was still open."""
    if not invitation.stands(revoked_at=clock.now()):
        return False
    record(by, Verb.INVITATION_REVOKED, invitation, detail=f"{invitation.plan.code} {invitation.role}")
    return True


@transaction.atomic
def accept(invitation: Invitation, user: User) -> CommitteeMember:
    """Raises MemberRefused where somebody was faster, or where the person belongs to the committee already."""
    if not invitation.stands(used_at=clock.now(), used_by=user):
        raise MemberRefused("这个邀请链接刚刚失效，您没有加入。请向邀请人要一个新的链接。")
    member, added = CommitteeMember.objects.get_or_create(
        plan=invitation.plan, user=user, defaults={"role": invitation.role, "added_by": invitation.by}
    )
    if not added:
        raise MemberRefused("您已经是这个竞赛计划的组委会成员，链接没有用掉。")
    note(user, Verb.MEMBER_ADDED, member)
    return member


def vouched_for(invitation: Invitation) -> bool:
    """Whether whoever invited still may: a manager who was put out, or locked out, invites nobody any more."""
    return invitation.by.is_active and invitation.plan.has_member(invitation.by, Role.MANAGER)


def note(by: User, verb: Verb, member: CommitteeMember) -> None:
    """A line as the command add_committee_member writes it."""
    record(by, verb, member.user, detail=f"{member.plan.code} {member.role}")
