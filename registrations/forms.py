"""The registration form: the personal details once more, and the occupation."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from plans.models import Occupation
from profiles.forms import PersonalDetailsForm, VersionField, at_version
from registrations.models import Registration


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

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        narrow(self.fields["occupation"], self.instance)

    def clean_occupation(self) -> Occupation | None:
        return clean_seat(self.cleaned_data["occupation"], self.instance)


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
