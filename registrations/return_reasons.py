"""Why a field is sent back: sentences to pick from, a plan's own list or the one that every plan begins with."""

from collections.abc import Iterable

from django.db import models, transaction

from plans.models import Plan

# Field, code, in short, and the sentence for the person. The codes stand in the trail: never rename one.
# The portrait's reasons have drawings and are a list of their own: photos/reasons.py.
DEFAULTS = (
    ("occupation", "not_matching", "与本人工作不符", "所选职业（工种）与您的工作或所学专业不符，请重新选择。"),
    ("occupation", "wrong_division", "组别不对", "请按您现在的身份选择参赛组别：职工选职工组，在校学生选学生组。"),
    ("ethnicity", "differs", "与证件不一致", "民族与身份证件不一致，请按证件填写。"),
    ("education", "not_highest", "不是最高学历", "请填写已取得毕业证书的最高学历，在读的不算。"),
    ("school", "not_full", "院校名称不全", "请填写毕业证书上的院校全称，不要用简称。"),
    ("school", "not_attended", "学生未填就读院校", "学生组请填写现在就读的院校全称。"),
    ("major", "differs", "专业与证书不一致", "所学专业与毕业证书不一致，请按证书填写。"),
    ("employer", "not_full", "单位名称不全", "请填写营业执照或单位公章上的单位全称，不要用简称。"),
    ("employer", "differs", "与社保单位不一致", "工作单位与缴纳社会保险的单位不一致，请核对后填写。"),
    ("employer", "work_unclear", "工作证明不清楚", "工作证明里的单位看不清楚，请核对单位名称，填写全称。"),
    ("employer_type", "differs", "单位性质不符", "单位性质与所填单位不符，请重新选择。"),
    ("position", "unclear", "职务不明确", "请填写您现在的职务或岗位，与工作证明一致。"),
    ("years_of_service", "too_few", "年限与证明不符", "从业年限与工作证明不符，请填写从事本职业的整年数。"),
    ("skill_level", "differs", "等级与证书不符", "所填等级与证书不符，请按证书填写；没有证书的选“无”。"),
    ("certificate_number", "differs", "编号与证书不符", "证书编号与证书不一致，请核对后重新填写。"),
    ("certificate_number", "not_found", "查不到证书", "按这个编号查不到证书，请核对编号是否完整、有没有输错。"),
    ("phone", "unreachable", "电话打不通", "这个手机号码打不通，请填写您本人正在使用的号码。"),
    ("phone", "wrong", "号码有误", "手机号码有误，请核对后重新填写。"),
    ("email", "bounces", "邮件退回", "发到这个邮箱的邮件被退回，请核对后重新填写。"),
    ("address", "not_full", "地址不全", "请填写完整的通信地址：区、街道、门牌号。"),
    ("postcode", "differs", "邮编与地址不符", "邮编与通信地址不符，请核对后填写。"),
    ("emergency_contact", "is_self", "紧急联系人是本人", "紧急联系人请填写本人以外的人。"),
    ("emergency_phone", "is_own", "紧急电话是本人的", "紧急联系人电话不能是您本人的，请填写紧急联系人的号码。"),
)
LABEL_LENGTH = 20
SENTENCE_LENGTH = 200


class ReturnReason(models.Model):
    """A line of a plan's own list. A plan without any has the DEFAULTS."""

    plan = models.ForeignKey(Plan, models.CASCADE, verbose_name="竞赛计划", related_name="return_reasons")
    field = models.CharField("项目", max_length=32)
    code = models.CharField("代码", max_length=32)
    label = models.CharField("简称", max_length=LABEL_LENGTH)
    sentence = models.CharField("句子", max_length=SENTENCE_LENGTH)
    place = models.PositiveSmallIntegerField("顺序", default=0)

    class Meta:
        verbose_name = "退回原因"
        verbose_name_plural = "退回原因"
        ordering = ["place", "pk"]
        constraints = [models.UniqueConstraint(fields=["plan", "field", "code"], name="one_reason_per_code")]

    def __str__(self) -> str:
        return self.label


def defaults() -> list[ReturnReason]:
    """As rows that are not saved."""
    return [
        ReturnReason(field=field, code=code, label=label, sentence=sentence, place=place)
        for place, (field, code, label, sentence) in enumerate(DEFAULTS, start=1)
    ]


def offered(plan: Plan | None) -> list[ReturnReason]:
    """What a reviewer picks from: in this plan, or where there are several, what all begin with."""
    own = list(ReturnReason.objects.filter(plan=plan)) if plan else []
    return own or defaults()


def copy(sender: object, plan: Plan, original: Plan, **kwargs: object) -> None:
    """A plan that was made out of another one begins with that one's own list, if it has one."""
    replace(plan, ReturnReason.objects.filter(plan=original))


@transaction.atomic
def replace(plan: Plan, reasons: Iterable[ReturnReason]) -> None:
    """Keep these as the plan's own list; none at all gives it the DEFAULTS again."""
    ReturnReason.objects.filter(plan=plan).delete()
    for place, reason in enumerate(reasons, start=1):
        reason.pk, reason.plan, reason.place = None, plan, place
        reason.save(force_insert=True)
