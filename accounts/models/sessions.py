"""Who is signed in: Django's own table of sessions, with a column that says whose each is."""

from django.contrib.sessions.base_session import AbstractBaseSession
from django.db import models

NOBODY = 0


class Session(AbstractBaseSession):
    """Beside django.contrib.sessions.Session, over the same rows: the release of before knows the table without the column.

    `account` is a primary key of an account, or NOBODY. It is NULL where that release wrote the row and where nothing has been
    written since: only what is in the session says whose it is. No foreign key, which a session of nobody's would not bear.
    """

    account = models.BigIntegerField(null=True, editable=False)

    class Meta(AbstractBaseSession.Meta):
        managed = False
        db_table = "django_session"
        indexes = [models.Index(fields=["account"], name="session_account")]
