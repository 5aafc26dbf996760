"""Text that is encrypted in the database, and the keyed hash by which it is found there.

Stored as `v1:<key id>:<base64 of nonce and ciphertext>`, AES-256-GCM. The associated data is the table and the column,
so a ciphertext that was moved elsewhere is refused. Renaming either therefore needs a migration that encrypts anew.
"""

import base64
import binascii
import hashlib
import hmac
import secrets
from typing import Any, NoReturn

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings
from django.core import checks
from django.core.exceptions import FieldError
from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper

VERSION = "v1"
NONCE_BYTES = 12  # NIST SP 800-38D, 5.2.1.1: the length that GCM is made for


class TamperedCiphertext(Exception):
    """What is stored was changed, was moved from another place, or was encrypted with a key that we do not have.

    Not a ValueError: code that expects bad input would swallow it. `place` is the table and the column, with the
    primary key where it is known; the text is safe to log.
    """

    def __init__(self, place: str, sentence: str) -> None:
        super().__init__(f"{place} 里{sentence}")
        self.place, self.sentence = place, sentence

    def at(self, pk: object) -> "TamperedCiphertext":
        """The same with the row: a column does not know which one it is read for."""
        return TamperedCiphertext(f"{self.place}:{pk}", self.sentence)


def encrypt_text(plain: str, context: str) -> str:
    """`plain` under the first key of FIELD_ENCRYPTION_KEYS, readable again only with the same `context`."""
    key_id, key = next(iter(settings.FIELD_ENCRYPTION_KEYS.items()))
    nonce = secrets.token_bytes(NONCE_BYTES)
    sealed = nonce + AESGCM(key).encrypt(nonce, plain.encode(), context.encode())
    return f"{VERSION}:{key_id}:{base64.b64encode(sealed).decode()}"


def decrypt_text(stored: str, context: str) -> str:
    """What `encrypt_text` was given, under whichever key. Raises TamperedCiphertext, whose text is safe to log."""
    key, sealed = opened(stored, context)
    try:
        return AESGCM(key).decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], context.encode()).decode()
    except (InvalidTag, ValueError):
        raise TamperedCiphertext(context, "的密文被改动过，或是从别处移来的，请从备份恢复这一行。") from None


def opened(stored: str, context: str) -> tuple[bytes, bytes]:
    """The key and the sealed bytes that a stored text names."""
    version, _, rest = stored.partition(":")
    key_id, _, encoded = rest.partition(":")
    try:
        sealed = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        sealed = b""
    # Encoded again, because several texts decode to the same bytes and only one of them is what we wrote.
    if version != VERSION or not sealed or base64.b64encode(sealed).decode() != encoded:
        raise TamperedCiphertext(context, "存的不是本系统写入的密文，请从备份恢复这一行。")
    if key_id not in settings.FIELD_ENCRYPTION_KEYS:
        raise TamperedCiphertext(
            context, "的密文所用的密钥不在 FIELD_ENCRYPTION_KEYS 中，请补上旧密钥，或从备份恢复这一行。"
        )
    return settings.FIELD_ENCRYPTION_KEYS[key_id], sealed


def key_id_of(stored: str) -> str:
    """Which key a stored text was encrypted with: what the rotation asks. Empty for an empty text."""
    return stored.split(":", 2)[1] if stored else ""


def blind_index(*parts: str) -> str:
    """A keyed fingerprint, 64 hexadecimal characters: equal for equal parts, and of no use without BLIND_INDEX_KEY.

    Each part is preceded by its length, so that ("a", "bc") and ("ab", "c") differ.
    """
    encoded = [part.encode() for part in parts]
    message = b"".join(len(part).to_bytes(8, "big") + part for part in encoded)
    return hmac.new(settings.BLIND_INDEX_KEY, message, hashlib.sha256).hexdigest()


class EncryptedTextField(models.TextField):
    """Plain text in the instance, ciphertext in the database. An empty text and None stay as they are.

    The same text gives another ciphertext at each save, so it cannot be compared: keep a `blind_index` beside it.
    """

    description = "加密保存的文字"

    @property
    def context(self) -> str:
        """Asked at run time: a field of an abstract model belongs to each table that inherits it."""
        return f"{self.model._meta.db_table}.{self.column}"

    def get_prep_value(self, value: Any) -> Any:
        plain = super().get_prep_value(value)
        return encrypt_text(plain, self.context) if plain else plain

    def from_db_value(self, value: str | None, expression: Any, connection: BaseDatabaseWrapper) -> str | None:
        return decrypt_text(value, self.context) if value else value

    def get_lookup(self, lookup_name: str) -> Any:
        if lookup_name != "isnull":
            self.refuse(lookup_name)
        return super().get_lookup(lookup_name)

    def get_transform(self, lookup_name: str) -> Any:
        self.refuse(lookup_name)

    def refuse(self, lookup_name: str) -> NoReturn:
        raise FieldError(
            f"{self.context} is encrypted, so “{lookup_name}” would never match: "
            "look for blind_index(…) in the index column beside it. Only isnull works here."
        )

    def check(self, **kwargs: Any) -> list[checks.CheckMessage]:
        return [*super().check(**kwargs), *self.check_index()]

    def check_index(self) -> list[checks.CheckMessage]:
        """No two ciphertexts are equal: a unique constraint would look like a promise and hold nothing."""
        if not (self.unique or getattr(self, "db_index", False)):
            return []
        hint = "Put the constraint or the index on a blind_index column beside it."
        return [checks.Error("An encrypted field cannot be unique or indexed.", hint, self, "accounts.E010")]
