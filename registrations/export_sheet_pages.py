"""A committee's own sheet: uploaded, looked at, and filled once its owner has seen which headings were understood."""

import logging
from typing import Any

from django.contrib import messages
from django.core.files.storage import default_storage
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse

from accounts import kept_forms, limits
from accounts.requests import signed_in
from plans.models import Plan, Role
from plans.workbooks import SheetRefused
from registrations import carried, export_jobs, jobs, own_workbook
from registrations.export_forms import NumbersForm, SheetForm
from registrations.export_jobs import TooMany
from registrations.export_pages import carried_over, find_plan, shown, somebody
from registrations.jobs import Job, State

logger = logging.getLogger(__name__)

AWAY = "表格暂时无法保存。请过几分钟再试；如果仍然不行，请联系运营人员。"
GONE = "上传的表格已经过期删除，没有填。请重新上传。"


def upload(request: HttpRequest, code: str, context: dict[str, Any]) -> HttpResponse:
    user = signed_in(request)
    plan = find_plan(user, code)
    sent = (request.POST, request.FILES) if request.method == "POST" else ()
    form = SheetForm(plan, plan.has_member(user, Role.MANAGER), *sent, initial=carried_over(plan, request.GET))
    if form.is_valid() and somebody(plan, form):
        limits.EXPORT.claim(user)
        if job := received(request, plan, form):
            return redirect(job)
    context["columns"] = [own_workbook.SERIAL.heading, *(column.heading for column in own_workbook.COLUMNS.values())]
    return shown(request, plan, "export_sheet", form, context)


def received(request: HttpRequest, plan: Plan, form: SheetForm) -> Job | None:
    """A job that waits for its confirmation, with the sheet; None where something is wrong, and the form says what."""
    content = form.cleaned_data["workbook"].file
    try:
        own_workbook.understand(content)
    except SheetRefused as refusal:
        form.add_error("workbook", str(refusal))
        return None
    try:
        job, new = export_jobs.ask(
            signed_in(request), plan, form.job_key, "sheet", form.arguments(request.get_full_path())
        )
    except TooMany as problem:
        form.add_error(None, str(problem))
        return None
    try:
        if new:
            carried.keep(job, carried.Role.OWN_SHEET, "", content)
    except OSError:
        logger.exception("a sheet of %s could not be kept", plan.code)
        job.delete()
        form.add_error(None, AWAY)
        return None
    return job


def question(request: HttpRequest, job: Job, context: dict[str, Any]) -> HttpResponse:
    """GET shows what was understood; POST fills it, a few at once and many in the background."""
    find_plan(signed_in(request), job.plan.code)
    understood = understood_of(job)
    if understood is None:
        messages.error(request, GONE)
        return redirect(job.arguments["back"])
    manages = job.plan.has_member(signed_in(request), Role.MANAGER)
    form = NumbersForm(request.POST if request.method == "POST" and manages else None)
    if request.method == "POST" and (not manages or form.is_valid()):
        return confirm(request, job, form.given if manages else "")
    kept_forms.restore(request, form)
    context |= {
        "title": "看看认出了哪些列",
        "job": job,
        "understood": understood,
        "form": form if manages and understood.asks_for_numbers else None,
        "narrowed": export_jobs.about(job).narrowed,
        "at_once": job.total <= export_jobs.WHATS["sheet"].at_once,
    }
    return TemplateResponse(request, "admin/registrations/registration/export_question.html", context)


def understood_of(job: Job) -> own_workbook.Understood | None:
    source = job.files.filter(role=carried.Role.OWN_SHEET).first()
    if source is None:
        return None
    try:
        with default_storage.open(str(source.file.name)) as content:
            return own_workbook.understand(content)
    except OSError:
        logger.exception("job %s: its sheet could not be read", job.public_id)
        return None


def confirm(request: HttpRequest, job: Job, reason: str) -> HttpResponse:
    """Once: whoever presses twice comes to the same job."""
    arguments = {**job.arguments, "reason": reason}
    if job.total > export_jobs.WHATS["sheet"].at_once:
        job.hand_over(State.ASKED, arguments=arguments)
    elif job.move(State.ASKED, to=State.WAITING, arguments=arguments):
        jobs.run_now(job)
    return redirect(job)
