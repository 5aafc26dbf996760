"""Identity documents: judge a number, explain what is wrong with it, read what it says, and never show it by accident."""

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from django.core.exceptions import ValidationError
from django.db.models import TextChoices

HAN = r"[\u3400-\u9fff\U00020000-\U0003ffff]"


def as_documents_have_it(name: str) -> str:
    """A person's name with single spaces, none between Chinese characters, and one kind of middle dot.

    刘　洋 is how two characters are set to the width of three in a list: no document has it, no search would find it.
    """
    spaced = " ".join(name.replace("•", "·").replace("・", "·").split())
    return re.sub(f"(?<={HAN}) (?={HAN})", "", spaced)


class DocumentType(TextChoices):
    RESIDENT_ID = "resident_id", "居民身份证"
    HK_MACAO_PERMIT = "hk_macao_permit", "港澳居民居住证"
    TAIWAN_PERMIT = "taiwan_permit", "台湾居民居住证"
    FOREIGN_PR_CARD = "foreign_pr_card", "外国人永久居留身份证"
    PASSPORT = "passport", "护照"


class Sex(TextChoices):
    MALE = "male", "男"
    FEMALE = "female", "女"


# GB/T 2260, first two digits: the provinces whose police issue resident identity cards.
PROVINCES = {
    *("11", "12", "13", "14", "15", "21", "22", "23", "31", "32", "33", "34", "35", "36", "37"),
    *("41", "42", "43", "44", "45", "46", "50", "51", "52", "53", "54", "61", "62", "63", "64", "65"),
}
PERMIT_PREFIXES = {
    DocumentType.HK_MACAO_PERMIT: ("810000", "820000"),
    DocumentType.TAIWAN_PERMIT: ("830000",),
}
# GB 11643-1999: the weights of the first 17 digits, and the check character for each remainder of their sum by 11.
WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
CHECK_CHARACTERS = "10X98765432"
EARLIEST_BIRTH = date(1900, 1, 1)

OLD_RESIDENT_ID = re.compile(r"[0-9]{15}")
OLD_FOREIGN_CARD = re.compile(r"[A-Z]{3}[0-9]{12}")
TRAVEL_PERMIT = re.compile(r"[HM][0-9]{8}(?:[0-9]{2})?|[0-9]{8}(?:[0-9]{2})?")
PASSPORT = re.compile(r"(?=.*[0-9])[A-Z0-9]{5,20}")
EIGHTEEN = re.compile(r"[0-9]{17}[0-9X]")

# Full-width forms of ASCII to ASCII. Not NFKC: it would also make a 2 of ² and a 1 of ①, which nobody meant to type.
HALF_WIDTH = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)}


@dataclass(frozen=True, repr=False)
class DocumentNumber:
    """A number that has been judged. As text it is masked, so that a page or a log line is safe by default."""

    type: DocumentType
    number: str
    birth_date: date | None = None
    sex: Sex | None = None

    def __str__(self) -> str:
        return mask(self.number)

    def __repr__(self) -> str:
        return f"<DocumentNumber {self.type.value} {self}>"


def parse(document_type: str, text: str, *, today: date) -> DocumentNumber:
    """What a person typed, judged by the rules of its type; `today` is the day in Beijing.

    Raises ValidationError, and nothing else, with one sentence for the person at the screen.
    """
    if document_type not in DocumentType.values:
        raise ValidationError("请选择证件类型。", code="type")
    chosen = DocumentType(document_type)
    return PARSERS[chosen](chosen, normalised(text), today)


def normalised(text: str) -> str:
    """ASCII capitals and digits. Full width, blanks, hyphens, invisible characters and lower case are typing habits."""
    kept = "".join(char for char in text.translate(HALF_WIDTH) if not is_filler(char))
    if not kept:
        raise ValidationError("请填写证件号码。", code="required")
    for char in kept:
        if not (char.isascii() and char.isalnum()):
            shown = char if char.isprintable() else f"U+{ord(char):04X}"
            raise ValidationError(f"证件号码只能由数字和英文字母组成，请删去或改正“{shown}”。", code="character")
    return kept.upper()


def is_filler(char: str) -> bool:
    """White space, any dash or minus, and format characters (zero width, direction marks, soft hyphen)."""
    return char.isspace() or char == "\u2212" or unicodedata.category(char) in {"Pd", "Cf"}


def parse_eighteen(document_type: DocumentType, number: str, today: date) -> DocumentNumber:
    """The 18 characters of GB 11643: where from (6), birth date (8), sequence (3, odd for men), check character."""
    refuse_wrong_length(document_type, number)
    refuse_wrong_characters(number)
    refuse_wrong_beginning(document_type, number)
    birth_date = read_birth_date(number[6:14], today)
    if check_character(number[:17]) != number[17]:
        raise ValidationError("证件号码最后一位与前 17 位不符，请核对是否有输错的数字。", code="check")
    return DocumentNumber(document_type, number, birth_date, Sex.MALE if int(number[16]) % 2 else Sex.FEMALE)


def parse_foreign_card(document_type: DocumentType, number: str, today: date) -> DocumentNumber:
    """New cards (since December 2023) have 18 characters beginning with 9; old ones 3 letters and 12 digits.

    The old form carries a birth date without its century, so nothing is read from it.
    """
    if not number[0].isalpha():
        return parse_eighteen(document_type, number, today)
    if not OLD_FOREIGN_CARD.fullmatch(number):
        raise ValidationError(
            "旧版外国人永久居留身份证号码应为 3 个字母加 12 位数字，共 15 位，请对照证件核对；新版号码是以 9 开头的 18 位。",
            code="shape",
        )
    return DocumentNumber(document_type, number)


def parse_passport(document_type: DocumentType, number: str, today: date) -> DocumentNumber:
    """Every country numbers its passports as it likes: only the shape can be judged."""
    if not PASSPORT.fullmatch(number):
        raise ValidationError(
            "护照号码应为 5 至 20 位字母和数字，其中至少有一个数字，请对照护照资料页核对。", code="shape"
        )
    if EIGHTEEN.fullmatch(number) and check_character(number[:17]) == number[17]:
        # Otherwise one person could be two: once by the card, once by the card's number called a passport.
        owner = type_by_beginning(number)
        wanted = f"“{owner.label}”" if owner else "与之相符的一种"
        raise ValidationError(f"这是 18 位的身份证件号码，不是护照号码，请把证件类型改为{wanted}。", code="type")
    return DocumentNumber(document_type, number)


PARSERS: dict[DocumentType, Callable[[DocumentType, str, date], DocumentNumber]] = {
    DocumentType.RESIDENT_ID: parse_eighteen,
    DocumentType.HK_MACAO_PERMIT: parse_eighteen,
    DocumentType.TAIWAN_PERMIT: parse_eighteen,
    DocumentType.FOREIGN_PR_CARD: parse_foreign_card,
    DocumentType.PASSPORT: parse_passport,
}


def refuse_wrong_length(document_type: DocumentType, number: str) -> None:
    if len(number) == 18:
        return
    if document_type == DocumentType.RESIDENT_ID and OLD_RESIDENT_ID.fullmatch(number):
        raise ValidationError(
            "这是 15 位旧证号，第一代身份证已于 2013 年停止使用，请填写现在的居民身份证上的 18 位号码。", code="old"
        )
    if document_type in PERMIT_PREFIXES and TRAVEL_PERMIT.fullmatch(number):
        raise ValidationError(
            f"这像是来往内地（大陆）通行证的号码，请填写{document_type.label}上的 18 位号码。", code="type"
        )
    raise ValidationError(f"证件号码应为 18 位，您填写了 {len(number)} 位，请对照证件核对。", code="length")


def refuse_wrong_characters(number: str) -> None:
    for position, char in enumerate(number[:17], start=1):
        if not char.isdigit():
            raise ValidationError(
                f"证件号码的前 17 位应全是数字，第 {position} 位却是“{char}”，请核对（字母 O、I 与数字 0、1 容易混淆）。",
                code="character",
            )
    if number[17] not in CHECK_CHARACTERS:
        raise ValidationError(f"证件号码最后一位应为数字或字母 X，不能是“{number[17]}”，请核对。", code="character")


def refuse_wrong_beginning(document_type: DocumentType, number: str) -> None:
    owner = type_by_beginning(number)
    if owner is None:
        raise ValidationError(f"证件号码的前两位“{number[:2]}”不是地区代码，请核对是否有输错的数字。", code="region")
    if owner != document_type:
        raise ValidationError(
            f"以“{number[:2]}”开头的是{owner.label}的号码，请把证件类型改为“{owner.label}”，或核对号码的开头。",
            code="type",
        )
    prefixes = PERMIT_PREFIXES.get(document_type)
    if prefixes and not number.startswith(prefixes):
        raise ValidationError(
            f"{document_type.label}的号码应以 {' 或 '.join(prefixes)} 开头，请核对前 6 位。", code="region"
        )


def type_by_beginning(number: str) -> DocumentType | None:
    """Whose 18 characters begin like this."""
    if number[0] == "9":
        return DocumentType.FOREIGN_PR_CARD
    if number[:2] in PROVINCES:
        return DocumentType.RESIDENT_ID
    matching = (kind for kind, prefixes in PERMIT_PREFIXES.items() if any(number[:2] == p[:2] for p in prefixes))
    return next(matching, None)


def read_birth_date(digits: str, today: date) -> date:
    """The date in eight digits (yyyymmdd), if somebody alive can have been born on it."""
    try:
        birth_date = date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
    except ValueError:
        raise ValidationError(f"出生日期 {digits} 不存在，请核对证件号码的第 7 至 14 位。", code="birth_date") from None
    if birth_date > today:
        raise ValidationError(f"出生日期 {digits} 还没有到，请核对证件号码的第 7 至 14 位。", code="birth_date")
    if birth_date < EARLIEST_BIRTH:
        raise ValidationError(f"出生日期 {digits} 早于 1900 年，请核对证件号码的第 7 至 14 位。", code="birth_date")
    return birth_date


def check_character(first17: str) -> str:
    """The 18th character that belongs to 17 ASCII digits (GB 11643-1999, ISO 7064 MOD 11-2)."""
    total = sum(int(digit) * weight for digit, weight in zip(first17, WEIGHTS, strict=True))
    return CHECK_CHARACTERS[total % 11]


def mask(number: str) -> str:
    """First and last characters with stars between: four each side of 16 or more, never more than half in all."""
    shown = min(4, len(number) // 4) if len(number) > 8 else int(len(number) > 3)
    return number[:shown] + "*" * (len(number) - 2 * shown) + number[len(number) - shown :]
