"""Pages of a list that count what there is only where there is more than fits on the first one."""

from typing import Any

from django.core.paginator import Page, Paginator


class Pages(Paginator):
    """Most lists have one page: it is asked for with one row more than it shows, and whoever gets no more has counted."""

    def get_page(self, number: Any) -> Page:
        if number not in {None, "", "1"}:
            return super().get_page(number)
        rows = list(self.object_list[: self.per_page + 1])
        if len(rows) <= self.per_page:
            self.__dict__["count"] = len(rows)  # a cached property of Paginator's
        return Page(rows[: self.per_page], 1, self)
