"""What was typed when a session ended: kept for its owner, encrypted, an hour; shown again after the next login.

Only where the page says that it shows it again (`form_page`), only what CSRF protection let through, never a password,
a consent or a file. A document number may be among it: that is why it is encrypted, and why it is short-lived.
"""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.contrib import messages
from django.core.exceptions import TooManyFieldsSent
from django.db import transaction
from django.db.models import QuerySet
from django.forms import BaseForm, FileField
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.http.response import HttpResponseBase
from django.urls import resolve
from django.utils import timezone

from accounts.fields import TamperedCiphertext
from accounts.models import AccountEnded, KeptForm, User
from accounts.refusals import record_refusal
from accounts.requests import signed_in

KEPT_FOR = timedelta(hours=1)
MOST_BYTES = 64 * 1024
MOST_FORMS = 20  # of one person
LONGEST_PATH = 200
# A consent or a declaration is given anew by whoever saves; a token belongs to the page that it stood on.
LEFT_OUT = ("csrfmiddlewaretoken", "form_key", "password", "agreed", "consented")
RESTORED = "您的登录曾经中断，刚才填写的内容已为您恢复，请核对后保存。"
WITHOUT_FILES = "文件没有保留，请重新选择。"


def form_page[View: Callable[..., HttpResponseBase]](view: View) -> View:
    """Mark a view whose form shows again (`restore`) what was typed when the session ended."""
    view.form_page = True  # type: ignore[attr-defined]
    return view


def is_form_page(view: Callable[..., Any]) -> bool:
    return getattr(view, "form_page", False)


def leads_to_form_page(path: str) -> bool:
    """Whether an address of ours (path alone) is one where a kept form would be shown again."""
    try:
        return is_form_page(resolve(path).func)
    except Http404:
        return False


def rows(user: int, path: str) -> QuerySet[KeptForm]:
    """What is kept for this person (primary key) and page, in time or not."""
    return KeptForm.objects.filter(user=user, path=path) if is_storable(path) else KeptForm.objects.none()


def is_storable(path: str) -> bool:
    """An address can say more than the column holds: PostgreSQL refuses a NUL."""
    return len(path) <= LONGEST_PATH and path.isprintable()


# Keeping ------------------------------------------------------------------------------------------------------------


def keep(user: int, path: str, typed: QueryDict) -> bool:
    """Keep a form for the person with this primary key; False where it is too large or there is no such person."""
    fields = typed.copy()
    for name in LEFT_OUT:
        fields.pop(name, None)
    content = fields.urlencode()
    if not fields or len(content) > MOST_BYTES or not is_storable(path):
        return False
    try:
        with transaction.atomic():
            User.objects.hold(user)
            KeptForm.objects.update_or_create(
                user_id=user, path=path, defaults={"content": bound_to(user, path, content), "kept_at": timezone.now()}
            )
    except AccountEnded:
        return False
    newest = KeptForm.objects.filter(user=user).order_by("-kept_at", "-pk").values("pk")[:MOST_FORMS]
    KeptForm.objects.filter(user=user).exclude(pk__in=list(newest.values_list("pk", flat=True))).delete()
    return True


def keep_text(user: int, path: str, typed: str) -> bool:
    """The same for urlencoded fields; False for what has more of them than a form may have."""
    if len(typed) > MOST_BYTES * 2:
        return False
    try:
        return keep(user, path, QueryDict(typed))
    except TooManyFieldsSent:
        return False


def is_kept(user: int, path: str) -> bool:
    return rows(user, path).filter(kept_at__gt=timezone.now() - KEPT_FOR).exists()


def bound_to(user: int, path: str, content: str) -> str:
    """With whose and where it is inside the ciphertext: moved to another row it must not be shown there."""
    return json.dumps([user, path, content])


# Giving back --------------------------------------------------------------------------------------------------------


def kept(request: HttpRequest) -> QueryDict | None:
    """What the signed-in person typed on this page when the session ended, if that was less than an hour ago."""
    user = signed_in(request)
    try:
        found = rows(user.pk, request.path).filter(kept_at__gt=timezone.now() - KEPT_FOR).first()
        if found is None:
            return None
        owner, path, content = json.loads(found.content)
        if (owner, path) != (user.pk, request.path):
            raise TamperedCiphertext("accounts_keptform.content", "的密文是从另一行换来的。").at(found.pk)
    except TamperedCiphertext as refusal:
        record_refusal(user, refusal)
        drop(user, request.path)
        return None
    return QueryDict(content)


def restore(request: HttpRequest, *forms: BaseForm) -> None:
    """Show in these unbound forms what was kept for this page, and say so. A POST shows its own."""
    typed = kept(request) if request.method != "POST" else None
    if typed is None:
        return
    files = False
    for form in forms:
        for name, field in form.fields.items():
            files = files or isinstance(field, FileField)
            if field.disabled or isinstance(field, FileField):
                continue
            form.initial[name] = field.widget.value_from_datadict(typed, {}, form.add_prefix(name))
    messages.info(request, RESTORED + (WITHOUT_FILES if files else ""))


def drop(user: User, path: str) -> None:
    rows(user.pk, path).delete()


def drop_expired() -> int:
    """Delete what nobody came back for in time; the number of forms. Without a worker `purge_expired` does it, later."""
    return KeptForm.objects.filter(kept_at__lte=timezone.now() - KEPT_FOR).delete()[0]


class KeptForms:
    """What was sent to a page by its owner takes the place of what was kept for it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        match = request.resolver_match
        sent = request.method == "POST" and match and is_form_page(match.func) and response.status_code < 400
        if sent and isinstance(request.user, User):
            drop(request.user, request.path)
        return response
