"""The lists that personal details are picked from, by their national standards."""

from django.db import models

# GB/T 3304-1991, in its order; stored as written, so that an export needs no table.
# fmt: off
ETHNIC_GROUPS = [
    "汉族", "蒙古族", "回族", "藏族", "维吾尔族", "苗族", "彝族", "壮族",
    "布依族", "朝鲜族", "满族", "侗族", "瑶族", "白族", "土家族", "哈尼族",
    "哈萨克族", "傣族", "黎族", "傈僳族", "佤族", "畲族", "高山族", "拉祜族",
    "水族", "东乡族", "纳西族", "景颇族", "柯尔克孜族", "土族", "达斡尔族", "仫佬族",
    "羌族", "布朗族", "撒拉族", "毛南族", "仡佬族", "锡伯族", "阿昌族", "普米族",
    "塔吉克族", "怒族", "乌孜别克族", "俄罗斯族", "鄂温克族", "德昂族", "保安族", "裕固族",
    "京族", "塔塔尔族", "独龙族", "鄂伦春族", "赫哲族", "门巴族", "珞巴族", "基诺族",
]
# fmt: on
ETHNICITIES = [(name, name) for name in [*ETHNIC_GROUPS, "其他"]]


class PoliticalStatus(models.TextChoices):
    """GB/T 4762-1984, shortened to what registration forms ask."""

    PARTY = "party", "中共党员"
    PROBATIONARY = "probationary", "中共预备党员"
    LEAGUE = "league", "共青团员"
    DEMOCRATIC = "democratic", "民主党派成员"
    NONE = "none", "群众"


class Education(models.TextChoices):
    """GB/T 4658-2006, shortened to what registration forms ask."""

    DOCTOR = "doctor", "博士研究生"
    MASTER = "master", "硕士研究生"
    BACHELOR = "bachelor", "大学本科"
    COLLEGE = "college", "大学专科"
    VOCATIONAL = "vocational", "中等职业教育（中专、职高、技校）"
    HIGH_SCHOOL = "high_school", "普通高中"
    MIDDLE_SCHOOL = "middle_school", "初中及以下"


class EmployerType(models.TextChoices):
    STATE = "state", "国有企业"
    PRIVATE = "private", "民营企业"
    FOREIGN = "foreign", "外资或合资企业"
    PUBLIC = "public", "机关或事业单位"
    SCHOOL = "school", "院校"
    SELF = "self", "个体或灵活就业"
    OTHER = "other", "其他"


class SkillLevel(models.TextChoices):
    """The eight-grade ladder of vocational skill levels (人社部发〔2022〕14号), and professional titles."""

    NONE = "none", "无"
    L5 = "l5", "初级工（五级）"
    L4 = "l4", "中级工（四级）"
    L3 = "l3", "高级工（三级）"
    L2 = "l2", "技师（二级）"
    L1 = "l1", "高级技师（一级）"
    EXPERT = "expert", "特级技师"
    CHIEF = "chief", "首席技师"
    TITLE = "title", "专业技术职称"
