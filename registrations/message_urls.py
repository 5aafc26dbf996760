"""Addresses under /messages/."""

from django.urls import path

from registrations import message_views as views

app_name = "messages"
urlpatterns = [
    path("", views.own_list, name="list"),
    path("read/", views.read_all, name="read_all"),
    path("channels/", views.channels, name="channels"),
    path("<int:message>/open/", views.open_message, name="open"),
]
