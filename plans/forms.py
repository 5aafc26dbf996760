"""What the list of plans can be narrowed by, and what a plan may offer for download."""

from datetime import datetime
from typing import Any

from django import forms
from django.contrib.admin.widgets import AdminFileWidget
from django.core.files.uploadedfile import UploadedFile
from django.db import models

from plans import attachments
from plans.models import Attachment, Level, PlanQuerySet, PlanState


class PlanFilterForm(forms.Form):
    """Read from the address. What it does not know it ignores: a mistyped filter shows more, never an error."""

    q = forms.CharField(required=False, max_length=60)
    state = forms.ChoiceField(
        required=False,
        choices=[
            ("", "全部状态"),
            *((state.value, state.label) for state in (PlanState.OPEN, PlanState.SOON, PlanState.CLOSED)),
        ],
    )
    level = forms.ChoiceField(required=False, choices=[("", "全部级别"), *Level.choices])

    def narrow(self, plans: PlanQuerySet, now: datetime) -> PlanQuerySet:
        self.is_valid()
        chosen = self.cleaned_data
        if chosen.get("q"):
            plans = plans.search(chosen["q"])
        if chosen.get("level"):
            plans = plans.filter(level=chosen["level"])
        if chosen.get("state"):
            plans = plans.in_state(PlanState(chosen["state"]), now)
        return plans

    @property
    def is_narrowed(self) -> bool:
        return any(self.cleaned_data.values())


class LinesField(forms.CharField):
    """Text of several lines. A browser ends each with two characters where one is stored: that is no change."""

    def to_python(self, value: Any) -> Any:
        return "\n".join(str(super().to_python(value)).splitlines())


LINES: dict[Any, Any] = {models.TextField: {"form_class": LinesField}}  # for the admin's formfield_overrides


class AttachmentForm(forms.ModelForm):
    """A file whose content is what its extension says. One that lies there already is not asked again."""

    class Meta:
        model = Attachment
        fields = ["title", "file"]
        widgets = {"file": AdminFileWidget(attrs={"accept": ",".join(attachments.KINDS), "aria-label": "文件"})}
        error_messages = {"file": {"required": "请选择文件；不要这个附件了，请清空名称。"}}
        help_texts = {"file": f"只收 {attachments.KINDS_IN_WORDS}。"}

    def clean_file(self) -> Any:
        file = self.cleaned_data["file"]
        # An UploadedFile reads and seeks as a file does, but is not declared as one.
        if isinstance(file, UploadedFile) and (sentence := attachments.refusal(file.name or "", file)):  # type: ignore[arg-type]
            raise forms.ValidationError(sentence)
        return file
