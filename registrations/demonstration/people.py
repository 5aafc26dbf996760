"""The people of the demonstration: those whom the identity sandbox knows, and a crowd of applicants. All invented."""

from dataclasses import dataclass
from datetime import date

from accounts.identity import DocumentType, Sex, check_character
from profiles.choices import Education, EmployerType, PoliticalStatus, SkillLevel


@dataclass(frozen=True)
class Person:
    """Somebody with an account at the platform, as the platform vouches for them."""

    subject: str
    name: str
    number: str
    phone: str
    document_type: DocumentType = DocumentType.RESIDENT_ID

    @property
    def claims(self) -> dict[str, str]:
        return {
            "name": self.name,
            "id_type": self.document_type.value,
            "id_number": self.number,
            "phone_number": self.phone,
        }


def known(username: str, name: str, seventeen: str, phone: str) -> Person:
    """An account of the sandbox (identity_sandbox/people.py, which the portal never imports; a test compares them)."""
    return Person(f"demo-{username}", name, seventeen + check_character(seventeen), phone)


KNOWN = {
    "wangxiaoming": known("wangxiaoming", "王晓明", "11010519900307" + "101", "13800001001"),
    "lifang": known("lifang", "李芳", "11010819930512" + "202", "13800001002"),
    "zhaolei": known("zhaolei", "赵磊", "11011219881123" + "303", "13800001003"),
    "chenjing": known("chenjing", "陈静", "11010219960728" + "404", "13800001004"),
    "zhoumin": known("zhoumin", "周敏", "11010119790916" + "606", "13800001007"),
    "hanmei": known("hanmei", "韩梅", "11010719850203" + "708", "13800001008"),
    "gaoyuan": known("gaoyuan", "高远", "11011519820630" + "809", "13800001009"),
    "operator": known("operator", "马运维", "11011119870819" + "911", "13800001010"),
}
OPERATOR = "operator"

MEN_NAMES = (
    "张建国 刘志强 杨海涛 黄俊杰 吴宏伟 徐振东 孙立军 胡文斌 朱永刚 高天宇 林子豪 何明远 郭松涛 马俊峰 罗春雷 梁国栋 宋博文 "
    "郑凯旋 谢东升 唐铁柱 许嘉诚 邓小兵 冯志远 曹学军 彭浩然 曾庆丰 肖卫东 田家辉 董连生 袁思齐"
).split()
WOMEN_NAMES = (
    "王秀英 李雪梅 张晓燕 刘玉兰 陈思雨 杨丽娟 黄雅婷 周佳怡 吴春燕 徐慧敏 孙婷婷 胡月华 朱晓彤 高淑珍 林静怡 何艳红 郭梦瑶 "
    "马桂芳 罗诗涵 梁凤霞 宋雨桐 郑红梅 谢文静 唐美玲 许若溪 邓翠萍 冯欣然 曹爱华 彭晓琳 曾丹丹"
).split()
# Where a number was issued first; not where somebody lives now.
REGIONS = ("110101", "110105", "110106", "110108", "110112", "130102", "120103", "370102", "410105", "140105", "211002")
DISTRICTS = (
    ("北京市朝阳区团结路", "100020"),
    ("北京市海淀区学府街", "100080"),
    ("北京市丰台区康宁路", "100071"),
    ("北京市通州区运河大街", "101100"),
    ("北京市大兴区工匠路", "102600"),
    ("北京市昌平区南山路", "102200"),
)
# Documents that are not a resident identity card, so that a committee meets them too: (name, type, number).
OTHERS = {
    16: ("陈嘉豪", DocumentType.HK_MACAO_PERMIT, "81000019920418" + "001"),
    29: ("林怡君", DocumentType.TAIWAN_PERMIT, "83000020050922" + "002"),
    44: ("DAVID BROWN", DocumentType.PASSPORT, "P07X41950"),
}


def crowd(serial: int, division: str) -> Person:
    """The applicant with this number, from 0 to 59, of an age that fits the division."""
    phone = f"1380000{2000 + serial}"
    subject = f"demo-applicant-{serial + 1:02}"
    if serial in OTHERS:
        name, kind, number = OTHERS[serial]
        complete = number if kind == DocumentType.PASSPORT else number + check_character(number)
        return Person(subject, name, complete, phone, kind)
    names = WOMEN_NAMES if is_woman(serial) else MEN_NAMES
    first, span = {"student": (2005, 3), "teacher": (1978, 15)}.get(division, (1974, 27))
    born = date(first + serial * 7 % span, 1 + serial * 5 % 12, 1 + serial * 11 % 28)
    sequence = 100 + 2 * serial + (0 if is_woman(serial) else 1)
    seventeen = f"{REGIONS[serial % len(REGIONS)]}{born:%Y%m%d}{sequence}"
    return Person(subject, names[serial // 2], seventeen + check_character(seventeen), phone)


def is_woman(serial: int) -> bool:
    return serial % 2 == 1


EMPLOYERS = {
    "电工": (("北京城北电力工程有限公司", EmployerType.STATE), ("北京恒达机电设备有限公司", EmployerType.PRIVATE)),
    "数控车工": (("北京精工机械制造有限公司", EmployerType.PRIVATE), ("京北重型机器厂", EmployerType.STATE)),
    "焊工": (("北京安泰钢结构工程有限公司", EmployerType.PRIVATE), ("首都轨道车辆装备有限公司", EmployerType.STATE)),
    "养老护理员": (("北京康乐颐养中心", EmployerType.PRIVATE), ("丰台区第二社会福利院", EmployerType.PUBLIC)),
    "中式烹调师": (("北京聚福楼餐饮有限公司", EmployerType.PRIVATE), ("首都迎宾饭店", EmployerType.STATE)),
    "中式面点师": (("北京巧手面点食品有限公司", EmployerType.PRIVATE), ("京华老字号糕点厂", EmployerType.STATE)),
}
SCHOOLS = ("北京精工技师学院", "北京数智技师学院", "北京工匠技师学院", "北京康养职业学院")
MAJORS = {"电工": "电气自动化", "数控车工": "数控加工", "焊工": "焊接技术", "养老护理员": "老年服务与管理"}
GRADES = (SkillLevel.L4, SkillLevel.L3, SkillLevel.L3, SkillLevel.L2, SkillLevel.NONE, SkillLevel.L1)


def details(person: Person, serial: int, trade: str, division: str) -> dict[str, object]:
    """What this person fills in when registering for this trade, in every field that applies."""
    street, postcode = DISTRICTS[serial % len(DISTRICTS)]
    return {
        "sex": Sex.FEMALE.value if is_woman(serial) else Sex.MALE.value,
        "birth_date": date(1988, 1 + serial % 12, 15),  # the document's own goes first where it carries one
        "ethnicity": ("汉族", "汉族", "汉族", "满族", "汉族", "回族", "汉族", "蒙古族")[serial % 8],
        "political_status": list(PoliticalStatus)[(serial * 3 + 4) % 5].value,
        "phone": person.phone,
        "email": f"{person.subject.removeprefix('demo-')}@example.cn",
        "address": f"{street} {serial % 40 + 1} 号院 {serial % 9 + 1} 号楼",
        "postcode": postcode,
        "emergency_contact": (MEN_NAMES if is_woman(serial) else WOMEN_NAMES)[(serial * 7 + 3) % 30],
        "emergency_phone": f"1390000{2000 + serial}",
        **occupation_details(serial, trade, division),
    }


def occupation_details(serial: int, trade: str, division: str) -> dict[str, object]:
    """School and work, as people of the division have them."""
    school, major = SCHOOLS[serial % len(SCHOOLS)], MAJORS.get(trade, "")
    if division == "student":
        grade = SkillLevel.L4 if serial % 3 else SkillLevel.NONE
        return {"education": Education.VOCATIONAL.value, "school": school, "major": major, **certificate(serial, grade)}
    if division == "teacher":
        work = {"employer": school, "employer_type": EmployerType.SCHOOL.value, "position": "专业课教师"}
        studies = {"education": Education.BACHELOR.value, "school": "首都职业师范学院", "major": "机械工程"}
        return {**studies, **work, "years_of_service": 6 + serial % 15, **certificate(serial, SkillLevel.L2)}
    employer, kind = EMPLOYERS[trade][serial % 2]
    education = (Education.COLLEGE, Education.VOCATIONAL, Education.HIGH_SCHOOL, Education.BACHELOR)[serial % 4]
    return {
        "education": education.value,
        "school": school,
        "major": major,
        "employer": employer,
        "employer_type": kind.value,
        "position": ("技术员", "班组长", "操作工", "主管")[serial % 4],
        "years_of_service": 2 + serial * 3 % 19,
        **certificate(serial, GRADES[serial % len(GRADES)]),
    }


def certificate(serial: int, grade: SkillLevel) -> dict[str, object]:
    number = "" if grade == SkillLevel.NONE else f"S0000110{serial:02}{grade.value[-1]}26{serial * 7919 % 100000:05}"
    return {"skill_level": grade.value, "certificate_number": number}
