"""The page on which a manager edits a plan's list of reasons for sending back."""

import re
import secrets
from collections.abc import Iterable
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import reverse

from accounts import kept_forms
from accounts.audit import record
from accounts.models import User
from accounts.requests import signed_in
from accounts.verbs import Verb
from plans import staleness
from plans.models import Plan, Role
from plans.staleness import Part, Standing, Words
from profiles.forms import plain_text
from registrations import return_reasons
from registrations.decisions import FIXABLE
from registrations.forms import SentenceField
from registrations.return_reasons import LABEL_LENGTH, SENTENCE_LENGTH, ReturnReason

CODE = re.compile("[a-z0-9_]{1,32}")
EMPTY_ROWS = 3
MOST_ROWS = 200
WORDS = Words(added="别人添加的不在下面，再次保存会去掉。")
FIELDS = {name: label for name, label in FIXABLE.items() if name != "portrait"}


class ReasonForm(forms.Form):
    """One reason; a line without a sentence that was never saved is none."""

    code = forms.CharField(required=False, widget=forms.HiddenInput)
    field = forms.ChoiceField(
        label="项目",
        choices=[("", "请选择"), *FIELDS.items()],
        error_messages={
            "required": "请选择这句话说的是哪个项目。",
            "invalid_choice": "请从列表中选择项目。",
        },
    )
    label = forms.CharField(
        label="简称",
        max_length=LABEL_LENGTH,
        validators=[plain_text],
        error_messages={
            "required": "请填写简称，审核时按它选。",
            "max_length": f"简称最多 {LABEL_LENGTH} 个字，请缩短。",
        },
    )
    sentence = SentenceField(
        label="写给报名人员的话",
        max_length=SENTENCE_LENGTH,
        error_messages={
            "required": "请写清楚哪里不对、该怎么做。",
            "max_length": f"这句话最多 {SENTENCE_LENGTH} 个字，请缩短。",
        },
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["label"].widget.attrs.pop("maxlength", None)


class ReasonFormSet(forms.BaseFormSet[ReasonForm]):
    """The list as the manager leaves it."""

    def kept(self) -> list[dict[str, Any]]:
        return [form.cleaned_data for form in self.forms if form.cleaned_data and not form.cleaned_data.get("DELETE")]

    def reasons(self) -> list[ReturnReason]:
        """In the order of the page. A line that is new gets a code that was never another one's."""
        used: set[tuple[str, str]] = set()
        found = []
        for row in self.kept():
            field, code = row["field"], row["code"]
            if not CODE.fullmatch(code) or (field, code) in used:
                code = f"own_{secrets.token_hex(4)}"
            used.add((field, code))
            found.append(ReturnReason(field=field, code=code, label=row["label"], sentence=row["sentence"]))
        return found

    def clean(self) -> None:
        if self.management_form.is_valid() and not self.kept():
            raise ValidationError("请至少留一条原因；要恢复系统提供的列表，请按“恢复系统提供的列表”。")


def form_set(reasons: list[ReturnReason], data: Any = None) -> ReasonFormSet:
    made = forms.formset_factory(
        ReasonForm,
        formset=ReasonFormSet,
        extra=EMPTY_ROWS,
        can_delete=True,
        max_num=MOST_ROWS,
        absolute_max=MOST_ROWS + EMPTY_ROWS,
        validate_max=True,
    )
    rows = [
        {"code": reason.code, "field": reason.field, "label": reason.label, "sentence": reason.sentence}
        for reason in reasons
    ]
    return made(  # type: ignore[return-value]
        data,
        initial=rows,
        error_messages={
            "missing_management_form": "没有读到完整的列表，请返回后重新打开这一页。",
            "too_many_forms": f"最多 {MOST_ROWS} 条，请删去一些。",
        },
    )


class SeenForm(forms.Form):
    """What of the list was on the screen: another manager may have saved meanwhile."""

    seen = staleness.SeenField()

    def __init__(self, standing: Standing, data: Any = None) -> None:
        super().__init__(data, initial={"seen": staleness.seen_of(standing)})
        self.standing = standing

    def clean(self) -> None:
        staleness.compare(self, self.standing, WORDS)


def standing_of(reasons: Iterable[ReturnReason]) -> Standing:
    """Each by its field and code. Its place moves with every other one's, and nobody changes it."""
    return {f"{reason.field}.{reason.code}": part_of(reason) for reason in reasons}


def part_of(reason: ReturnReason) -> Part:
    name = f"原因“{FIXABLE.get(reason.field, reason.field)}：{reason.label}”"
    shown = [(str(ReasonForm.base_fields[field].label), getattr(reason, field)) for field in ("label", "sentence")]
    return Part(name, tuple(shown))


def address_for(user: User, plan: Plan | None) -> str:
    """Where this person edits the plan's list; empty for who cannot."""
    return address(plan) if plan is not None and plan.has_member(user, Role.MANAGER) else ""


def address(plan: Plan) -> str:
    return reverse("admin:registrations_registration_reasons", args=[plan.code])


def edit(request: HttpRequest, code: str, context: dict[str, Any]) -> HttpResponse:
    user = signed_in(request)
    plan = get_object_or_404(Plan.objects.reviewable_by(user), code=code)
    if not plan.has_member(user, Role.MANAGER):
        raise PermissionDenied
    if request.method == "POST":
        # In one transaction (accounts/once.py): of two at once the second sees what the first saved.
        Plan.objects.select_for_update(no_key=True).get(pk=plan.pk)
    standing = return_reasons.offered(plan)
    sent = request.POST if request.method == "POST" else None
    forms_, seen = form_set(standing, sent), SeenForm(standing_of(standing), sent)
    if seen.is_valid() and "restore" in request.POST:
        return saved(request, plan, [], "已恢复系统提供的退回原因。")
    if seen.is_valid() and forms_.is_valid():
        return saved(request, plan, forms_.reasons(), "退回原因已保存。")
    kept_forms.restore(request, seen, *forms_.forms)
    context |= {
        "title": "退回原因",
        "plan": plan,
        "formset": forms_,
        "seen": seen,
        "is_own": standing[0].pk is not None,
    }
    return TemplateResponse(request, "admin/registrations/registration/reasons.html", context)


def saved(request: HttpRequest, plan: Plan, reasons: list[ReturnReason], sentence: str) -> HttpResponse:
    return_reasons.replace(plan, reasons)
    record(signed_in(request), Verb.PLAN_CHANGED, plan, detail="return reasons")
    messages.success(request, sentence)
    return redirect("admin:registrations_registration_reasons", plan.code)
