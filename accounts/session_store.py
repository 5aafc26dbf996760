"""Where sessions are: in Django's own table, with one statement for each thing that is done to it.

Django looks before it makes a key and before it deletes, and begins a transaction for a single statement. Nearly every
form that is sent changes its session twice, for the sentence that the next page says. And whose a session is stands in a
column beside it, so that those of one person are found without a look into everybody's.
"""

from typing import Any, cast

from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends import db
from django.contrib.sessions.backends.base import VALID_KEY_CHARS, UpdateError
from django.utils.crypto import get_random_string

from accounts.models.sessions import NOBODY, Session

KEY_LENGTH = 32


class SessionStore(db.SessionStore):
    @classmethod
    def get_model_class(cls) -> type[Session]:
        return Session

    def create_model_instance(self, data: dict[str, Any]) -> Session:
        row = cast("Session", super().create_model_instance(data))
        row.account = int(data.get(SESSION_KEY, NOBODY))
        return row

    def _get_new_session_key(self) -> str:
        """One of 36³². Were there such a session, its row would refuse a second one, and create() begin again."""
        return get_random_string(KEY_LENGTH, VALID_KEY_CHARS)

    def save(self, must_create: bool = False) -> None:
        """UpdateError where the session has been ended meanwhile: it is not brought back.

        A database that is away stays its own error. Django's store takes it for an ended session, a fault of the request.
        """
        if must_create or self.session_key is None:
            super().save(must_create)
            return
        row = self.create_model_instance(self._get_session())  # type: ignore[attr-defined]
        found = Session.objects.filter(pk=row.pk)
        if not found.update(session_data=row.session_data, expire_date=row.expire_date, account=row.account):
            raise UpdateError

    def delete(self, session_key: str | None = None) -> None:
        self.model.objects.filter(pk=session_key or self.session_key).delete()
