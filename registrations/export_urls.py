"""The addresses under which a plan's list is taken away."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.admin import ModelAdmin
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import URLPattern, path

from accounts import kept_forms
from registrations import export_pages, export_sheet_pages, export_template_pages


def urls(desk: ModelAdmin[Any]) -> list[URLPattern]:
    """For get_urls() of the desk, whose door is in front of each."""

    def page(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
        @kept_forms.form_page
        @wraps(view)
        def inner(request: HttpRequest, **where: Any) -> HttpResponseBase:
            return view(request, context={**desk.admin_site.each_context(request), "opts": desk.opts}, **where)

        return desk.admin_site.admin_view(inner)

    name = "registrations_registration"
    return [
        path("export/<slug:code>/", page(export_pages.export), name=f"{name}_export"),
        path("export/<slug:code>/photos/", page(export_pages.photos), name=f"{name}_export_photos"),
        path("export/<slug:code>/sheet/", page(export_sheet_pages.upload), name=f"{name}_export_sheet"),
        path("export/<slug:code>/templates/", page(export_template_pages.edit), name=f"{name}_export_templates"),
    ]
