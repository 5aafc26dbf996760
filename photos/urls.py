"""Addresses under /photos/: a person's own pictures by their numbers, in use or not."""

from django.urls import path

from photos import own

app_name = "photos"
urlpatterns = [
    path("uploads/<uuid:upload>/", own.upload, name="upload"),
    path("portraits/<uuid:portrait>/", own.portrait, name="portrait"),
]
