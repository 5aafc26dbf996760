"""Error reports say where it failed, never on whom: no posted data, no cookies, no contents of variables."""

from collections.abc import ItemsView
from types import FrameType
from typing import Any

from django.http import HttpRequest
from django.utils.safestring import SafeString, mark_safe
from django.views.debug import ExceptionReporter, SafeExceptionReporterFilter

from accounts.redaction import redact

# Of the environment of a request, what has an address or what somebody typed in it.
SPOKEN = {"QUERY_STRING", "HTTP_REFERER", "PATH_INFO", "REQUEST_URI", "RAW_URI"}


class PersonalDataFilter(SafeExceptionReporterFilter):
    """Active always: the page of DEBUG is sent in by people, and a screenshot is a copy."""

    def is_active(self, request: HttpRequest | None) -> bool:
        return True

    def get_post_parameters(self, request: HttpRequest | None) -> dict[str, str]:
        return dict.fromkeys(request.POST, self.cleansed_substitute) if request is not None else {}

    def get_safe_cookies(self, request: HttpRequest) -> dict[str, str]:
        return dict.fromkeys(getattr(request, "COOKIES", {}), self.cleansed_substitute)

    def get_safe_request_meta(self, request: HttpRequest) -> dict[str, Any]:
        safe = super().get_safe_request_meta(request)
        return {name: redact(value) if name in SPOKEN else value for name, value in safe.items()}

    def get_traceback_frame_variables(self, request: HttpRequest, tb_frame: FrameType) -> ItemsView[str, Any]:
        """Names and types. Any value may be personal: a form, a row, a string that was cut from one."""
        return {name: type(value) for name, value in tb_frame.f_locals.items()}.items()


class PersonalDataReporter(ExceptionReporter):
    """What the filter is not asked about: the sentence of the exception, the address, the name of who is signed in."""

    def get_traceback_data(self) -> dict[str, Any]:
        data = super().get_traceback_data()
        data["user_str"] = self.pseudonym()
        data["request_GET_items"] = [
            (name, PersonalDataFilter.cleansed_substitute) for name, _ in data.get("request_GET_items", ())
        ]
        data["request_FILES_items"] = [(name, "file") for name, _ in data.get("request_FILES_items", ())]
        for name in ("exception_value", "exception_notes", "request_insecure_uri", "unicode_hint"):
            if data.get(name):
                data[name] = redact(str(data[name]))
        for frame in data["frames"]:
            if frame.get("exc_cause"):
                frame["exc_cause"] = redact(str(frame["exc_cause"]))
        if data["template_info"]:
            data["template_info"] |= {"message": redact(str(data["template_info"]["message"]))}
        return data

    def pseudonym(self) -> str:
        """Who was signed in. Asking may fail for the very reason that is being reported."""
        if self.request is None:
            return "nobody"
        try:
            return self.request.user.get_username() or "anonymous"
        except Exception:
            return "unknown"

    def get_traceback_text(self) -> SafeString:
        return mark_safe(redact(super().get_traceback_text()))
