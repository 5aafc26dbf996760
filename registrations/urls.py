"""Addresses under /registrations/."""

from django.urls import include, path

from registrations import move_views, views
from registrations.workflow import Action

app_name = "registrations"
steps = [
    path(f"<slug:reference>/{action}/", views.ask_and_take, {"action": action}, name=action.value)
    for action in (Action.SUBMIT, Action.RECALL, Action.WITHDRAW)
]
urlpatterns = [
    path("", views.own_list, name="list"),
    path("start/<slug:code>/", views.start, name="start"),
    path("<slug:reference>/", views.detail, name="detail"),
    path("<slug:reference>/edit/", views.edit, name="edit"),
    path("<slug:reference>/occupation/", views.occupation, name="occupation"),
    path("<slug:reference>/photo/", include((views.RegistrationPhotos().paths(), "photo"))),
    path("<slug:reference>/check/", views.check, name="check"),
    path("<slug:reference>/submitted/", views.submitted, name="submitted"),
    path("<slug:reference>/seen/", views.seen, name="seen"),
    path("<slug:reference>/move/", move_views.answer, name="move"),
    path("<slug:reference>/delete/", views.delete, name="delete"),
    *steps,
]
