"""One registration of a plan, found by what somebody at the desk has in the hand: a name, a 报名编号, a document."""

import re
from dataclasses import dataclass

from django.core.exceptions import ValidationError
from django.db.models import Q
from django.utils import timezone

from accounts import identity
from accounts.fields import blind_index
from accounts.forms import clean_person_name
from accounts.identity import DocumentType
from registrations.models import RegistrationQuerySet
from registrations.reference import ALPHABET

MOST = 50  # that one search shows
LONGEST = 80
REFERENCE = re.compile(rf"(BJ[0-9]{{2}})([{ALPHABET}]{{4}})([{ALPHABET}]{{4}})")
DIGITS_OF_A_NUMBER = 10  # from so many on, what was typed is meant as a document number

WHAT_IT_IS_NOT = "“{}”不是姓名，也不是报名编号（例如 BJ26-7K4M-Q2AB）或证件号码，请核对。"
EMPTY = "请填写姓名、报名编号或证件号码。"
TOO_LONG = "内容太长，请只填写一个姓名、报名编号或证件号码。"


@dataclass(frozen=True)
class Question:
    """What was typed, understood. Each of the parts is exact, and each has an index."""

    name: str = ""
    reference: str = ""
    documents: tuple[str, ...] = ()  # blind indexes
    problem: str = ""  # why it can be none of them, as a sentence
    doubt: str = ""  # why it is no number of an identity card, for when it is not found as a passport's either

    @classmethod
    def of(cls, text: str) -> "Question":
        if not text.strip():
            return cls(problem=EMPTY)
        if len(text) > LONGEST:
            return cls(problem=TOO_LONG)
        found = cls(name_in(text), reference_in(text), documents_in(text), doubt=doubt_in(text))
        if found.name or found.reference or found.documents:
            return found
        return cls(problem=found.doubt or WHAT_IT_IS_NOT.format(text.strip()))

    @property
    def is_a_number(self) -> bool:
        """A document's and nothing else: every 报名编号 could be a passport's, too."""
        return bool(self.documents) and not self.reference

    def find(self, registrations: RegistrationQuerySet) -> RegistrationQuerySet:
        wanted = Q(pk__in=[])
        if self.name:
            wanted |= Q(legal_name=self.name)
        if self.reference:
            wanted |= Q(reference=self.reference)
        if self.documents:
            wanted |= Q(document_index__in=self.documents)
        return registrations.filter(wanted).order_by("-submitted_at", "-pk")[:MOST]


def plain(text: str) -> str:
    """Capitals and digits, or empty for what holds anything else."""
    try:
        return identity.normalised(text)
    except ValidationError:
        return ""


def reference_in(text: str) -> str:
    """The 报名编号, however it was spaced, in whichever case."""
    found = REFERENCE.fullmatch(plain(text))
    return "-".join(found.groups()) if found else ""


def documents_in(text: str) -> tuple[str, ...]:
    """Under each type of document that such a number can have."""
    found = []
    for document_type in DocumentType:
        try:
            document = identity.parse(document_type, text, today=timezone.localdate())
        except ValidationError:
            continue
        found.append(blind_index(document.type, document.number))
    return tuple(found)


def name_in(text: str) -> str:
    try:
        return clean_person_name(text)
    except ValidationError:
        return ""


def doubt_in(text: str) -> str:
    """Where a number was mistyped; nothing of what is too short to be meant as one."""
    if sum(char.isdigit() for char in text) < DIGITS_OF_A_NUMBER:
        return ""
    number = plain(text)
    document_type = (identity.type_by_beginning(number) if number else None) or DocumentType.RESIDENT_ID
    try:
        identity.parse(document_type, text, today=timezone.localdate())
    except ValidationError as problem:
        return str(problem.messages[0])
    return ""
