"""A form that is sent twice is done once: a double click, a line that broke after the commit, the back button.

A view that says so (`once_per_form`) runs in one transaction with the note that its form's key was used and where the
answer led. Who sends the same form again, also while the first is being done, is led to the same place and reads the
same sentences. What was refused is not noted: its form may be corrected and sent again.

A view that reads files first (`reads_first`) says itself where that transaction begins and ends: `with sending(request)`.
"""

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from http import HTTPStatus
from typing import Any

from django.contrib import messages
from django.contrib.messages.storage.base import BaseStorage, Message
from django.core.files.uploadedfile import UploadedFile
from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils.crypto import salted_hmac
from django.utils.safestring import SafeData, mark_safe

from accounts.models import SentForm, User
from accounts.requests import place_to_return

FIELD = "form_key"
KEY = re.compile(r"[A-Za-z0-9_-]{16,64}")
# They differ though the form is the same, or say nothing of it. What is secret is not given back to a page.
NOT_CONTENT = ("csrfmiddlewaretoken", FIELD)
NEVER_SHOWN = ("csrfmiddlewaretoken", FIELD, "password")


def once_per_form[View: Callable[..., HttpResponseBase]](view: View) -> View:
    """Mark a view whose forms have a {% form_key %}: a POST of it is one transaction, done once for each key.

    What it does that no transaction holds (a file, a message to the outside) it does on commit, or can do twice.
    """
    view.once_per_form = True  # type: ignore[attr-defined]
    return view


def reads_first[View: Callable[..., HttpResponseBase]](view: View) -> View:
    """Mark such a view whose transaction is no longer than `with sending(request)`: what it reads before holds nothing.

    Two of the same form may both read; one of them writes, and the other one's `sending` ends its view.
    """
    view.reads_first = True  # type: ignore[attr-defined]
    return view


type Answer = Callable[[HttpResponse], HttpResponse]


@contextmanager
def sending(request: HttpRequest) -> Iterator[Answer]:
    """The transaction of a view that `reads_first`. `return answer(response)` in it is what whoever sends again is told.

    Raises SentBefore where the same form was done meanwhile: not to be caught, and files that were stored for this
    one go as after any other problem.
    """
    own: Sending = getattr(request, "sending", None) or Sending.without_key()
    if (before := own.begin()) is not None:
        raise SentBefore(before)
    answered: list[HttpResponse] = []

    def answer(response: HttpResponse) -> HttpResponse:
        answered.append(response)
        return response

    try:
        try:
            yield answer
        except BaseException as problem:
            own.close(problem)
            raise
        own.end(request, answered[-1] if answered else HttpResponse())
    except BaseException:
        forget_new(request)  # the view may go on, with a page of its own
        raise


class SentBefore(Exception):
    """The form was done by another request; its note says how."""

    def __init__(self, note: SentForm) -> None:
        super().__init__("the form was sent before")
        self.note = note


def key_of(request: HttpRequest) -> str:
    """The key that the form was sent with; "" for none, or for what no form of ours has."""
    sent = request.POST.get(FIELD, "")
    return sent if KEY.fullmatch(sent) else ""


def digest_of(request: HttpRequest) -> str:
    """Of where the form was sent and of all that was in it, files included."""
    content = [[name, values] for name, values in sorted(request.POST.lists()) if name not in NOT_CONTENT]
    files = [[name, [fingerprint(file) for file in found]] for name, found in sorted(request.FILES.lists())]
    text = json.dumps([request.get_full_path(), content, files])
    return salted_hmac("accounts.once", text, algorithm="sha256").hexdigest()


def fingerprint(file: UploadedFile) -> str:
    digest = sha256()
    for chunk in file.chunks():
        digest.update(chunk)
    file.seek(0)
    return digest.hexdigest()


def hidden_fields(request: HttpRequest, *, with_key: bool = False) -> list[tuple[str, str]]:
    """What was typed, for a page from which it can be sent again: as the same form, or as another one."""
    left_out = set(NEVER_SHOWN) - ({FIELD} if with_key else set())
    shown = ((name, values) for name, values in request.POST.lists() if name not in left_out)
    return [(name, value) for name, values in shown for value in values]


class OncePerForm:
    """Stands innermost: when it looks at a view, everybody else has let the request pass."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        own: Sending | None = getattr(request, "sending", None)
        if own is None:
            return response
        if own.is_open:
            own.end(request, response)
        elif not own.is_over and (before := own.known()) is not None:
            # It read, and did nothing: whoever was faster has done it, and that is no refusal.
            forget_new(request)
            return answer_again(request, own, before)
        return response

    def process_view(
        self, request: HttpRequest, view: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> HttpResponse | None:
        marked = request.method == "POST" and getattr(view, "once_per_form", False)
        if not marked or not isinstance(request.user, User) or not key_of(request):
            return None
        own = Sending(request.user, key_of(request), digest_of(request))
        before = own.known() if getattr(view, "reads_first", False) else own.begin()
        if before is not None:
            return answer_again(request, own, before)
        request.sending = own  # type: ignore[attr-defined]
        return None

    def process_exception(self, request: HttpRequest, problem: Exception) -> HttpResponse | None:
        if not isinstance(problem, SentBefore):
            return None
        own: Sending = request.sending  # type: ignore[attr-defined]
        own.is_over = True
        return answer_again(request, own, problem.note)


class Sending:
    """One form on its way: from the claim of its key to the end of its transaction."""

    def __init__(self, user: User | None, key: str, digest: str) -> None:
        self.user, self.key, self.digest = user, key, digest
        self.transaction = transaction.atomic()
        self.row: SentForm | None = None
        self.is_open = self.is_over = False

    @classmethod
    def without_key(cls) -> "Sending":
        """One that nobody can recognise when it is sent again: a transaction, and no note."""
        return cls(None, "", "")

    def begin(self) -> SentForm | None:
        """None where the key is ours now; else what became of the form that used it. Waits for one that is being done."""
        self.transaction.__enter__()
        self.is_open = True
        try:
            if self.user is not None:
                # Not asked first whether it is there: nearly every form is sent once, and nothing was done yet to lose.
                self.row = SentForm.objects.create(user=self.user, key=self.key, digest=self.digest)
        except IntegrityError as problem:
            self.close(problem)
            return self.known() or self.begin()  # its note may be gone again: then the key is free
        except BaseException as problem:
            self.close(problem)
            raise
        return None

    def known(self) -> SentForm | None:
        return SentForm.objects.filter(user=self.user, key=self.key).first() if self.user else None

    def end(self, request: HttpRequest, response: HttpResponse) -> None:
        """Commit what was done, with its answer where it was done; nothing at all after a fault of ours."""
        try:
            if response.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR:
                transaction.set_rollback(True)
            elif self.row is not None and not transaction.get_connection().needs_rollback:
                self.note(request, response, self.row)
        except BaseException as problem:
            self.close(problem)
            raise
        self.close()
        self.is_over = True

    def close(self, problem: BaseException | None = None) -> None:
        """Left open, it would hold this thread's connection for ever, and each later request of the thread would fail."""
        self.is_open = False
        self.transaction.__exit__(
            type(problem) if problem else None, problem, problem.__traceback__ if problem else None
        )

    @staticmethod
    def note(request: HttpRequest, response: HttpResponse, row: SentForm) -> None:
        if is_done(request, response):
            row.answer = json.dumps([response["Location"], [as_kept(said) for said in new(request)]])
            row.save(update_fields=["answer"])
        else:
            SentForm.objects.filter(pk=row.pk).delete()


def take_back(request: HttpRequest | None, problem: BaseException | None) -> None:
    """All that a marked view has done, because of a fault of ours, before its answer: for what is to be written after it."""
    own: Sending | None = getattr(request, "sending", None)
    if own is not None and own.is_open:
        own.close(problem)
        own.is_over = True


def is_done(request: HttpRequest, response: HttpResponse) -> bool:
    """A view that did what it was asked for leads on; one that did not shows the form, or says an error."""
    refused = any(said.level >= messages.ERROR for said in new(request))
    return isinstance(response, HttpResponseRedirect) and not refused


def new(request: HttpRequest) -> list[Message]:
    """The sentences that this request has for the next page."""
    storage: BaseStorage | None = getattr(request, "_messages", None)
    return list(storage._queued_messages) if storage is not None else []  # type: ignore[attr-defined]


def as_kept(said: Message) -> tuple[int, str, bool]:
    """With whether it may stand in a page as it is: the admin's own sentences have a link in them."""
    return said.level, str(said), isinstance(said.message, SafeData)


def forget_new(request: HttpRequest) -> None:
    """What was to be said of something that has been taken back is not said."""
    storage: BaseStorage | None = getattr(request, "_messages", None)
    if storage is not None:
        storage._queued_messages.clear()  # type: ignore[attr-defined]


def waiting(request: HttpRequest) -> Iterator[str]:
    """The sentences that wait for the next page already, and go on waiting."""
    storage: BaseStorage | None = getattr(request, "_messages", None)
    return (str(said) for said in (storage._loaded_messages if storage is not None else []))  # type: ignore[attr-defined]


def answer_again(request: HttpRequest, own: Sending, before: SentForm) -> HttpResponse:
    return same_answer(request, before) if before.digest == own.digest else other_content(request)


def same_answer(request: HttpRequest, before: SentForm) -> HttpResponse:
    """Where the first led. Its sentences, unless they still wait: the page on which they stood may have been lost."""
    target, sentences = json.loads(before.answer)
    there = set(waiting(request))
    for level, sentence, is_safe in sentences:
        if sentence not in there:
            # The note is sealed: nobody else has written it (accounts/fields.py).
            messages.add_message(request, level, mark_safe(sentence) if is_safe else sentence)  # noqa: S308
    return HttpResponseRedirect(target)


def other_content(request: HttpRequest) -> HttpResponse:
    """The page was sent, changed by way of the back button, and sent again: nobody knows whether another one is meant."""
    context = {
        "fields": hidden_fields(request),
        "files": bool(request.FILES),
        "target": request.get_full_path(),
        "page": place_to_return(request),
    }
    return render(request, "accounts/sent_before.html", context, status=HTTPStatus.CONFLICT)
