"""What the list of plans can be narrowed by."""

from datetime import datetime

from django import forms

from plans.models import Level, PlanQuerySet, PlanState


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
