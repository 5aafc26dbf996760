"""The page on which a plan's export templates are renamed and removed."""

from typing import Any

from django import forms
from django.contrib import messages
from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse

from accounts import kept_forms, once
from accounts.audit import record
from accounts.requests import signed_in
from accounts.verbs import Verb
from plans.models import Plan
from profiles.forms import plain_text
from registrations.export_pages import address, find_plan
from registrations.export_templates import NAME_LENGTH, ExportTemplate

TAKEN = "已经有这个名称的模板了，请换一个。"


class RenameForm(forms.Form):
    name = forms.CharField(
        label="模板名称",
        max_length=NAME_LENGTH,
        validators=[plain_text],
        error_messages={
            "required": "请填写模板名称。",
            "max_length": f"模板名称最多 {NAME_LENGTH} 个字，请缩短。",
        },
    )

    def __init__(self, template: ExportTemplate, data: Any = None) -> None:
        self.template = template
        super().__init__(data, initial={"name": template.name}, prefix=str(template.pk))
        self.fields["name"].widget.attrs.pop("maxlength", None)

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"]
        if self.template.plan.export_templates.filter(name=name).exclude(pk=self.template.pk).exists():
            raise forms.ValidationError(TAKEN)
        return name


@once.once_per_form
def edit(request: HttpRequest, code: str, context: dict[str, Any]) -> HttpResponse:
    plan = find_plan(signed_in(request), code)
    templates = list(plan.export_templates.select_related("plan"))
    if request.method == "POST" and "remove" in request.POST:
        return remove(request, plan, request.POST["remove"])
    wanted = request.POST.get("rename")
    rows = [RenameForm(each, request.POST if str(each.pk) == wanted else None) for each in templates]
    for form in rows:
        if form.is_bound and form.is_valid():
            return rename(request, plan, form)
    kept_forms.restore(request, *rows)
    context |= {"title": f"导出模板：{plan.title}", "plan": plan, "rows": rows, "export_url": address(plan)}
    return TemplateResponse(request, "admin/registrations/registration/export_templates.html", context)


def rename(request: HttpRequest, plan: Plan, form: RenameForm) -> HttpResponse:
    try:
        with transaction.atomic():
            plan.export_templates.filter(pk=form.template.pk).update(name=form.cleaned_data["name"])
    except IntegrityError:  # somebody was faster with this name
        messages.error(request, TAKEN)
        return redirect(address(plan, "export_templates"))
    return done(request, plan, f"模板已改名为“{form.cleaned_data['name']}”。")


def remove(request: HttpRequest, plan: Plan, pk: str) -> HttpResponse:
    known = pk if pk.isascii() and pk.isdigit() and len(pk) < 19 else 0
    template = get_object_or_404(plan.export_templates, pk=known)
    template.delete()
    return done(request, plan, f"模板“{template.name}”已删除。")


def done(request: HttpRequest, plan: Plan, sentence: str) -> HttpResponse:
    record(signed_in(request), Verb.PLAN_CHANGED, plan, detail="export template")
    messages.success(request, sentence)
    return redirect(address(plan, "export_templates"))
