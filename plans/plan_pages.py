"""A plan's own pages at the desk: its preview, publishing, a later deadline, a copy, occupations from a workbook."""

import io
import logging
from collections.abc import Callable
from dataclasses import asdict
from functools import wraps
from typing import Any

import xlsxwriter
from django.contrib import messages
from django.core import signing
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError
from django.http import FileResponse, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.template.response import TemplateResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from accounts import clock, once
from accounts.requests import signed_in
from plans import copying, occupation_import, publication
from plans.models import Division, Plan, Role
from plans.occupation_sheet import HEADINGS, Sheet, SheetRow, read
from plans.plan_forms import CopyForm, DeadlineForm, PublicationForm, WorkbookForm
from plans.publication import PublicationRefused
from plans.workbooks import SheetRefused

logger = logging.getLogger(__name__)

SALT = "plans.occupation_import"
SHEET_LASTS = 3600  # seconds from the preview to its confirmation
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

type Context = dict[str, Any]
type Page = Callable[[HttpRequest, Plan, Context], HttpResponseBase]


def of_plan(*roles: str) -> Callable[[Page], Callable[[HttpRequest, str, Context], HttpResponseBase]]:
    """A page of one plan, found by its code among this person's: 404 for any other; 403 without one of these roles."""

    def wrap(page: Page) -> Callable[[HttpRequest, str, Context], HttpResponseBase]:
        @wraps(page)
        def found(request: HttpRequest, code: str, context: Context) -> HttpResponseBase:
            plan = get_object_or_404(Plan.objects.reviewable_by(signed_in(request)), code=code)
            if roles and not plan.has_member(signed_in(request), *roles):
                raise PermissionDenied
            return page(request, plan, {**context, "plan": plan})

        return found

    return wrap


def back(plan: Plan) -> HttpResponse:
    return redirect("admin:plans_plan_change", plan.pk)


@of_plan()
def preview(request: HttpRequest, plan: Plan, context: Context) -> HttpResponseBase:
    """The page as applicants see it, or will."""
    published = plan.is_published_at(clock.near())
    return render(request, "plans/detail.html", {"plan": plan, "preview": True, "published": published})


preview = require_safe(preview)


@once.once_per_form
@of_plan(Role.MANAGER)
def publish(request: HttpRequest, plan: Plan, context: Context) -> HttpResponseBase:
    """Publish now or later, or take it back: the button's name says which."""
    withdrawing = "withdraw" in request.POST
    form = PublicationForm(None if withdrawing else request.POST or None, initial={"at": future(plan)})
    try:
        if withdrawing or form.is_valid():
            messages.success(request, withdrawn(plan, request) if withdrawing else published(plan, request, form))
            return back(plan)
    except PublicationRefused as refusal:
        messages.error(request, str(refusal))
    now = clock.near()
    context |= {
        "title": f"发布：{plan.title}",
        "form": form,
        "published": plan.is_published_at(now),
        "gaps": publication.gaps(plan, now),
        "begun": plan.registrations.exists(),
    }
    return TemplateResponse(request, "admin/plans/plan/publish.html", context)


def future(plan: Plan) -> Any:
    return plan.published_at if plan.published_at and plan.published_at > clock.near() else None


def withdrawn(plan: Plan, request: HttpRequest) -> str:
    publication.withdraw(plan, signed_in(request))
    return f"“{plan}”已撤回发布，报名人员看不到了。"


def published(plan: Plan, request: HttpRequest, form: PublicationForm) -> str:
    at = form.cleaned_data["at"]
    publication.publish(plan, signed_in(request), at)
    if at is None:
        return f"“{plan}”已发布。"
    local = timezone.localtime(at)
    return f"“{plan}”将在 {local:%Y} 年 {local.month} 月 {local.day} 日 {local:%H:%M} 自动发布。"


@once.once_per_form
@of_plan(Role.MANAGER)
def extend(request: HttpRequest, plan: Plan, context: Context) -> HttpResponseBase:
    form = DeadlineForm(request.POST or None, initial={"corrections": plan.correction_closes_at})
    if form.is_valid():
        try:
            asked = form.cleaned_data
            told = publication.extend(plan, signed_in(request), asked["closes_at"], asked["corrections"])
            messages.success(request, f"报名截止时间已延长。{''.join(told)}")
            return back(plan)
        except PublicationRefused as refusal:
            form.add_error(None, str(refusal))
    context |= {"title": f"延长报名截止时间：{plan.title}", "form": form}
    return TemplateResponse(request, "admin/plans/plan/extend.html", context)


@once.once_per_form
@once.reads_first
@of_plan(Role.MANAGER)
def copy(request: HttpRequest, plan: Plan, context: Context) -> HttpResponseBase:
    form = CopyForm(request.POST or None, initial={"title": plan.title})
    if form.is_valid():
        asked = form.cleaned_data
        moments = {"opens": asked["registration_opens_at"], "closes": asked["registration_closes_at"]}
        try:
            with copying.attachments_of(plan) as files, once.sending(request) as answer:
                made = copying.copy(
                    plan, signed_in(request), files, code=asked["code"], title=asked["title"], **moments
                )
                messages.success(request, f"已复制为“{made}”，还没有发布。请核对日期、名额和附件。")
                return answer(back(made))
        except IntegrityError:  # the other tab
            form.add_error("code", "这个计划编号已经用过，请换一个。")
        except OSError:
            logger.exception("an attachment of plan %s could not be copied", plan.code)
            form.add_error(None, "附件暂时读不出来，没有复制。请过一会儿再试；一直这样请联系运营人员。")
    context |= {"title": f"复制：{plan.title}", "form": form}
    return TemplateResponse(request, "admin/plans/plan/copy.html", context)


# Occupations from a workbook ------------------------------------------------------------------------------------------


@once.once_per_form
@once.reads_first
@of_plan(Role.MANAGER)
def occupations(request: HttpRequest, plan: Plan, context: Context) -> HttpResponseBase:
    """Upload, look at what would change, confirm. What was read travels sealed in the page; the file is not kept."""
    context |= {"title": f"导入职业（工种）：{plan.title}", "columns": [names[0] for names in HEADINGS.values()]}
    if "sheet" in request.POST:
        return confirm(request, plan, context)
    form = WorkbookForm(request.POST, request.FILES) if request.method == "POST" else WorkbookForm()
    if form.is_valid():
        try:
            sheet = read(form.cleaned_data["workbook"].file)
        except SheetRefused as refusal:
            form.add_error("workbook", str(refusal))
        else:
            return show(request, plan, context, sheet)
    return TemplateResponse(request, "admin/plans/plan/occupations.html", {**context, "form": form})


def show(request: HttpRequest, plan: Plan, context: Context, sheet: Sheet, faster: bool = False) -> HttpResponse:
    outcome = occupation_import.preview(plan, sheet)
    context |= {"form": WorkbookForm(), "outcome": outcome, "sheet": seal(plan, sheet), "faster": faster}
    return TemplateResponse(request, "admin/plans/plan/occupations.html", context)


def seal(plan: Plan, sheet: Sheet) -> str:
    return signing.dumps({"plan": plan.pk, **asdict(sheet)}, salt=SALT, compress=True)


def confirm(request: HttpRequest, plan: Plan, context: Context) -> HttpResponse:
    try:
        sealed = signing.loads(request.POST["sheet"], salt=SALT, max_age=SHEET_LASTS)
    except signing.BadSignature:
        sealed = {}
    if sealed.get("plan") != plan.pk:
        messages.error(request, "页面已过期，没有导入。请重新上传文件。")
        return TemplateResponse(request, "admin/plans/plan/occupations.html", {**context, "form": WorkbookForm()})
    sheet = Sheet(sealed["fields"], [SheetRow(**row) for row in sealed["rows"]])
    try:
        with once.sending(request) as answer:
            outcome = occupation_import.preview(plan, sheet)
            if outcome.does_something:
                occupation_import.apply(plan, outcome, signed_in(request))
                messages.success(request, f"已导入：新增 {len(outcome.added)} 个，修改 {len(outcome.changed)} 个。")
                return answer(back(plan))
    except IntegrityError:
        logger.info("somebody changed the occupations of plan %s while a sheet was brought in", plan.code)
    return show(request, plan, context, sheet, faster=True)


@of_plan(Role.MANAGER)
def template(request: HttpRequest, plan: Plan, context: Context) -> HttpResponseBase:
    """The plan's occupations as they are, in the form in which they can come back; a line to overwrite where there are none."""
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, {"in_memory": True})
    sheet, bold, text = (
        book.add_worksheet("职业（工种）"),
        book.add_format({"bold": True}),
        book.add_format({"num_format": "@"}),
    )
    for place, names in enumerate(HEADINGS.values()):
        sheet.set_column(place, place, 22, text)
        sheet.write_string(0, place, names[0], bold)
    for line, cells in enumerate(lines_of(plan), start=1):
        for place, cell in enumerate(cells):
            sheet.write_string(line, place, cell, text)
    sheet.freeze_panes(1, 0)
    book.close()
    out.seek(0)
    return FileResponse(out, as_attachment=True, filename=f"{plan.code}-职业（工种）.xlsx", content_type=XLSX)


template = require_safe(template)


def lines_of(plan: Plan) -> list[list[str]]:
    listed = [
        [
            found.name,
            Division(found.division).label,
            found.code,
            found.skill_level,
            str(found.capacity or ""),
            found.requirements,
        ]
        for found in plan.occupations.all()
    ]
    return listed or [["电工", Division.WORKER.label, "6-31-01-03", "高级工（三级）", "30", ""]]
