"""The admin site: committees and operators come in through the same platform as everybody else."""

from typing import Any

from django.contrib.admin import AdminSite
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.utils.http import urlencode

from accounts.models import User
from accounts.requests import signed_in
from accounts.views import sign_out
from competition_portal.admin_words import ChineseCatalog
from registrations import workload

# The tasks that wait for the worker: their arguments and tracebacks are no committee's and no clerk's business.
NOT_SHOWN = {"django_tasks_database"}
UNUSED = {"password_change", "password_change_done", "view_on_site", "autocomplete"}


class PortalAdminSite(AdminSite):
    site_title = "职业技能竞赛组委会工作台"
    site_header = "职业技能竞赛组委会工作台"
    index_title = "我的工作"
    enable_nav_sidebar = True

    def register(self, model_or_iterable: Any, *args: Any, **kwargs: Any) -> None:
        """All but what a library brings for its own tables."""
        models: list[Any] = [model_or_iterable] if isinstance(model_or_iterable, type) else list(model_or_iterable)
        super().register([model for model in models if model._meta.app_label not in NOT_SHOWN], *args, **kwargs)

    def get_urls(self) -> list[Any]:
        """Without the pages that have no use here.

        There are no passwords to change, and the one that leads from an object to its page tells everybody at the
        desk the address of everything, of other people's drafts too. No field here looks things up while one types.
        """
        return [entry for entry in super().get_urls() if getattr(entry, "name", None) not in UNUSED]

    def has_permission(self, request: HttpRequest) -> bool:
        """Staff, auditors, and whoever belongs to the committee of any plan. Each page asks for itself which of them."""
        return isinstance(request.user, User) and request.user.has_desk

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        """One's own plans, what waits in each, and the ways from there."""
        return super().index(request, {**(extra_context or {}), "work": workload.of(signed_in(request))})

    def app_index(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:  # type: ignore[override]
        """What Django calls an app is nothing that people here know: its breadcrumbs lead to the first page."""
        return redirect("admin:index")

    @method_decorator(login_not_required)
    def login(self, request: HttpRequest, extra_context: dict | None = None) -> HttpResponse:
        """There is no password here: send people to the platform, and tell those who do not belong here so."""
        if self.has_permission(request):
            return redirect("admin:index")
        if request.user.is_authenticated:
            return render(request, "admin/not_a_member.html", status=403)
        target = request.GET.get("next") or reverse("admin:index")
        return redirect(f"{reverse('accounts:login')}?{urlencode({'next': target})}")

    def i18n_javascript(self, request: HttpRequest, extra_context: dict | None = None) -> HttpResponseBase:  # type: ignore[override]
        return ChineseCatalog.as_view()(request)

    def logout(self, request: HttpRequest, extra_context: dict | None = None) -> HttpResponse:  # type: ignore[override]
        """Signing out of the desk is signing out of the portal and of the platform."""
        return sign_out(request) if request.method == "POST" else redirect("admin:index")
