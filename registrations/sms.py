"""Short messages: the interface that a gateway's backend fills in, and one that only shows what it would send."""

import sys
from typing import Protocol

from django.conf import settings
from django.utils.module_loading import import_string

LONGEST = 70  # characters; a longer one is billed, and shown, as several


class SmsBackend(Protocol):
    """A class without arguments; SMS_BACKEND names it by its dotted path."""

    def send(self, number: str, text: str, reference: str) -> None:
        """Hand the text (at most 70 characters) over to the gateway, in at most ten seconds.

        `number` is a mobile number of 11 digits or one that begins with +. `reference` is the same when the same message
        is handed over again after a doubt; a gateway that knows it can leave it at one. Raises patience.NotSent.
        """
        ...


class ConsoleSms:
    """For trying out: shows it on the standard output, the number masked."""

    def send(self, number: str, text: str, reference: str) -> None:
        print(f"SMS {reference} to {number[:3]}****{number[-4:]}: {text}", file=sys.stdout, flush=True)


def backend() -> SmsBackend:
    made: SmsBackend = import_string(settings.SMS_BACKEND)()
    return made
