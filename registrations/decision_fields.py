"""The empty fields of a decision's form on the desk's page: the same for everybody, so rendered once and kept.

What they are is their whole key, word for word. Nothing of a registration is in them but which of its fields can be
asked for; a list of reasons that a manager changes is another key at once.
"""

from collections.abc import Iterable
from functools import lru_cache

from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from registrations.decisions import FIXABLE, DecisionForm
from registrations.return_reasons import ReturnReason
from registrations.workflow import Action

KEPT = 128  # some kilobytes each: a plan has one or two, by what its applicants' documents say of them


def rendered(action: Action, to_fix: Iterable[str], reasons: Iterable[ReturnReason], reasons_url: str) -> SafeString:
    words = tuple((reason.field, reason.code, reason.label, reason.sentence) for reason in reasons)
    return kept(action, tuple(to_fix), words, reasons_url)


@lru_cache(KEPT)
def kept(
    action: Action, to_fix: tuple[str, ...], reasons: tuple[tuple[str, str, str, str], ...], reasons_url: str
) -> SafeString:
    form = DecisionForm(
        action,
        auto_id=id_of(action) + "%s",
        to_fix={name: FIXABLE[name] for name in to_fix},
        reasons=[
            ReturnReason(field=name, code=code, label=label, sentence=words) for name, code, label, words in reasons
        ],
    )
    return render_to_string(
        "admin/registrations/registration/_decision_fields.html", {"form": form, "reasons_url": reasons_url}
    )


def id_of(action: Action) -> str:
    """Three forms stand on one page: only the one with many fields has the usual ids (static/js/return_reasons.js)."""
    return "id_" if action == Action.RETURN else f"{action.value}_"
