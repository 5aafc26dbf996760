"""A question that page after page asks: its SQL is written once in each process, and only the values change.

For a row with all that its page names, Django takes longer to write the SQL than to ask and to read the answer.
"""

from collections.abc import Callable
from copy import copy
from functools import cached_property
from typing import Any

from django.core.exceptions import MultipleObjectsReturned
from django.db import connections
from django.db.models import Model, QuerySet


class Question[Row: Model]:
    """`write` makes the QuerySet out of values. What is asked, and in what shape, must not depend on them.

    `placeholders` are what it is made out of the one time: of the values' types, and like nothing else in the question.
    """

    def __init__(self, write: Callable[..., QuerySet[Row]], *placeholders: Any) -> None:
        self.write, self.placeholders = write, placeholders

    @cached_property
    def written(self) -> tuple[QuerySet[Row], Any, str, tuple[Any, ...]]:
        queryset = self.write(*self.placeholders)
        compiler = queryset.query.get_compiler(queryset.db)
        sql, params = compiler.as_sql()
        if any(place not in params for place in self.placeholders):
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
