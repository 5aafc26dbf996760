"""个人基本信息维护: the reusable details and their photo."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from accounts import kept_forms
from accounts.requests import SignedInRequest, held_identity, signed_in
from photos.views import PhotoPages
from profiles.forms import PersonalDetailsForm
from profiles.models import Profile, StaleDetails


@kept_forms.form_page
@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: SignedInRequest) -> HttpResponse:
    """保存 keeps the text alone; 保存并上传照片 goes on to the photo."""
    profile = Profile.of(request.user)
    held = held_identity(request.user)
    form = PersonalDetailsForm(held, request.POST or None, instance=profile)
    if form.is_valid():
        try:
            Profile.of(request.user).save_details(form.cleaned_data["version"], form.values())
        except StaleDetails:
            current = Profile.of(request.user)
            if form.says_what_stands(current):  # the second click
                return saved(request)
            form.tell_of_other_tab(current)
        else:
            return saved(request)
    kept_forms.restore(request, form)
    return render(request, "profiles/edit.html", {"form": form, "profile": Profile.of(request.user), "held": held})


def saved(request: SignedInRequest) -> HttpResponse:
    messages.success(request, "个人基本信息已保存。")
    return redirect("profiles:photo:upload" if request.POST.get("then") == "photo" else "profiles:edit")


class ProfilePhotos(PhotoPages):
    """The photo pages (photos/views.py) for the profile of whoever is signed in."""

    def find(self, request: HttpRequest, **kwargs: Any) -> Profile:
        return Profile.of(signed_in(request))
