"""The front door, 个人竞赛计划列表 and the page of one plan: open to everybody, signed in or not."""

import logging
from http import HTTPStatus
from pathlib import PurePath

from django.contrib.auth.decorators import login_not_required
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from accounts import clock
from accounts.paging import Pages
from plans.forms import PlanFilterForm
from plans.models import Attachment, Plan
from plans.shared_pages import shared

logger = logging.getLogger(__name__)

PLANS_PER_PAGE = 20
PLANS_AT_THE_DOOR = 6


@require_safe
@login_not_required
@shared
def front_door(request: HttpRequest) -> HttpResponse:
    """What the system is, what is open, and one button to come in."""
    plans = Plan.objects.open_at(clock.near()).order_by("registration_closes_at")[:PLANS_AT_THE_DOOR]
    return render(request, "plans/front_door.html", {"plans": plans})


@require_safe
@login_not_required
@shared
def plan_list(request: HttpRequest) -> HttpResponse:
    now = clock.near()
    form = PlanFilterForm(request.GET)
    plans = form.narrow(Plan.objects.published(now), now).open_first(now)
    page = Pages(plans, PLANS_PER_PAGE).get_page(request.GET.get("page"))
    return render(request, "plans/list.html", {"form": form, "page": page})


@require_safe
@login_not_required
@shared
def plan_detail(request: HttpRequest, code: str) -> HttpResponse:
    plan = get_object_or_404(Plan.objects.published().prefetch_related("occupations", "attachments"), code=code)
    return render(request, "plans/detail.html", {"plan": plan})


@require_safe
@login_not_required
def attachment(request: HttpRequest, code: str, pk: int) -> HttpResponseBase:
    """A published plan's file, always as a download: the browser never opens it in our name."""
    found = get_object_or_404(Attachment, pk=pk, plan__in=Plan.objects.published().filter(code=code))
    try:
        content = found.file.open("rb")
    except FileNotFoundError as problem:
        raise Http404("the file is not in the storage") from problem
    except OSError:
        logger.exception("attachment %d could not be read from the storage", pk)
        answer = render(request, "503.html", {"again": request.path}, status=HTTPStatus.SERVICE_UNAVAILABLE)
        answer["Retry-After"] = "30"
        return answer
    name = PurePath(found.title).name
    suffix = PurePath(str(found.file.name)).suffix
    name = name if name.endswith(suffix) else name + suffix
    return FileResponse(content, as_attachment=True, filename=name, content_type="application/octet-stream")
