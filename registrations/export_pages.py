"""The page on which a committee takes its list away: GET shows the form, POST answers with the file."""

import tempfile
from typing import Any

from django import forms
from django.core.exceptions import PermissionDenied
from django.http import FileResponse, HttpRequest, HttpResponse, QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.utils import timezone

from accounts import limits
from accounts.audit import record
from accounts.models import User
from accounts.requests import signed_in
from accounts.verbs import Verb
from plans.models import Division, Plan, Role
from registrations import exports
from registrations.models import RegistrationQuerySet
from registrations.queue import QueueFilter
from registrations.workflow import Status

STATUSES = [(status.value, status.label) for status in Status if status != Status.DRAFT]


class ExportForm(forms.Form):
    """What of a plan's list is wanted. A column is taken where it has a place, in the order of the places."""

    format = forms.ChoiceField(label="文件格式", choices=[("xlsx", "Excel 表格（xlsx）"), ("csv", "CSV 文本")])
    status = forms.ChoiceField(label="状态", required=False, choices=[("", "全部"), *STATUSES])
    occupation = forms.ChoiceField(label="职业（工种）", required=False)
    division = forms.ChoiceField(label="参赛组别", required=False, choices=[("", "全部"), *Division.choices])

    def __init__(self, plan: Plan, may_see_numbers: bool, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        offered = [(str(found.pk), str(found)) for found in plan.occupations.all()]
        self.fields["occupation"].choices = [("", "全部"), *offered]  # type: ignore[attr-defined]
        if may_see_numbers:
            self.fields["full"] = forms.BooleanField(label="证件号码完整导出", required=False)
            self.fields["reason"] = forms.CharField(
                label="理由", required=False, help_text="完整导出时必填，会记入操作记录；请不要写姓名和号码。"
            )
        for place, (key, column) in enumerate(exports.COLUMNS.items(), start=1):
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

    def settings(self) -> list[forms.BoundField]:
        return [field for field in self if not field.name.startswith("place_")]

    def places(self) -> list[forms.BoundField]:
        return [field for field in self if field.name.startswith("place_")]

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        placed = {key: cleaned.get(f"place_{key}") for key in exports.COLUMNS}
        cleaned["columns"] = sorted((key for key in placed if placed[key]), key=lambda key: placed[key] or 0)
        if not cleaned["columns"]:
            self.add_error(None, "请至少给一列填上次序。")
        problem = exports.reason_problem(cleaned.get("reason", "")) if cleaned.get("full") else ""
        if problem:
            self.add_error("reason", problem)
        return cleaned

    def narrow(self, registrations: RegistrationQuerySet) -> RegistrationQuerySet:
        asked = {name: self.cleaned_data[name] for name in ("status", "occupation", "division")}
        asked["occupation__division"] = asked.pop("division")
        return registrations.filter(**{name: value for name, value in asked.items() if value})

    def narrowed(self) -> str:
        """The filter in words."""
        said = []
        for name in ("status", "occupation", "division"):
            choices = dict(self.fields[name].choices)  # type: ignore[attr-defined]
            said.append(f"{self.fields[name].label}：{choices[self.cleaned_data[name]]}")
        return "；".join(said)


def exportable(user: User) -> list[Plan]:
    """The plans whose list this person may take away: a viewer may look, not carry off."""
    plans = Plan.objects.reviewable_by(user)
    if user.is_superuser:
        return list(plans)
    return list(plans.filter(members__user=user, members__role__in=[Role.REVIEWER, Role.MANAGER]))


def choose(request: HttpRequest, context: dict[str, Any]) -> HttpResponse:
    """Which plan's list."""
    context |= {"title": "导出名单", "plans": exportable(signed_in(request))}
    return TemplateResponse(request, "admin/registrations/registration/export_plans.html", context)


def carried_over(plan: Plan, asked: QueryDict) -> dict[str, Any]:
    """The queue's filter, where its page leads here; without one, everything."""
    if "status" not in asked:
        return {}
    wanted = QueueFilter.read(plan, asked)
    return {"status": wanted.status or "", "occupation": wanted.occupation or "", "division": wanted.division}


def export(request: HttpRequest, code: str, context: dict[str, Any]) -> HttpResponseBase:
    user = signed_in(request)
    plan = get_object_or_404(Plan.objects.reviewable_by(user), code=code)
    if not plan.has_member(user, Role.REVIEWER, Role.MANAGER):
        raise PermissionDenied
    data = request.POST if request.method == "POST" else None
    form = ExportForm(plan, plan.has_member(user, Role.MANAGER), data, initial=carried_over(plan, request.GET))
    if form.is_valid():
        limits.EXPORT.claim(user)
        return answer(user, plan, form)
    context |= {"title": f"导出名单：{plan.title}", "form": form}
    return TemplateResponse(request, "admin/registrations/registration/export.html", context)


def answer(user: User, plan: Plan, form: ExportForm) -> HttpResponseBase:
    """The file, complete and with its line in the record before the first byte leaves."""
    asked = form.cleaned_data
    reason = asked["reason"].strip() if asked.get("full") else ""
    kind = asked["format"]
    columns = exports.columns_for(asked["columns"], full_numbers=bool(reason))
    about = exports.About(str(plan), form.narrowed(), str(user), "完整" if reason else "只显示头尾")
    out = tempfile.TemporaryFile()  # noqa: SIM115  (without a name: gone with the answer, also when the process is killed)
    try:
        rows = exports.rows_of(form.narrow(exports.listed(plan)), columns)
        written = exports.WRITERS[kind](out, columns, rows, about)
        record(user, Verb.LIST_EXPORTED, plan, detail=exports.audit_detail(plan, written, kind, reason))
    except BaseException:
        out.close()
        raise
    out.seek(0)
    name = f"{plan.code}-报名名单-{timezone.localdate():%Y%m%d}.{kind}"
    headers = {"X-Content-Type-Options": "nosniff"}
    return FileResponse(out, as_attachment=True, filename=name, content_type=exports.TYPES[kind], headers=headers)
