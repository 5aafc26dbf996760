"""How a committee wants its list: which columns, in which order, in which format, under a name of its plan."""

from typing import Any

from django.db import models, transaction

from plans.models import Plan
from registrations.columns import COLUMNS
from registrations.writers import WRITERS

NAME_LENGTH = 30
MOST = 30  # of a plan


class ExportTemplate(models.Model):
    """Never with numbers in full: those are asked for each time, with a reason."""

    plan = models.ForeignKey(Plan, models.CASCADE, verbose_name="竞赛计划", related_name="export_templates")
    name = models.CharField("模板名称", max_length=NAME_LENGTH)
    columns = models.JSONField("列", default=list)
    format = models.CharField("文件格式", max_length=4, default="xlsx")

    class Meta:
        verbose_name = verbose_name_plural = "导出模板"
        ordering = ["name", "pk"]
        constraints = [models.UniqueConstraint(fields=["plan", "name"], name="one_export_template_per_name")]

    def __str__(self) -> str:
        return self.name

    def places(self) -> dict[str, int | None]:
        """The place of each column there is today; of what is no column any more nothing is said."""
        known = [key for key in self.columns if key in COLUMNS]
        return {key: known.index(key) + 1 if key in known else None for key in COLUMNS}

    def initial(self) -> dict[str, Any]:
        kind = self.format if self.format in WRITERS else "xlsx"
        return {"format": kind, **{f"place_{key}": place for key, place in self.places().items()}}

    @property
    def headings(self) -> list[str]:
        return [COLUMNS[key].heading for key in self.columns if key in COLUMNS]


@transaction.atomic
def keep(plan: Plan, name: str, columns: list[str], kind: str) -> ExportTemplate:
    """Under this name, in the place of what had it before."""
    kept, _ = ExportTemplate.objects.update_or_create(
        plan=plan, name=name, defaults={"columns": columns, "format": kind}
    )
    return kept


def is_full(plan: Plan, name: str) -> bool:
    """Whether one more, under a new name, would be too many."""
    others = plan.export_templates.exclude(name=name).count()
    return others >= MOST
