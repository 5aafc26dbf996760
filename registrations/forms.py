"""The registration form: the personal details once more, and the occupation."""

from dataclasses import dataclass
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from plans.models import Occupation
from profiles.forms import SECTIONS, PersonalDetailsForm, VersionField, at_version, plain_text
from profiles.models import PersonalDetails
from registrations.corrections import Correction, Task
from registrations.models import Registration
from registrations.snapshots import label_of

ANSWER_LENGTH = 200


@dataclass(frozen=True)
class Row:
    """One line of the form: its field where it is open, else only its value; what the committee said of it."""

    label: str
    value: str
    field: forms.BoundField | None
    task: Task | None
    why: forms.BoundField | None


class SentenceField(forms.CharField):
    """Plain words in a box of several lines: where one ends, a space is kept."""

    def __init__(self, **kwargs: Any) -> None:
        widget = forms.Textarea(attrs={"rows": 2, "maxlength": None})  # a browser would cut a pasted text short
        super().__init__(widget=widget, validators=[plain_text], **kwargs)

    def to_python(self, value: Any) -> str:
        return " ".join((super().to_python(value) or "").split())


class AnswerField(SentenceField):
    """Why a value that was sent back stays as it is."""

    def __init__(self, task: Task) -> None:
        super().__init__(
            label=f"{task.label}不用修改的原因",
            initial=task.answer,
            required=False,
            max_length=ANSWER_LENGTH,
            help_text="组委会会看到。请写清楚为什么不用改；不要写证件号码。",
            error_messages={"max_length": f"“{task.label}”不用修改的原因最多 {ANSWER_LENGTH} 个字，请缩短。"},
        )


class RegistrationForm(PersonalDetailsForm):
    occupation = forms.ModelChoiceField(
        Occupation.objects.none(),
        label="职业（工种）",
        required=False,
        widget=forms.RadioSelect,
        error_messages={"invalid_choice": "所选的职业（工种）不在这个竞赛计划里，请从列表中重新选择。"},
    )

    class Meta(PersonalDetailsForm.Meta):
        model = Registration  # type: ignore[assignment]
        fields = [*PersonalDetailsForm.Meta.fields, "occupation"]

    def __init__(self, *args: Any, correction: Correction | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.correction = correction
        self.tasks = {task.field: task for task in correction.tasks} if correction and correction.is_tracked else {}
        narrow(self.fields["occupation"], self.instance)
        if correction:
            for name in set(self._meta.fields or []) - correction.open_fields:
                del self.fields[name]
        for name, task in self.tasks.items():
            self.fields[f"why_{name}"] = AnswerField(task)

    def _get_validation_exclusions(self) -> set[str]:
        """The occupation was found among the plan's own already: the model would ask once more whether there is one."""
        return {*super()._get_validation_exclusions(), "occupation"}  # type: ignore[misc]

    def clean_occupation(self) -> Occupation | None:
        return clean_seat(self.cleaned_data["occupation"], self.instance)

    # What a return has opened -------------------------------------------------------------------------------------

    def values(self) -> dict[str, Any]:
        """What is to be written: the open details alone."""
        return {name: self.cleaned_data[name] for name in self._meta.fields or [] if name in self.fields}

    def answers(self) -> dict[str, str]:
        return {name: self.cleaned_data[f"why_{name}"] for name in self.tasks}

    def says_what_stands(self, current: PersonalDetails) -> bool:
        said = {name: task.answer for name, task in self.tasks.items()}
        return super().says_what_stands(current) and self.answers() == said

    @property
    def is_portrait_open(self) -> bool:
        return self.correction is None or "portrait" in self.correction.open_fields

    def row(self, name: str) -> Row:
        return Row(
            label_of(self.instance, name),
            "" if name == "portrait" else self.instance.shown(name),
            self[name] if name in self.fields else None,
            self.tasks.get(name),
            self[f"why_{name}"] if name in self.tasks else None,
        )

    @property
    def portrait_row(self) -> Row:
        return self.row("portrait")

    @property
    def occupation_row(self) -> Row:
        return self.row("occupation")

    @property
    def parts(self) -> list[tuple[str, list[Row]]]:
        """The open fields by section; a section in which nothing is open is left out."""
        found = [(title, [self.row(name) for name in names if name in self.fields]) for title, names in SECTIONS]
        return [(title, rows) for title, rows in found if rows]

    @property
    def locked(self) -> list[Row]:
        """What can only be read."""
        return [self.row(name) for name in ["occupation", *PersonalDetails.detail_names()] if name not in self.fields]


class OccupationForm(forms.Form):
    """The same choice on a page of its own, for browsers without JavaScript."""

    version = VersionField()
    occupation = forms.ModelChoiceField(
        Occupation.objects.none(),
        label="职业（工种）",
        widget=forms.RadioSelect,
        error_messages={
            "required": "请先选择一个职业（工种），再保存。",
            "invalid_choice": "所选的职业（工种）不在这个竞赛计划里，请从列表中重新选择。",
        },
    )

    def __init__(self, registration: Registration, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial = {"version": registration.version, "occupation": registration.occupation_id}
        self.registration = registration
        narrow(self.fields["occupation"], registration)

    def clean_occupation(self) -> Occupation:
        return clean_seat(self.cleaned_data["occupation"], self.registration)

    def says_what_stands(self, current: Registration) -> bool:
        """Whether saving would change nothing: most likely the same form was sent twice."""
        return bool(self.cleaned_data["occupation"] == current.occupation)

    def tell_of_other_tab(self, current: Registration) -> None:
        """Somebody saved in between: keep what was chosen, let the next saving decide."""
        self.add_error(None, "这份报名刚刚在另一个窗口里修改过，所以这次没有保存。核对后再次保存即可。")
        self.data = at_version(self.data, current.version)


def narrow(field: Any, registration: Registration) -> None:
    field.queryset = Occupation.objects.filter(plan=registration.plan_id)
    field.empty_label = None


def clean_seat[Chosen: (Occupation, Occupation | None)](chosen: Chosen, registration: Registration) -> Chosen:
    """The choice, unless its seats are gone. Only submitting takes a seat; this spares the way there in vain."""
    if chosen and chosen.is_full and chosen.pk not in {registration.seat_id, registration.occupation_id}:
        raise ValidationError(f"“{chosen}”的名额已满，请选择其他职业（工种）。")
    return chosen
