"""The six plans of the demonstration: one in every state that a plan can be in."""

import io
from dataclasses import dataclass, field

import xlsxwriter

from plans.models import Division, Level, Role
from registrations.demonstration.calendar import Window

SHEET_WIDTH = 90  # characters: a page in upright format
WORKER, STUDENT, TEACHER = Division.WORKER, Division.STUDENT, Division.TEACHER


@dataclass(frozen=True)
class Trade:
    """职业（工种） as a plan offers it."""

    name: str
    code: str
    division: Division
    skill_level: str
    requirements: str
    capacity: int | None


@dataclass(frozen=True)
class Outline:
    """A plan before it has dates."""

    code: str
    title: str
    level: Level
    category: str
    organiser: str
    co_organiser: str
    place: str
    contact: str
    contact_phone: str
    window: Window
    trades: tuple[Trade, ...]
    about: str
    published: bool = True
    holds_decisions: bool = False
    members: dict[str, Role] = field(default_factory=dict)

    @property
    def description(self) -> str:
        return f"{self.about}\n{RULES}".strip()  # as the desk's form would have stored it

    def regulations(self) -> bytes:
        """The attachment: the regulations as a workbook, a kind that committees may offer, too (plans/attachments.py)."""
        offered = [f"　　{trade.name}（{trade.division.label}）：{trade.requirements}" for trade in self.trades]
        lines = [
            f"{self.title}竞赛规程",
            "（演示用）",
            "",
            "一、竞赛职业（工种）和参赛条件",
            *offered,
            "",
            *REGULATIONS,
        ]
        out = io.BytesIO()
        with xlsxwriter.Workbook(out, {"in_memory": True}) as book:
            sheet, wrapped = book.add_worksheet("竞赛规程"), book.add_format({"text_wrap": True})
            sheet.set_column(0, 0, SHEET_WIDTH, wrapped)
            sheet.fit_to_pages(1, 0)
            for row, line in enumerate(lines):
                sheet.write_string(row, 0, line)
        return out.getvalue()


RULES = """
### 报名材料

- 近期免冠正面证件照，白色背景，由本系统裁切；
- 职业资格证书或职业技能等级证书的编号（有等级的填写）；
- 工作单位或就读院校的全称。

### 竞赛方式

| 项目 | 时长 | 占总成绩 |
|---|---|---|
| 理论知识 | 90 分钟 | 30% |
| 实际操作 | 240 分钟 | 70% |

### 奖励

各职业（工种）决赛成绩排名**前三名**的选手由组委会颁发证书；成绩合格的，按规定晋升职业技能等级。

> 审核结果只在本系统公布，组委会不会来电索要密码、验证码，也不收取任何费用。
"""
REGULATIONS = (
    "二、竞赛内容",
    "　　竞赛分理论知识和实际操作两部分，按国家职业技能标准命题。",
    "三、评分",
    "　　总成绩由理论知识成绩（占 30%）和实际操作成绩（占 70%）组成；总成绩相同的，实际操作成绩高者列前。",
    "四、纪律",
    "　　选手凭有效证件和参赛证入场，迟到 15 分钟以上的按弃权处理。",
)

PLANS = (
    Outline(
        code="JNJS-ZBZZ",
        title="北京市职业技能大赛装备制造类竞赛",
        level=Level.CITY,
        category="一类",
        organiser="北京市人力资源和社会保障局",
        co_organiser="北京精工技师学院、首都装备制造业协会",
        place="北京市通州区张家湾镇技能路 1 号 北京精工技师学院实训中心",
        contact="竞赛办公室 许老师",
        contact_phone="010-55550101",
        window=Window(opens=-12, closes=7, corrections=10, competition=34, lasts=3),
        members={"zhoumin": Role.MANAGER, "hanmei": Role.REVIEWER, "gaoyuan": Role.VIEWER},
        about="面向本市装备制造企业职工和职业院校师生，分**数控车工、电工、焊工**三个职业（工种），职工组和学生组分别评奖。",
        trades=(
            Trade("电工", "6-31-01-03", WORKER, "高级工（三级）", "在京从事电工及相关工作满 2 年，年满 18 周岁。", 40),
            Trade("数控车工", "6-18-01-01", WORKER, "高级工（三级）", "在京从事车削加工工作满 2 年。", 30),
            Trade("数控车工", "6-18-01-01", STUDENT, "中级工（四级）", "本市职业院校、技工院校全日制在籍学生。", 20),
            Trade(
                "数控车工",
                "6-18-01-01",
                TEACHER,
                "技师（二级）",
                "本市职业院校、技工院校专业课教师或实习指导教师。",
                10,
            ),
            Trade("焊工", "6-18-02-04", WORKER, "高级工（三级）", "持有效的焊接作业操作证，从事焊接工作满 2 年。", 24),
        ),
    ),
    Outline(
        code="JNJS-YLHL",
        title="北京市养老护理职业技能竞赛",
        level=Level.CITY,
        category="二类",
        organiser="北京市民政局",
        co_organiser="首都养老服务行业协会",
        place="北京市丰台区康宁路 18 号 首都养老服务实训基地",
        contact="养老服务竞赛组 谭老师",
        contact_phone="010-55550102",
        window=Window(opens=-14, closes=23 / 24, corrections=3, competition=20, lasts=4 / 24),
        members={"zhoumin": Role.MANAGER, "hanmei": Role.REVIEWER},
        about="面向本市养老服务机构的护理人员，重点考核**失能照护、认知障碍照护和应急救护**。",
        trades=(
            Trade("养老护理员", "4-10-01-05", WORKER, "高级工（三级）", "在本市养老服务机构从事护理工作满 1 年。", 60),
            Trade("养老护理员", "4-10-01-05", STUDENT, "中级工（四级）", "本市院校护理、康养类专业在籍学生。", 20),
        ),
    ),
    Outline(
        code="JNJS-WLXX",
        title="北京市网络与信息安全管理员职业技能竞赛",
        level=Level.INDUSTRY,
        category="二类",
        organiser="北京网络信息安全行业联合会",
        co_organiser="北京数智技师学院",
        place="北京经济技术开发区数智街 6 号 北京数智技师学院",
        contact="大赛秘书处 郭老师",
        contact_phone="010-55550103",
        window=Window(opens=5, closes=26, corrections=30, competition=55, lasts=1.5),
        members={"zhoumin": Role.MANAGER},
        about="面向在京单位从事网络与信息安全工作的职工，以**网络攻防、应急响应和数据安全**为主要内容。",
        trades=(
            Trade("网络与信息安全管理员", "4-04-04-02", WORKER, "高级工（三级）", "从事网络安全相关工作满 2 年。", 80),
            Trade("网络与信息安全管理员", "4-04-04-02", STUDENT, "中级工（四级）", "在京院校全日制在籍学生。", None),
        ),
    ),
    Outline(
        code="JNJS-PRJN",
        title="北京市烹饪技能竞赛",
        level=Level.INDUSTRY,
        category="二类",
        organiser="首都餐饮烹饪行业协会",
        co_organiser="北京京味技工学校",
        place="北京市西城区珍馐胡同 9 号 北京京味技工学校",
        contact="烹饪竞赛组 邢老师",
        contact_phone="010-55550104",
        window=Window(opens=-40, closes=-6, competition=15),
        holds_decisions=True,
        members={"zhoumin": Role.MANAGER, "gaoyuan": Role.VIEWER},
        about="设**中式烹调师、中式面点师**两个职业（工种），以北京菜和京味面点为主题，一人一席，现场制作。",
        trades=(
            Trade(
                "中式烹调师",
                "4-03-02-01",
                WORKER,
                "高级工（三级）",
                "在本市餐饮单位从事烹调工作满 2 年，持有健康证。",
                24,
            ),
            Trade(
                "中式面点师",
                "4-03-02-02",
                WORKER,
                "高级工（三级）",
                "在本市餐饮单位从事面点工作满 2 年，持有健康证。",
                16,
            ),
        ),
    ),
    Outline(
        code="JNJS-RGZN",
        title="海淀区人工智能训练师职业技能竞赛",
        level=Level.DISTRICT,
        category="",
        organiser="海淀区人力资源和社会保障局",
        co_organiser="中关村数字技能服务中心",
        place="北京市海淀区创新路 3 号 中关村数字技能服务中心",
        contact="竞赛筹备组 沈老师",
        contact_phone="010-55550105",
        window=Window(opens=30, closes=50, competition=80, lasts=10),
        published=False,
        members={"zhoumin": Role.MANAGER},
        about="面向海淀区企业职工，考核**数据标注、模型训练和业务应用**。规程仍在征求意见。",
        trades=(
            Trade("人工智能训练师", "4-04-05-05", WORKER, "高级工（三级）", "在海淀区企业从事相关工作满 1 年。", 50),
        ),
    ),
    Outline(
        code="JNJS-QGXB",
        title="全国职业技能大赛北京市选拔赛",
        level=Level.NATIONAL,
        category="一类",
        organiser="全国职业技能大赛北京市选拔赛组委会",
        co_organiser="北京工匠技师学院",
        place="北京市大兴区工匠路 8 号 北京工匠技师学院",
        contact="选拔赛办公室 崔老师",
        contact_phone="010-55550106",
        window=Window(opens=-10, closes=12, corrections=15, competition=40, lasts=5),
        members={"hanmei": Role.REVIEWER, "gaoyuan": Role.VIEWER},
        about="选拔代表北京市参加全国决赛的选手。**名额很少，额满为止**；被撤回或审核不通过的名额会重新放出。",
        trades=(
            Trade("焊工", "6-18-02-04", WORKER, "技师（二级）", "曾获市级以上竞赛前十名，或具有技师以上等级。", 9),
            Trade("电工", "6-31-01-03", WORKER, "技师（二级）", "曾获市级以上竞赛前十名，或具有技师以上等级。", 3),
        ),
    ),
)
