"""消息: the list of what a person was told, and how the person wants to be told."""

from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import kept_forms
from accounts.models import User
from accounts.requests import SignedInRequest
from profiles.models import Profile
from registrations.carriers import open_channels
from registrations.messages import Channel, ChannelChoice, Kind, Message
from registrations.models import Registration

MESSAGES_PER_PAGE = 20
DECISIONS = [Kind.RETURNED, Kind.APPROVED, Kind.REJECTED, Kind.REOPENED, Kind.UNDONE]


@require_safe
def own_list(request: SignedInRequest) -> HttpResponse:
    own = Message.objects.owned_by(request.user).select_related("registration")
    page = Paginator(own.unread_first(), MESSAGES_PER_PAGE).get_page(request.GET.get("page"))
    return render(request, "messages/list.html", {"page": page})


@require_POST
def open_message(request: SignedInRequest, message: int) -> HttpResponse:
    """Read, and on to what it is about."""
    own = Message.objects.owned_by(request.user).select_related("registration")
    found = get_object_or_404(own, pk=message)
    Message.objects.filter(pk=found.pk).mark_read()
    if found.kind in DECISIONS:
        Registration.objects.filter(pk=found.registration_id).update(unseen=False)
    return redirect(found.link)


@require_POST
def read_all(request: SignedInRequest) -> HttpResponse:
    """The messages say what was decided: who has read them all has seen it."""
    number = Message.objects.owned_by(request.user).mark_read()
    Registration.objects.owned_by(request.user).filter(unseen=True).update(unseen=False)
    messages.success(request, f"{number} 条消息已标为已读。" if number else "没有未读的消息。")
    return redirect("messages:list")


class ChannelForm(forms.ModelForm):
    """What the portal has no way to is not offered."""

    class Meta:
        model = ChannelChoice
        fields = ["mail", "sms"]

    def __init__(self, profile: Profile, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        addresses = {Channel.MAIL: profile.email, Channel.SMS: profile.phone}
        for channel in Channel:
            if channel not in open_channels():
                del self.fields[channel.value]
                continue
            known = addresses[channel]
            missing = f"您还没有填写{'邮箱' if channel == Channel.MAIL else '手机'}，填好以后才会发。"
            self.fields[channel.value].help_text = f"发到 {known}" if known else missing


@kept_forms.form_page
@require_http_methods(["GET", "HEAD", "POST"])
def channels(request: SignedInRequest) -> HttpResponse:
    """通知方式: beside the portal itself, which always tells."""
    choice = ChannelChoice.of(request.user)
    data = request.POST if request.method == "POST" else None  # all boxes empty is an answer, too
    form = ChannelForm(Profile.of(request.user), data, instance=choice)
    if form.is_valid():
        values = {name: form.cleaned_data[name] for name in form.fields}
        with transaction.atomic():
            User.objects.hold(request.user.pk)
            ChannelChoice.objects.update_or_create(user=request.user, defaults=values)
        messages.success(request, "已保存，从下一条消息起照此通知。")
        return redirect("messages:list")
    kept_forms.restore(request, form)
    return render(request, "messages/channels.html", {"form": form})
