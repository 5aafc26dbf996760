"""The plans of a seeded database, what they offer, and their committee."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.conf import settings

from accounts.identity import DocumentNumber, DocumentType, Sex
from accounts.models import Consent, Identity, User
from plans.models import CommitteeMember, Division, Level, Occupation, Plan, Role
from registrations.demonstration.plans import RULES
from registrations.seeding.people import COMMITTEE_REGION, TRADES, resident_number

CODE = "SEED-{:02}"
OPEN_DAYS = timedelta(days=10)  # since when and until when
REVIEWERS = 4
DECIDERS = [*(f"seed-reviewer-{number}" for number in range(1, REVIEWERS + 1)), "seed-manager"]
REQUIREMENTS = "在京从事相关工作满 2 年，年满 18 周岁，符合国家职业技能标准规定的申报条件。"


@dataclass(frozen=True)
class Offer:
    """A plan with its occupations by trade and division, and the people who decide in it."""

    plan: Plan
    occupations: dict[tuple[str, str], Occupation]
    deciders: Sequence[User]


def offers(number: int, now: datetime) -> list[Offer]:
    """So many plans, open at `now` (aware): those that there are from an earlier time stay open, others are made."""
    committee = [decider(username, rank) for rank, username in enumerate(DECIDERS)]
    return [offer(rank, committee, now) for rank in range(1, number + 1)]


def offer(rank: int, committee: Sequence[User], now: datetime) -> Offer:
    plan, _ = Plan.objects.get_or_create(
        code=CODE.format(rank),
        defaults={
            "title": f"第 {rank} 届压力测试职业技能竞赛（虚构）",
            "level": list(Level)[rank % len(Level)],
            "organiser": "北京市人力资源和社会保障局",
            "co_organiser": "北京精工技师学院",
            "contact": "竞赛办公室",
            "contact_phone": "010-55550100",
            "place": "北京市通州区技能路 1 号",
            "description": f"为测试系统容量而建立的**虚构**竞赛。\n{RULES}",
            "registration_opens_at": now - OPEN_DAYS,
            "registration_closes_at": now + OPEN_DAYS,
            "competition_starts_on": (now + 3 * OPEN_DAYS).date(),
            "published_at": now - OPEN_DAYS - timedelta(days=1),
        },
    )
    if plan.registration_closes_at < now + OPEN_DAYS / 2:
        plan.registration_closes_at = now + OPEN_DAYS
        plan.save(update_fields=["registration_closes_at"])
    wanted = [(trade, division.value) for division in Division for trade in TRADES]
    for trade, division in wanted:
        Occupation.objects.get_or_create(
            plan=plan, name=trade, division=division, defaults={"requirements": REQUIREMENTS, "code": "6-31-01-03"}
        )
    for user in committee:
        role = Role.MANAGER if user.username == DECIDERS[-1] else Role.REVIEWER
        CommitteeMember.objects.get_or_create(plan=plan, user=user, defaults={"role": role})
    found = {(each.name, each.division): each for each in plan.occupations.all()}
    return Offer(plan, {key: found[key] for key in wanted}, committee)


def decider(username: str, rank: int) -> User:
    """Somebody who has confirmed an identity, as everybody must who sees anything here."""
    user, made = User.objects.get_or_create(
        username=username, defaults={"issuer": settings.OIDC_OP_ISSUER, "subject": username}
    )
    if made:
        number = resident_number(COMMITTEE_REGION, date(1980, 1, 1 + rank), 2 * rank + 1)
        held = Identity.objects.create(user=user)
        document = DocumentNumber(DocumentType.RESIDENT_ID, number, date(1980, 1, 1 + rank), Sex.MALE)
        held.confirm(legal_name=f"周审核{'一二三四五'[rank]}", document=document)
        Consent.give(user)
    return user
