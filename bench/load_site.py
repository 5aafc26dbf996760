"""What the load is compared with: a bare Django page under the same server and middleware."""

from collections.abc import Callable
from typing import Any

from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.template import engines
from django.urls import include, path

from plans.models import Plan

ROWS = range(100)
# About 10 KB. The session and the account are asked for by the middleware, the plan by its indexed code.
BARE = """<!doctype html><html lang="zh-CN"><title>{{ plan.title }}</title><p>{{ user.username }}</p><ul>
{% for row in rows %}<li class="row">第 {{ row }} 行：{{ plan.organiser }}，这一行只是为了让页面有这么长。</li>
{% endfor %}</ul></html>"""


def bare(request: HttpRequest, code: str) -> HttpResponse:
    context = {"plan": Plan.objects.get(code=code), "rows": ROWS, "user": request.user}
    return HttpResponse(engines["django"].from_string(BARE).render(context, request))


class CountQueries:
    """Says at each answer how many queries it took. It costs all pages alike."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        asked = 0

        def count(execute: Any, *question: Any) -> Any:
            nonlocal asked
            asked += 1
            return execute(*question)

        with connection.execute_wrapper(count):
            response = self.get_response(request)
        response["X-Queries"] = str(asked)
        return response


urlpatterns = [path("bare/<slug:code>/", bare), path("", include("competition_portal.urls"))]
handler404 = "competition_portal.errors.not_found"
