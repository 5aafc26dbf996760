"""How a message goes out: by mail and by SMS, each a context that carries several and says whose fault it is."""

import smtplib
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Protocol
from urllib.parse import urlsplit

from django.conf import settings
from django.core.mail import EmailMultiAlternatives, mailers
from django.template.loader import render_to_string

from profiles.models import Profile
from registrations import sms
from registrations.messages import Channel, Message
from registrations.patience import Fault, NotSent
from registrations.wording import sms_text


class Carrier(Protocol):
    def __enter__(self) -> "Carrier": ...
    def __exit__(self, *failure: object) -> None: ...
    def address(self, profile: Profile) -> str:
        """Where to, or "" where nothing is known."""
        ...

    def carry(self, message: Message, address: str) -> None:
        """Raises NotSent."""
        ...


def absolute(path: str) -> str:
    return f"{settings.PORTAL_URL.rstrip('/')}{path}"


def reference_of(message: Message, channel: str) -> str:
    """The same at each try: whoever gets it twice can tell (docs/adr/0018)."""
    return f"{message.token.hex}.{channel}"


class Mail:
    """One connection for as many as there are. It is made when the first one goes out."""

    def __enter__(self) -> "Mail":
        self.backend = mailers.default
        return self

    def __exit__(self, *failure: object) -> None:
        with suppress(smtplib.SMTPException, OSError):  # what was taken was taken, with or without a goodbye
            self.backend.close()

    def address(self, profile: Profile) -> str:
        return profile.email

    def open(self) -> None:
        """Be let in. Raises NotSent."""
        try:
            self.backend.open()
        except (smtplib.SMTPException, OSError) as problem:
            raise NotSent(Fault.SERVER, code_of(problem)) from None

    def carry(self, message: Message, address: str) -> None:
        self.open()
        try:
            self.backend.send_messages([letter(message, address)])
        except (smtplib.SMTPException, OSError, ValueError) as problem:
            raise NotSent(fault_of(problem), code_of(problem)) from None


def letter(message: Message, address: str) -> EmailMultiAlternatives:
    context = {"message": message, "link": absolute(message.link)}
    host = urlsplit(settings.PORTAL_URL).hostname or "localhost"
    mail = EmailMultiAlternatives(
        subject=message.title,
        body=render_to_string("notifications/mail.txt", context),
        from_email=settings.MAIL_FROM,
        to=[address],
        headers={
            "Message-ID": f"<{reference_of(message, Channel.MAIL)}@{host}>",
            "Auto-Submitted": "auto-generated",  # RFC 3834: no holiday replies
        },
    )
    mail.attach_alternative(render_to_string("notifications/mail.html", context), "text/html")
    return mail


def fault_of(problem: Exception) -> Fault:
    """Whose fault: the address's, this moment's, or the server's."""
    if isinstance(problem, ValueError):
        return Fault.REFUSED  # what stands in the profile is no address
    if isinstance(problem, smtplib.SMTPRecipientsRefused):
        codes = [code for code, _ in problem.recipients.values()]
    elif isinstance(problem, smtplib.SMTPDataError):
        codes = [problem.smtp_code]
    else:
        return Fault.SERVER
    if 421 in codes:
        return Fault.SERVER
    return Fault.REFUSED if max(codes) >= 500 else Fault.LATER


def code_of(problem: Exception) -> str:
    """A word for the log: a number of SMTP or the name of a class, never the text, which repeats the address."""
    if isinstance(problem, smtplib.SMTPRecipientsRefused):
        return f"smtp {max(code for code, _ in problem.recipients.values())}"
    if isinstance(problem, smtplib.SMTPResponseException):
        return f"smtp {problem.smtp_code}"
    return type(problem).__name__[:40]


class Sms:
    def __enter__(self) -> "Sms":
        self.backend = sms.backend()
        return self

    def __exit__(self, *failure: object) -> None:
        pass

    def address(self, profile: Profile) -> str:
        return profile.phone

    def carry(self, message: Message, address: str) -> None:
        self.backend.send(address, sms_text(message), reference_of(message, Channel.SMS))


CARRIERS: dict[str, Callable[[], Any]] = {Channel.MAIL: Mail, Channel.SMS: Sms}


def open_channels() -> list[Channel]:
    """The ways out that this portal has been given."""
    open_ones = {Channel.MAIL: settings.MAIL_FROM, Channel.SMS: settings.SMS_BACKEND}
    return [channel for channel, given in open_ones.items() if given]
