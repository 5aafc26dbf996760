"""Addresses under /profile/."""

from django.urls import include, path

from profiles import views

app_name = "profiles"
urlpatterns = [
    path("", views.edit, name="edit"),
    path("photo/", include((views.ProfilePhotos().paths(), "photo"))),
]
