"""The forms of what a committee takes away: which registrations, which columns, how the photos are called, which sheet."""

from typing import Any
from uuid import uuid4

from django import forms

from plans.models import Division, Plan
from plans.workbooks import MOST_FILE_BYTES
from profiles.forms import plain_text
from registrations import export_templates, exports, photo_names
from registrations.columns import COLUMNS
from registrations.exports import ALL, Narrowing
from registrations.workflow import Status

STATUSES = [(status.value, status.label) for status in Status if status != Status.DRAFT]
FULL_HELP = "完整导出时必填，会记入操作记录；请不要写姓名和号码。"
ONLY_MANAGERS = "文件名里要用证件号码的，只能由“管理”角色导出。请去掉 {证件号码}，或请管理成员导出。"


class NarrowingForm(forms.Form):
    """Which of a plan's registrations. `key` makes one job of a form that is sent twice."""

    status = forms.ChoiceField(label="状态", required=False, choices=[("", ALL), *STATUSES])
    occupation = forms.ChoiceField(label="职业（工种）", required=False)
    division = forms.ChoiceField(label="参赛组别", required=False, choices=[("", ALL), *Division.choices])
    key = forms.UUIDField(required=False, widget=forms.HiddenInput, initial=uuid4)

    def __init__(self, plan: Plan, may_see_numbers: bool, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.plan, self.may_see_numbers = plan, may_see_numbers
        offered = [(str(found.pk), str(found)) for found in plan.occupations.all()]
        self.fields["occupation"].choices = [("", ALL), *offered]  # type: ignore[attr-defined]

    def offer_numbers(self) -> None:
        """The reason for full numbers, to those who may have one."""
        if self.may_see_numbers:
            self.fields["full"] = forms.BooleanField(label="证件号码完整导出", required=False)
            self.fields["reason"] = forms.CharField(label="理由", required=False, help_text=FULL_HELP)

    def check_reason(self, cleaned: dict[str, Any]) -> None:
        problem = exports.reason_problem(cleaned.get("reason", "")) if self.asks_for_numbers(cleaned) else ""
        if problem:
            self.add_error("reason", problem)

    def asks_for_numbers(self, cleaned: dict[str, Any]) -> bool:
        return bool(cleaned.get("full"))

    def settings(self) -> list[forms.BoundField]:
        return [field for field in self.visible_fields() if not field.name.startswith(("place_", "keep_as"))]

    # What was asked, of a form that is valid ---------------------------------------------------------------------

    @property
    def narrowing(self) -> Narrowing:
        return Narrowing.of(self.cleaned_data)

    @property
    def reason(self) -> str:
        """Why the numbers are wanted in full; empty where they are not."""
        return self.cleaned_data["reason"].strip() if self.asks_for_numbers(self.cleaned_data) else ""

    @property
    def job_key(self) -> str:
        return str(self.cleaned_data["key"] or uuid4())

    def arguments(self, back: str) -> dict[str, Any]:
        """As a job keeps it."""
        return {"narrowing": self.narrowing.kept(), "reason": self.reason, "back": back}


class ExportForm(NarrowingForm):
    """What of a plan's list is wanted. A column is taken where it has a place, in the order of the places."""

    format = forms.ChoiceField(label="文件格式", choices=[("xlsx", "Excel 表格（xlsx）"), ("csv", "CSV 文本")])
    keep_as = forms.CharField(
        label="模板名称",
        required=False,
        max_length=export_templates.NAME_LENGTH,
        validators=[plain_text],
        help_text="用已有的名称会替换那个模板。模板只记列、次序和格式，不记“证件号码完整导出”。",
        error_messages={"max_length": f"模板名称最多 {export_templates.NAME_LENGTH} 个字，请缩短。"},
    )
    field_order = ["format", "status", "occupation", "division"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["keep_as"].widget.attrs.pop("maxlength", None)
        self.offer_numbers()
        for place, (key, column) in enumerate(COLUMNS.items(), start=1):
            self.fields[f"place_{key}"] = forms.IntegerField(
                label=column.heading,
                required=False,
                initial=place,
                min_value=1,
                max_value=99,
                error_messages=dict.fromkeys(
                    ("invalid", "min_value", "max_value"), "请填 1 到 99 的整数，不要的留空。"
                ),
            )

    def places(self) -> list[forms.BoundField]:
        return [field for field in self if field.name.startswith("place_")]

    @property
    def keeps_template(self) -> bool:
        """Whether the columns are to be kept, not the list to be written."""
        return self.data.get("step") == "template"

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        placed = {key: cleaned.get(f"place_{key}") for key in COLUMNS}
        cleaned["columns"] = sorted((key for key in placed if placed[key]), key=lambda key: placed[key] or 0)
        if not cleaned["columns"]:
            self.add_error(None, "请至少给一列填上次序。")
        if self.keeps_template:
            self.check_template(cleaned.get("keep_as"))
        else:
            self.check_reason(cleaned)
        return cleaned

    def check_template(self, name: str | None) -> None:
        if not name:
            if "keep_as" not in self.errors:
                self.add_error("keep_as", "请填写模板名称，例如“上报市级”。")
        elif export_templates.is_full(self.plan, name):
            self.add_error("keep_as", f"一个竞赛计划最多 {export_templates.MOST} 个模板，请先删去不用的。")

    def arguments(self, back: str) -> dict[str, Any]:
        return super().arguments(back) | {name: self.cleaned_data[name] for name in ("format", "columns")}


class PhotosForm(NarrowingForm):
    """Whose photos, and how they are called."""

    pattern = forms.CharField(
        label="文件名的写法",
        initial=photo_names.DEFAULT,
        widget=forms.TextInput(attrs={"size": 40}),
        help_text=f"可以用：{'、'.join(f'{{{part}}}' for part in photo_names.PARTS)}，中间可以加字和短横线，"
        "例如 {序号}-{姓名}-{报名编号}。重名的会加上 (2)、(3)。",
        error_messages={"required": "请写明文件怎样命名，例如 {报名编号}。"},
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.may_see_numbers:
            help_text = "文件名里有 {证件号码} 时必填，会记入操作记录；请不要写姓名和号码。"
            self.fields["reason"] = forms.CharField(label="理由", required=False, help_text=help_text)

    def clean_pattern(self) -> str:
        pattern: str = self.cleaned_data["pattern"]
        if problem := photo_names.pattern_problem(pattern):
            raise forms.ValidationError(problem)
        if photo_names.asks_for_numbers(pattern) and not self.may_see_numbers:
            raise forms.ValidationError(ONLY_MANAGERS)
        return pattern

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        self.check_reason(cleaned)
        return cleaned

    def asks_for_numbers(self, cleaned: dict[str, Any]) -> bool:
        return photo_names.asks_for_numbers(cleaned.get("pattern", ""))

    def arguments(self, back: str) -> dict[str, Any]:
        return super().arguments(back) | {"pattern": self.cleaned_data["pattern"]}


class SheetForm(NarrowingForm):
    """Whose rows, and the sheet that they are to stand in."""

    workbook = forms.FileField(
        label="自己的表格",
        help_text="xlsx 文件，最大 2 MB，第一张表里有一行列名，下面空着。先看认出了哪些列，再填。",
        widget=forms.ClearableFileInput(attrs={"accept": ".xlsx"}),
        error_messages={"required": "请选择 xlsx 文件。", "empty": "这个文件是空的，请重新选择。"},
    )

    def clean_workbook(self) -> Any:
        workbook = self.cleaned_data["workbook"]
        if workbook.size > MOST_FILE_BYTES:
            raise forms.ValidationError("文件超过 2 MB。请只保留要填的表，删去图片后再上传。")
        return workbook


class NumbersForm(forms.Form):
    """Whether the numbers of a filled sheet are to be complete, and why; for managers."""

    full = forms.BooleanField(label="证件号码完整填写", required=False)
    reason = forms.CharField(label="理由", required=False, help_text=FULL_HELP.replace("导出", "填写"))

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        problem = exports.reason_problem(cleaned.get("reason", "")) if cleaned.get("full") else ""
        if problem:
            self.add_error("reason", problem)
        return cleaned

    @property
    def given(self) -> str:
        return self.cleaned_data["reason"].strip() if self.cleaned_data["full"] else ""
