"""The page of an export's job, and its file: for a day, and for the one who asked."""

import logging
from http import HTTPStatus
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.files.storage import default_storage
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.views.decorators.http import require_safe

from accounts.audit import record
from accounts.requests import signed_in
from accounts.verbs import Verb
from registrations import carried, export_jobs, export_sheet_pages
from registrations.export_pages import attached
from registrations.jobs import Job, State

logger = logging.getLogger(__name__)

SECONDS = 5  # after which a page without its script asks again
AWAY = "文件暂时读不到，请过几分钟再试；如果仍然不行，请联系运营人员。"


def page(request: HttpRequest, job: Job, context: dict[str, Any]) -> HttpResponse:
    """The question while it waits for its answer; then how it is getting on, and where the file is."""
    if job.state == State.ASKED:
        return export_sheet_pages.question(request, job, context)
    if request.method == "POST":  # the question's form, sent once more
        messages.info(request, "已经确认过，没有再做一遍。")
        return redirect(job)
    result = job.files.filter(role=carried.Role.RESULT).first()
    context |= {
        "title": job.title,
        "job": job,
        "what": export_jobs.WHATS[job.arguments["what"]],
        "why": job.arguments.get("why", ""),
        "narrowed": export_jobs.about(job).narrowed,
        "full": bool(job.arguments["reason"]),
        "result": result if result and result.is_there else None,
        "own": job.owner_id == signed_in(request).pk,
        "seconds": SECONDS,
        "back": job.arguments["back"],
    }
    return TemplateResponse(request, "admin/registrations/registration/export_job.html", context)


@require_safe
def fetch(request: HttpRequest, public_id: Any, context: dict[str, Any]) -> HttpResponseBase:
    """The file. To everybody but the one who asked it does not exist, and to nobody when its day is over."""
    user = signed_in(request)
    own = Job.objects.visible_to(user).filter(owner=user, kind=export_jobs.KIND)
    job = get_object_or_404(own.select_related("plan", "owner"), public_id=public_id)
    result = get_object_or_404(carried.current(), job=job, role=carried.Role.RESULT)
    if not export_jobs.may(job):
        raise PermissionDenied
    try:
        content = default_storage.open(str(result.file.name))
    except OSError:
        logger.exception("job %s: its file could not be read", job.public_id)
        return HttpResponse(AWAY, status=HTTPStatus.SERVICE_UNAVAILABLE, content_type="text/plain; charset=utf-8")
    if request.method == "GET":  # HEAD takes nothing away
        record(user, Verb.EXPORT_FETCHED, job.plan, detail=f"{job.plan.code} {job.arguments['what']}")
    return attached(content, result.name)
