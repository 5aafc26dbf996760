"""One registration as the committee's desk shows it: the details, and the portrait with what is known of it."""

from typing import Any

from photos import measures
from photos.models import Portrait
from photos.spec import PhotoSpec
from registrations.models import Registration
from registrations.workflow import Action

DETAIL_FIELDS = [
    *("legal_name", "document_type", "masked_number", "sex", "birth_date", "ethnicity", "political_status"),
    *("education", "school", "major", "employer", "employer_type", "position", "years_of_service"),
    *("skill_level", "certificate_number", "phone", "email", "address", "postcode"),
    *("emergency_contact", "emergency_phone"),
]


def details(registration: Registration) -> list[tuple[str, Any]]:
    return [shown(registration, name) for name in DETAIL_FIELDS]


def shown(registration: Registration, name: str) -> tuple[str, Any]:
    if name == "masked_number":
        return "证件号码", registration.masked_number
    display = getattr(registration, f"get_{name}_display", None)
    label = str(Registration._meta.get_field(name).verbose_name)  # type: ignore[union-attr]
    return label, display() if display else getattr(registration, name)


def photo(registration: Registration) -> dict[str, Any]:
    """For the template: the portrait's figures, what its applicant was warned of, and the one that stood here before."""
    portrait, before = registration.portrait, sent_back(registration)
    fits = portrait is None or registration.photo_spec.same_picture(portrait.made_for)
    return {
        "figures": figures(portrait) if portrait else [],
        "judged": portrait is not None and bool(set(portrait.measured) - {"bytes"}),
        "doubts": portrait.doubts if portrait else [],
        "wanted": "" if fits else in_words(registration.photo_spec),
        "exchanged": bool(before),
        "former": kept(registration, before),
    }


def sent_back(registration: Registration) -> str:
    """SHA-256 of the portrait that stood here when it was last sent back, if there is another one now; else empty."""
    line = registration.events.standing().filter(action=Action.RETURN).first()
    return line.portrait_sha256 if line and line.portrait_sha256 != registration.portrait_sha256 else ""


def kept(registration: Registration, sha256: str) -> Portrait | None:
    """The applicant's portrait, if it is still there: what nothing uses is removed after a while (docs/adr/0014)."""
    return Portrait.objects.filter(owner=registration.applicant_id, sha256=sha256).first() if sha256 else None


def former_portrait(registration: Registration) -> Portrait | None:
    return kept(registration, sent_back(registration))


def figures(portrait: Portrait) -> list[tuple[str, str]]:
    spec = portrait.made_for
    return [
        ("尺寸", f"{portrait.width}×{portrait.height} 像素，{spec.dpi} dpi"),
        *measures.told(portrait.measured),
        ("取自原件", f"{portrait.box_width}×{portrait.box_height} 像素"),
        ("裁切时的要求", in_words(spec)),
    ]


def in_words(spec: PhotoSpec) -> str:
    least = f"{spec.min_kilobytes}–" if spec.min_kilobytes else "不超过 "
    return (
        f"{spec.width}×{spec.height} 像素，{spec.dpi} dpi，{spec.background_label}背景，{least}{spec.max_kilobytes} KB"
    )
