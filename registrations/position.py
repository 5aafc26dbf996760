"""Where in a queue a page begins or ends: the moment and the key of one row, as an opaque piece of an address."""

import base64
import binascii
import struct
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db.models import Q

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
BYTES = struct.Struct(">QQ")
LATEST = (datetime(9999, 1, 1, tzinfo=UTC) - EPOCH) // MICROSECOND
LARGEST_KEY = 2**63 - 1  # of a BigAutoField


@dataclass(frozen=True)
class Position:
    """`at` (aware) is when a registration was submitted, `pk` tells those of the same moment apart. Nothing personal."""

    at: datetime
    pk: int

    @classmethod
    def of(cls, registration: Any) -> "Position":
        return cls(registration.submitted_at, registration.pk)

    @classmethod
    def read(cls, text: str) -> "Position | None":
        """What `str()` gave, or None for anything else: an address that was cut off shows the beginning."""
        try:
            packed = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
            microseconds, pk = BYTES.unpack(packed)
        except (binascii.Error, struct.error, ValueError):
            return None
        if microseconds > LATEST or pk > LARGEST_KEY:
            return None
        return cls(EPOCH + microseconds * MICROSECOND, pk)

    def __str__(self) -> str:
        packed = BYTES.pack((self.at - EPOCH) // MICROSECOND, self.pk)
        return base64.urlsafe_b64encode(packed).decode().rstrip("=")

    def later(self) -> Q:
        """Rows that were submitted after this one. The first condition is the one that an index can begin at."""
        return Q(submitted_at__gte=self.at) & (Q(submitted_at__gt=self.at) | Q(pk__gt=self.pk))

    def earlier(self) -> Q:
        return Q(submitted_at__lte=self.at) & (Q(submitted_at__lt=self.at) | Q(pk__lt=self.pk))
