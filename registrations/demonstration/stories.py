"""Who registers where, and what becomes of it: the registrations of the demonstration before they are made."""

from collections.abc import Iterator
from dataclasses import dataclass

from photos.reasons import Reason
from registrations.demonstration.people import KNOWN, Person, crowd, details, is_woman
from registrations.demonstration.plans import PLANS, Outline, Trade
from registrations.demonstration.portraits import GREY_GROUND, MEN, WOMEN, Look
from registrations.workflow import Action

ROADS: dict[str, tuple[Action, ...]] = {
    "draft": (),
    "recalled": (Action.SUBMIT, Action.RECALL),
    "submitted": (Action.SUBMIT,),
    "resubmitted": (Action.SUBMIT, Action.RETURN, Action.SUBMIT),
    "reopened": (Action.SUBMIT, Action.REJECT, Action.REOPEN),
    "returned": (Action.SUBMIT, Action.RETURN),
    "approved": (Action.SUBMIT, Action.APPROVE),
    "rejected": (Action.SUBMIT, Action.REJECT),
    "withdrawn": (Action.SUBMIT, Action.WITHDRAW),
}
# What becomes of the crowd's registrations in each plan, one after the other.
FATES = {
    "JNJS-ZBZZ": (
        "submitted approved submitted draft submitted returned approved submitted reopened submitted rejected submitted "
        "approved resubmitted submitted withdrawn submitted approved returned submitted recalled submitted approved submitted"
    ),
    "JNJS-YLHL": (
        "submitted submitted approved draft submitted returned submitted approved withdrawn submitted submitted "
        "approved resubmitted draft"
    ),
    "JNJS-PRJN": (
        "approved approved rejected approved submitted approved withdrawn approved submitted rejected draft approved"
    ),
    "JNJS-QGXB": "submitted approved submitted approved approved submitted approved approved submitted approved",
}
WHAT_TO_FIX = (
    {"certificate_number": "证书编号与证书不一致，请核对后重新填写。"},
    {"portrait": "", "employer": "请填写营业执照上的单位全称。"},
    {"skill_level": "所填等级与证书不符，请按证书填写。", "education": "请填写已取得的最高学历。"},
)
GREY_PORTRAIT = {"portrait": "现在是灰色背景，这个竞赛要白色的。", "employer": "请填写营业执照上的单位全称。"}
NOTES = {
    Action.APPROVE: ("", "材料齐全，符合参赛条件。", ""),
    Action.REJECT: ("工作单位不在本市，不符合参赛条件。", "所持证书的等级低于参赛条件的要求。"),
    Action.REOPEN: ("本人补交了有效的证明，重新审核。",),
}


@dataclass(frozen=True)
class Story:
    """One registration: whose, for what, and how far it came."""

    serial: int
    person: Person
    look: Look
    plan: Outline
    trade: Trade | None
    fate: str
    details: dict[str, object]
    seen: bool = True

    @property
    def road(self) -> tuple[Action, ...]:
        return ROADS[self.fate]

    def note(self, action: Action) -> str:
        said = NOTES.get(action, ("",))
        return said[self.serial % len(said)]

    def items(self, action: Action) -> dict[str, str]:
        if action != Action.RETURN:
            return {}
        return GREY_PORTRAIT if self.look is GREY_GROUND else WHAT_TO_FIX[self.serial % len(WHAT_TO_FIX)]

    def reasons(self, action: Action) -> tuple[Reason, ...]:
        """What is wrong with the portrait, where something is."""
        if "portrait" not in self.items(action):
            return ()
        return (Reason.BACKGROUND,) if self.look is GREY_GROUND else (Reason.HEAD_SMALL,)


def look_of(serial: int) -> Look:
    looks = WOMEN if is_woman(serial) else MEN
    return looks[serial // 2 % len(looks)]


def outline(code: str) -> Outline:
    return next(plan for plan in PLANS if plan.code == code)


def crowd_stories() -> Iterator[Story]:
    serial = 0
    for code, fates in FATES.items():
        plan = outline(code)
        for place, fate in enumerate(fates.split()):
            trade = plan.trades[trade_for(plan, place)]
            person = crowd(serial, trade.division)
            filled = details(person, serial, trade.name, trade.division)
            if fate == "draft":  # not finished yet
                filled |= {"emergency_contact": "", "emergency_phone": "", "address": ""}
            chosen = None if fate == "draft" and serial % 2 else trade
            yield Story(serial, person, look_of(serial), plan, chosen, fate, filled, seen=serial % 3 == 0)
            serial += 1


def trade_for(plan: Outline, place: int) -> int:
    """Seats are taken evenly; in the small plan until the second trade is full and the first has one seat left."""
    if plan.code == "JNJS-QGXB":
        return 1 if place % 4 == 1 else 0
    return place % len(plan.trades)


def known_details(username: str, trade: Trade) -> dict[str, object]:
    serial = 60 + list(KNOWN).index(username)
    return details(KNOWN[username], serial, trade.name, trade.division)


def known_story(
    username: str, look: Look, code: str, trade: int | None, fate: str, *, seen: bool = True, serial: int = 61
) -> Story:
    """A registration of somebody whom the sandbox knows."""
    plan = outline(code)
    filled = known_details(username, plan.trades[trade or 0])
    chosen = None if trade is None else plan.trades[trade]
    return Story(serial, KNOWN[username], look, plan, chosen, fate, filled, seen)


def known_stories() -> Iterator[Story]:
    """李芳 has something to fix, 赵磊 something to read and something that is held, 陈静 something to finish before tomorrow."""
    yield known_story("lifang", GREY_GROUND, "JNJS-ZBZZ", 0, "returned", seen=False)
    yield known_story("zhaolei", MEN[1], "JNJS-QGXB", 0, "approved", serial=62)
    yield known_story("zhaolei", MEN[1], "JNJS-ZBZZ", 4, "approved", seen=False, serial=64)
    yield known_story("zhaolei", MEN[1], "JNJS-PRJN", 0, "approved", serial=70)
    yield known_story("chenjing", WOMEN[1], "JNJS-ZBZZ", 0, "submitted", serial=73)
    yield known_story("chenjing", WOMEN[1], "JNJS-YLHL", None, "draft", serial=74)


def stories() -> list[Story]:
    return [*crowd_stories(), *known_stories()]
