"""The demo's people: invented names, invented numbers, one published password for all."""

from dataclasses import dataclass

from identity_sandbox.documents import KINDS, PASSPORT, RESIDENT_ID, complete

PASSWORD = "demo-2026"


@dataclass(frozen=True)
class Person:
    """One account of the demo; without a name the platform vouches for nothing."""

    username: str
    part: str  # what the person does in the demo
    name: str = ""
    id_type: str = ""
    id_number: str = ""
    phone_number: str = ""

    @property
    def subject(self) -> str:
        """The `sub` claim: fixed, so that the portal's demonstration data can name it."""
        return f"demo-{self.username}"

    @property
    def kind(self) -> str:
        return KINDS.get(self.id_type, "")


def resident(username: str, part: str, name: str, seventeen: str, phone_number: str) -> Person:
    """A verified person; the number is the first 17 digits of the resident identity number (GB 11643)."""
    return Person(username, part, name, RESIDENT_ID, complete(seventeen), phone_number)


PEOPLE = (
    resident("wangxiaoming", "报名人员", "王晓明", "11010519900307" + "101", "13800001001"),
    resident("lifang", "报名人员", "李芳", "11010819930512" + "202", "13800001002"),
    resident("zhaolei", "报名人员", "赵磊", "11011219881123" + "303", "13800001003"),
    resident("chenjing", "报名人员", "陈静", "11010219960728" + "404", "13800001004"),
    resident("newcomer", "报名人员（第一次登录）", "孙新", "11010620010415" + "505", "13800001005"),
    Person("zhangwei", "报名人员（未实名）"),
    Person("liuyang", "报名人员（未实名）"),
    Person("anna", "报名人员", "ANNA MUELLER", PASSPORT, "C01X00T47", "13800001006"),
    resident("zhoumin", "组委会", "周敏", "11010119790916" + "606", "13800001007"),
    resident("hanmei", "组委会", "韩梅", "11010719850203" + "708", "13800001008"),
    resident("gaoyuan", "组委会", "高远", "11011519820630" + "809", "13800001009"),
    resident("operator", "运维", "马运维", "11011119870819" + "911", "13800001010"),
)
