"""A question that page after page asks: its SQL is written once in each process, and only the values change.

For a row with all that its page names, Django takes longer to write the SQL than to ask and to read the answer.
"""

from collections.abc import Callable, Collection
from copy import copy
from functools import cached_property
from typing import TYPE_CHECKING, Any

from django.contrib.auth import get_user_model
from django.core.exceptions import MultipleObjectsReturned
from django.db import connections
from django.db.models import Model, QuerySet

if TYPE_CHECKING:
    from accounts.models import User

SOMEBODY = -1  # no user's key


class Question[Row: Model]:
    """`write` makes the QuerySet out of values. What is asked, and in what shape, must not depend on them.

    `placeholders` are what it is made out of the one time: of the values' types, and like nothing else in the question.
    Those that are `spare` may be missing in it.
    """

    def __init__(self, write: Callable[..., QuerySet[Row]], *placeholders: Any, spare: Collection[Any] = ()) -> None:
        self.write, self.placeholders, self.spare = write, placeholders, spare

    @cached_property
    def written(self) -> tuple[QuerySet[Row], Any, str, tuple[Any, ...]]:
        queryset = self.write(*self.placeholders)
        compiler = queryset.query.get_compiler(queryset.db)
        sql, params = compiler.as_sql()
        if any(place not in params and place not in self.spare for place in self.placeholders):
            raise ValueError(f"each of {self.placeholders} must be among the values of {sql}")
        return queryset, compiler, sql, tuple(params)

    def answer(self, *values: Any) -> Row | None:
        """The row for these values; None where there is none. At most one may be there."""
        rows = self.answers(*values)
        if len(rows) > 1:
            raise MultipleObjectsReturned
        return rows[0] if rows else None

    def answers(self, *values: Any) -> list[Row]:
        """Every row for these values, in the QuerySet's order."""
        queryset, compiler, sql, params = self.written
        given = dict(zip(self.placeholders, values, strict=True))
        # From here on everything is Django's: it runs what the compiler wrote, and reads the rows as that describes them.
        again = copy(compiler)
        again.connection = connections[queryset.db]  # each thread has its own
        again.as_sql = lambda: (sql, tuple(given.get(param, param) for param in params))
        asked = queryset.all()
        asked.query.get_compiler = lambda *args, **kwargs: again  # type: ignore[method-assign]
        return list(asked)


class QuestionBy[Row: Model]:
    """A question that is narrowed to what the asking user may see: `write` takes that user first, then the values.

    A superuser sees everything, whoever it is, so that is another question than everybody else's.
    """

    def __init__(self, write: Callable[..., QuerySet[Row]], *placeholders: Any) -> None:
        def narrowed(user: int, *values: Any) -> QuerySet[Row]:
            return write(get_user_model()(pk=user, is_superuser=False), *values)

        def whole(user: int, *values: Any) -> QuerySet[Row]:
            return write(get_user_model()(pk=user, is_superuser=True), *values)

        self.narrowed = Question(narrowed, SOMEBODY, *placeholders)
        self.whole = Question(whole, SOMEBODY, *placeholders, spare=[SOMEBODY])

    def of(self, user: "User") -> Question[Row]:
        return self.whole if user.is_superuser else self.narrowed

    def answer(self, user: "User", *values: Any) -> Row | None:
        return self.of(user).answer(user.pk, *values)

    def answers(self, user: "User", *values: Any) -> list[Row]:
        return self.of(user).answers(user.pk, *values)
