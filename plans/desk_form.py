"""The form in which a committee edits its plan: whoever saves it is told what another one has changed meanwhile."""

import hashlib
import json
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from plans.models import Plan

# What this form does not write (Plan.save).
NOT_COMPARED = {"id", "decisions_published_at"}


class SeenField(forms.CharField):
    """What was on the screen. It belongs to the page, not to the plan: nothing was changed by it."""

    widget = forms.HiddenInput

    def has_changed(self, initial: Any, data: Any) -> bool:
        return False


class PlanForm(forms.ModelForm):
    """`seen` has a digest of each field as the page showed it; where it is not sent nothing is compared."""

    seen = SeenField(required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.standing = digests(self.instance) if self.instance.pk else {}
        self.initial["seen"] = json.dumps(self.standing) if self.standing else ""

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if changed := self.changed_meanwhile(cleaned.get("seen", "")):
            shown: Any = self.data.copy()  # type: ignore[attr-defined]  # a QueryDict or a dict
            shown[self.add_prefix("seen")] = self.initial["seen"]
            self.data = shown
            raise ValidationError(
                f"没有保存：您打开这一页以后，别人改过{'、'.join(changed)}。下面仍是您填写的内容，"
                "请在新的页面里看过现在的内容，改好后再次保存，就以您的为准。"
            )
        return cleaned

    def changed_meanwhile(self, seen: str) -> list[str]:
        """The names of the fields that are not as they were seen."""
        try:
            shown = dict(json.loads(seen)) if seen else self.standing
        except (TypeError, ValueError):
            return []
        names = [name for name, digest in self.standing.items() if shown.get(name, digest) != digest]
        return [f"“{Plan._meta.get_field(name).verbose_name}”" for name in names]  # type: ignore[union-attr]


def digests(plan: Plan) -> dict[str, str]:
    """By field, of its value: short enough for a page, and nobody forges what only warns himself."""
    names = [field.name for field in Plan._meta.concrete_fields if field.name not in NOT_COMPARED]
    return {name: hashlib.sha256(str(getattr(plan, name)).encode()).hexdigest()[:12] for name in names}
