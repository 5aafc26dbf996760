"""The small forms of a plan's own pages: publishing, a later deadline, a copy, a workbook."""

from datetime import datetime
from typing import Any

from django import forms

from accounts import clock
from plans.models import Plan
from plans.workbooks import MOST_FILE_BYTES

MOMENT = "%Y-%m-%dT%H:%M"
WRONG_MOMENT = {"invalid": "请按 2026-09-01 09:00 的样子填写日期和时间。", "required": "请填写日期和时间。"}


def moment(label: str, help_text: str = "", required: bool = True) -> forms.DateTimeField:
    """Beijing time, to the minute; also as people type it where the browser has no picker."""
    return forms.DateTimeField(
        label=label,
        help_text=help_text,
        required=required,
        input_formats=[MOMENT, "%Y-%m-%d %H:%M", "%Y/%m/%d %H:%M"],
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format=MOMENT),
        error_messages=WRONG_MOMENT,
    )


class PublicationForm(forms.Form):
    at = moment("到时自动发布", "不填就立即发布。北京时间。", required=False)


class DecisionsForm(forms.Form):
    """Two buttons: now, which leaves the moment aside, and later, which needs one."""

    at = moment("公布时间", "到这一刻，报名人员就能看到结果。北京时间。", required=False)

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if self.data.get("when") == "now":
            self.errors.pop("at", None)
            return {**cleaned, "at": None}
        if "at" in cleaned and cleaned["at"] is None:
            self.add_error("at", WRONG_MOMENT["required"])
        elif cleaned.get("at") and cleaned["at"] <= clock.near():
            self.add_error("at", "公布时间要晚于现在；要马上公布的，请按“现在公布”。")
        return cleaned


class DeadlineForm(forms.Form):
    closes_at = moment("新的报名截止时间", "北京时间。到这一刻为止，这一刻本身已不能提交。")
    corrections = moment("修改截止时间", "被退回的报名在此之前可以重新提交。不填则与报名截止时间相同。", required=False)

    def clean_closes_at(self) -> datetime:
        closes_at: datetime = self.cleaned_data["closes_at"]
        if closes_at <= clock.near():
            raise forms.ValidationError("新的截止时间要晚于现在。")
        return closes_at


class CopyForm(forms.ModelForm):
    registration_opens_at = moment("报名开始时间", "北京时间。")
    registration_closes_at = moment("报名截止时间", "北京时间。")

    class Meta:
        model = Plan
        fields = ["code", "title", "registration_opens_at", "registration_closes_at"]
        error_messages = {
            "code": {"required": "请填写新的计划编号。", "unique": "这个计划编号已经用过，请换一个。"},
            "title": {"required": "请填写竞赛名称。"},
        }

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        opens, closes = cleaned.get("registration_opens_at"), cleaned.get("registration_closes_at")
        if opens and closes and opens >= closes:
            self.add_error("registration_closes_at", "报名截止时间必须晚于报名开始时间。")
        return cleaned


class WorkbookForm(forms.Form):
    workbook = forms.FileField(
        label="职业（工种）表格",
        help_text="xlsx 文件，最多 500 行。先看会改什么，确认后才导入。",
        widget=forms.ClearableFileInput(attrs={"accept": ".xlsx"}),
        error_messages={"required": "请选择 xlsx 文件。", "empty": "这个文件是空的，请重新选择。"},
    )

    def clean_workbook(self) -> Any:
        workbook = self.cleaned_data["workbook"]
        if workbook.size > MOST_FILE_BYTES:
            raise forms.ValidationError("文件超过 2 MB。请只保留职业（工种）这一张表，再上传。")
        return workbook
