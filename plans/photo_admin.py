"""The photo requirements in a plan's form: their place, their sentences, and who is told when they change."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest

from photos.requirements import NAMES
from plans.signals import photo_requirements_changed

FIELDSET: tuple[str, Any] = (
    "证件照要求",
    {
        "fields": [
            ("photo_width", "photo_height", "photo_dpi"),
            ("photo_min_kilobytes", "photo_max_kilobytes", "photo_background"),
            ("photo_source_width", "photo_source_height"),
            "photo_note",
        ],
        "classes": ["photo-requirements"],
        "description": "报名人员裁切证件照时按这里的要求；改动以后，已经裁好的照片不变。",
    },
)
NUMBERS = set(NAMES.values()) - {"photo_background", "photo_note"}


class PhotoRequirementsMixin:
    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name in NUMBERS:
            sentence = "请填整数，只写数字，不带单位。"
            kwargs["error_messages"] = {"required": "请填写这一项。", "invalid": sentence, "min_value": sentence}
        return super().formfield_for_dbfield(db_field, request, **kwargs)  # type: ignore[misc]

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """After everything is saved: whoever has portraits that were made for the former ones says what that means."""
        super().save_related(request, form, formsets, change)  # type: ignore[misc]
        if change and set(NAMES.values()) & set(form.changed_data):
            for _, sentence in photo_requirements_changed.send(type(form.instance), plan=form.instance):
                if sentence:
                    messages.warning(request, sentence)
