"""Sentences for the next page wait in the session, encrypted: in no cookie, and in clear nowhere."""

from collections.abc import Sequence
from typing import Any

from django.contrib.messages.storage.session import SessionStorage

from accounts.fields import TamperedCiphertext, decrypt_text, encrypt_text

CONTEXT = "session.messages"


class SealedMessages(SessionStorage):
    def serialize_messages(self, messages: Sequence[Any]) -> str:
        return encrypt_text(super().serialize_messages(messages), CONTEXT)

    def deserialize_messages(self, data: Any) -> Any:
        """Nothing where the key is gone from the ring: a sentence is not worth an error page."""
        if not isinstance(data, str):
            return None
        try:
            return super().deserialize_messages(decrypt_text(data, CONTEXT))
        except TamperedCiphertext:
            return None
