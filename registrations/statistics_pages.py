"""The page of a plan's figures, for every member of its committee."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.views.decorators.http import require_safe

from accounts.requests import signed_in
from plans.models import Plan
from registrations import plot, statistics


@require_safe
def page(request: HttpRequest, code: str, context: dict[str, Any]) -> HttpResponse:
    plan = get_object_or_404(Plan.objects.reviewable_by(signed_in(request)), code=code)
    figures = statistics.of(plan)
    context |= {
        "title": f"统计：{plan.title}",
        "plan": plan,
        "figures": figures,
        "days": plot.bars(figures.by_day),
        "half": statistics.in_words(figures.waiting.half),
        "most": statistics.in_words(figures.waiting.most),
        "tables": [
            ("按状态", "状态", figures.by_status),
            ("按参赛组别", "参赛组别", figures.by_division),
            ("按单位所在区", "区", figures.by_district),
            ("待审核的已等多久", "等待时间", figures.waiting.now),
            ("照片退回的原因", "原因", figures.photo_reasons),
        ],
    }
    return TemplateResponse(request, "admin/registrations/registration/statistics.html", context)
