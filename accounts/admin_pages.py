"""What the admin brings by itself for every table, and what of it is not there."""

from collections.abc import Collection
from typing import Any


class WithoutStockPages:
    """`without` names the pages that have no use here, of add, delete and history: a page less is a page less to guard.

    The old address without a page's name, which only leads on, goes as well.
    """

    without: Collection[str] = ("add", "delete", "history")

    def get_urls(self) -> list[Any]:
        opts = self.opts  # type: ignore[attr-defined]
        gone = {f"{opts.app_label}_{opts.model_name}_{page}" for page in self.without}
        found = super().get_urls()  # type: ignore[misc]
        return [entry for entry in found if entry.name and entry.name not in gone]
