"""The committee's page of one registration: what it shows, deciding on it, going on to the next, taking back."""

from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.decorators import method_decorator
from django.views.decorators.http import require_POST, require_safe

from accounts import kept_forms, sessions
from accounts.audit import record
from accounts.requests import signed_in
from accounts.verbs import Verb
from registrations import claim_pages, deciding, desk, desk_rows, reason_pages, undo
from registrations.decisions import DecisionForm, Seen
from registrations.desk_way import Way
from registrations.models import Registration
from registrations.workflow import DECISIONS, Action, StepRefused

if TYPE_CHECKING:
    from django.contrib.admin import ModelAdmin

    Base = ModelAdmin[Registration]
else:
    Base = object

KEYS_OFF = "desk_keys_off"


class DeskPages(Base):
    """What the registrations' admin answers about one of them. It finds nothing that get_queryset() does not find."""

    def desk_urls(self) -> list[URLPattern]:
        page = self.admin_site.admin_view
        name = "registrations_registration_{}".format
        return [
            path("keys/", page(self.keys), name=name("keys")),
            path("<int:pk>/number/", page(self.show_number), name=name("number")),
            path("<int:pk>/next/", page(self.next), name=name("next")),
            path("<int:pk>/claim/", page(self.claim), name=name("claim")),
            path("<int:pk>/undo/", page(self.undo), name=name("undo")),
            *[
                path(f"<int:pk>/{action.value}/", page(self.decide), {"action": action}, name=name(action.value))
                for action in desk.COMMITTEE_ACTIONS
            ],
        ]

    def find(self, request: HttpRequest, pk: int) -> Registration:
        found = desk_rows.found(signed_in(request), pk)
        if found is None:
            raise Http404("no such registration in this person's plans")
        return found

    # Showing --------------------------------------------------------------------------------------------------------

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if request.method == "POST":
            raise PermissionDenied
        if not (object_id.isascii() and object_id.isdigit()):
            raise Http404("no such registration")
        return self.desk(request, self.find(request, int(object_id)))

    def desk(self, request: HttpRequest, registration: Registration, **extra: Any) -> HttpResponse:
        user, way = signed_in(request), Way.of(registration, request.GET)
        context = {
            **self.admin_site.each_context(request),
            "is_nav_sidebar_enabled": False,  # the width is the photo's and the changes'
            "title": f"{registration.reference} {registration.legal_name}",
            "opts": self.opts,
            "registration": registration,
            "way": way,
            "keys_off": request.session.get(KEYS_OFF, False),
            **desk.content(registration, user, way),
            "done": way.done(user),
            **extra,
        }
        return TemplateResponse(request, "admin/registrations/registration/desk.html", context)

    @method_decorator(require_safe)
    def next(self, request: HttpRequest, pk: int) -> HttpResponse:
        """下一份: the next one that nobody else is looking at, in the filter of the address."""
        registration = self.find(request, pk)
        way = Way.of(registration, request.GET)
        following = way.following(signed_in(request))
        if following is None:
            messages.info(request, "这个筛选条件下没有别的待审核报名了。")
        return redirect(way.page(following or registration))

    @method_decorator(require_POST)
    def keys(self, request: HttpRequest) -> HttpResponse:
        """Switch the desk's keys on or off for as long as this person is signed in; a browser keeps nothing."""
        request.session[KEYS_OFF] = request.POST.get("on") != "1"
        return HttpResponse(status=204)

    def show_number(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The full document number: a deliberate step, by POST, that leaves exactly one audit line."""
        registration = self.find(request, pk)
        if request.method != "POST" or not registration.actors(signed_in(request)):
            raise PermissionDenied
        record(signed_in(request), Verb.NUMBER_SHOWN, registration, subject=registration.applicant)
        return self.desk(request, registration, full_number=registration.document_number)

    # Deciding -------------------------------------------------------------------------------------------------------

    @kept_forms.form_page
    def decide(self, request: HttpRequest, pk: int, action: Action) -> HttpResponse:
        """One step for one registration: GET asks, POST takes it, bound to the version and portrait on the screen."""
        registration = self.find(request, pk)
        way = Way.of(registration, request.GET)
        if action not in registration.actions_for(signed_in(request)) and request.method != "POST":
            messages.error(
                request, f"现在不能{action.label}：这份报名是“{registration.state.label}”，或您没有这个权限。"
            )
            return redirect(way.page(registration))
        seal = DecisionForm.seal_of({registration.pk: self.seen(request, registration)})
        form = DecisionForm(action, request.POST or None, initial={"versions": seal}, registrations=[registration])
        if form.is_valid():
            return self.take_one(request, registration, form, way)
        kept_forms.restore(request, form)
        return self.ask(request, registration, form, way)

    def take_one(self, request: HttpRequest, registration: Registration, form: DecisionForm, way: Way) -> HttpResponse:
        """Take it, and go on to the next one; where it is refused, back to where one sees why."""
        user = signed_in(request)
        try:
            event = deciding.decide(registration, form, user)
        except StepRefused as refusal:
            messages.error(request, f"{registration.reference} {registration.legal_name}：{refusal}")
            return redirect(way.page(registration))
        if form.action not in DECISIONS:
            messages.success(request, f"{registration.reference} {registration.legal_name}：已{form.action.label}。")
            return redirect(way.page(registration))
        return redirect(way.page(way.following(user) or registration, done=event.pk))

    @method_decorator(require_POST)
    def undo(self, request: HttpRequest, pk: int) -> HttpResponse:
        registration = self.find(request, pk)
        try:
            undo.take_back(registration, request.POST.get("decision", ""), signed_in(request))
            messages.success(request, f"{registration.reference} {registration.legal_name}：已撤销，请重新决定。")
        except StepRefused as refusal:
            messages.error(request, f"{registration.reference} {registration.legal_name}：{refusal}")
        return redirect(Way.of(registration, request.GET).page(registration))

    @sessions.in_background
    @method_decorator(require_POST)
    def claim(self, request: HttpRequest, pk: int) -> HttpResponse:
        registration = self.find(request, pk)
        return claim_pages.answer(request, registration, Way.of(registration, request.GET).page(registration))

    @staticmethod
    def seen(request: HttpRequest, registration: Registration) -> Seen:
        """What was on the desk's page on which the step was chosen: its link says so (Way.step)."""
        now, read, portrait = Seen.of(registration), request.GET.get("version", ""), request.GET.get("portrait")
        version = int(read) if read.isascii() and read.isdigit() and len(read) < 10 else now.version
        same = portrait in {None, str(registration.portrait_id or "")}
        return Seen(version, now.portrait if same else "another")

    def ask(self, request: HttpRequest, registration: Registration, form: DecisionForm, way: Way) -> HttpResponse:
        """The form on a page of its own: without JavaScript, and where something is missing in it."""
        context = {
            **self.admin_site.each_context(request),
            "title": form.action.label,
            "opts": self.opts,
            "form": form,
            "registrations": [registration],
            "back": way.page(registration),
            "way": way,
            "reasons_url": reason_pages.address_for(signed_in(request), form.plan),
        }
        return TemplateResponse(request, "admin/registrations/registration/decide.html", context)
