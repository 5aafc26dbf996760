"""Addresses under /plans/."""

from django.urls import path

from plans import invitation_views, views

app_name = "plans"
urlpatterns = [
    path("", views.plan_list, name="list"),
    path("invitation/<str:token>/", invitation_views.invitation, name="invitation"),
    path("<slug:code>/", views.plan_detail, name="detail"),
    path("<slug:code>/attachments/<int:pk>/", views.attachment, name="attachment"),
]
