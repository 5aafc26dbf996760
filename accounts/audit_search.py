"""How the record of who did what is looked through: by exact words and days, a bounded stretch at a time."""

from collections.abc import Iterator, Mapping
from datetime import date, datetime, time, timedelta
from typing import Any

from django import forms
from django.contrib.admin import ListFilter
from django.core.paginator import Paginator
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.functional import cached_property

from accounts.models import AuditEntry
from accounts.verbs import Verb

LISTED = 1000  # lines at most that one question leafs through: no table of millions is ever counted
BEGINNING = "*"  # at the end of a word: whatever begins with it
WORDS = ["actor", "subject", "target", "address", "request_id"]


class DayField(forms.DateField):
    """A day that every database can compare with; years outside have no meaning here and would overflow."""

    default_validators = [
        MinValueValidator(date(2000, 1, 1), "日期太早，请核对年份。"),
        MaxValueValidator(date(2999, 12, 31), "日期太晚，请核对年份。"),
    ]

    def __init__(self, **kwargs: Any) -> None:
        sentence = {"invalid": "日期请写成 2026-05-20 的样子。"}
        super().__init__(required=False, widget=forms.DateInput({"type": "date"}), error_messages=sentence, **kwargs)


class WordField(forms.CharField):
    """What stands in a column of the record, in whole or with BEGINNING at its end."""

    def __init__(self, **kwargs: Any) -> None:
        sentences = {
            "max_length": "内容太长，请核对是否多粘贴了字符。",
            "null_characters_not_allowed": "含有看不见的字符，请重新输入。",
        }
        super().__init__(required=False, error_messages=sentences, **kwargs)


class AuditQuestion(forms.Form):
    """What somebody wants to see of the record. An empty one asks for the newest lines."""

    verb = forms.ChoiceField(
        label="操作",
        required=False,
        choices=[("", "全部"), *Verb.choices],
        error_messages={"invalid_choice": "没有这种操作，请从列表里选。"},
    )
    since = DayField(label="从这一天")
    until = DayField(label="到这一天")
    actor = WordField(label="操作人", max_length=64)
    subject = WordField(label="当事人", max_length=64)
    target = WordField(label="对象", max_length=80)
    address = WordField(label="来源地址", max_length=45)
    request_id = WordField(label="请求编号", max_length=32)

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        since, until = cleaned.get("since"), cleaned.get("until")
        if since and until and until < since:
            self.add_error("until", "结束的日期早于开始的日期。")
        return cleaned

    def is_empty(self) -> bool:
        return not any(self.data.values())

    def narrow(self, entries: QuerySet[AuditEntry]) -> QuerySet[AuditEntry]:
        """The lines that are asked for; none where the question has a mistake, which stands beside its field."""
        if not self.is_valid():
            return entries.none()
        asked = self.cleaned_data
        if asked["verb"]:
            entries = entries.filter(verb=asked["verb"])
        if asked["since"]:
            entries = entries.filter(at__gte=midnight(asked["since"]))
        if asked["until"]:
            entries = entries.filter(at__lt=midnight(asked["until"] + timedelta(days=1)))
        for name in WORDS:
            word = asked[name]
            if word.endswith(BEGINNING):
                entries = entries.filter(**{f"{name}__startswith": word.removesuffix(BEGINNING)})
            elif word:
                entries = entries.filter(**{name: word})
        return entries


PARAMETERS = list(AuditQuestion.base_fields)


def midnight(day: date) -> datetime:
    """The moment at which a day begins here."""
    return timezone.make_aware(datetime.combine(day, time.min))


class QuestionFilter(ListFilter):
    """The question as a form of the admin's list, in place of a search over all columns and a list of every value."""

    title = "操作记录"
    template = "admin/accounts/auditentry/question.html"

    def __init__(self, request: HttpRequest, params: dict[str, Any], model: Any, model_admin: Any) -> None:
        super().__init__(request, params, model, model_admin)
        asked = {name: values[-1] for name in PARAMETERS if (values := params.pop(name, None))}
        self.form = AuditQuestion(asked, label_suffix="")

    def expected_parameters(self) -> list[str | None]:
        return [*PARAMETERS]

    def has_output(self) -> bool:
        return True

    def choices(self, changelist: Any) -> Iterator[Mapping[str, object]]:
        return iter(())

    def queryset(self, request: HttpRequest, queryset: QuerySet[AuditEntry]) -> QuerySet[AuditEntry]:
        return self.form.narrow(queryset)


class BoundedPaginator(Paginator):
    """Pages over the first LISTED lines. What lies behind is asked for by day, not leafed to."""

    object_list: QuerySet[AuditEntry]

    @cached_property
    def found(self) -> int:
        return self.object_list.order_by()[: LISTED + 1].count()

    @property
    def count(self) -> int:
        return min(self.found, LISTED)

    @property
    def there_is_more(self) -> bool:
        return self.found > LISTED
