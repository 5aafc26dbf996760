"""Identity documents as far as the platform knows them: kinds, check characters, and what is wrong with a number."""

import re

RESIDENT_ID = "resident_id"
HK_MACAO_PERMIT = "hk_macao_permit"
TAIWAN_PERMIT = "taiwan_permit"
FOREIGN_PR_CARD = "foreign_pr_card"
PASSPORT = "passport"

KINDS = {
    RESIDENT_ID: "居民身份证",
    HK_MACAO_PERMIT: "港澳居民居住证",
    TAIWAN_PERMIT: "台湾居民居住证",
    FOREIGN_PR_CARD: "外国人永久居留身份证",
    PASSPORT: "护照",
}
PATTERNS = {
    RESIDENT_ID: (r"[1-6]\d{16}[\dX]", "居民身份证号码是 18 位，前 17 位是数字，最后一位是数字或 X。"),
    HK_MACAO_PERMIT: (r"8[12]0000\d{11}[\dX]", "港澳居民居住证号码是 18 位，以 810000 或 820000 开头。"),
    TAIWAN_PERMIT: (r"830000\d{11}[\dX]", "台湾居民居住证号码是 18 位，以 830000 开头。"),
    FOREIGN_PR_CARD: (
        r"9\d{16}[\dX]|[A-Z]{3}\d{12}",
        "外国人永久居留身份证号码是以 9 开头的 18 位，或者 3 个字母加 12 位数字。",
    ),
    PASSPORT: (r"[A-Z0-9]{5,17}", "护照号码是 5 至 17 位字母和数字。"),
}
CHECKED = {RESIDENT_ID, HK_MACAO_PERMIT, TAIWAN_PERMIT}


def check_character(seventeen: str) -> str:
    """The check character of GB 11643 for the first 17 digits."""
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    total = sum(int(digit) * weight for digit, weight in zip(seventeen, weights, strict=True))
    return "10X98765432"[total % 11]


def complete(seventeen: str) -> str:
    """17 digits with their check character: how the demo's synthetic numbers are made."""
    return seventeen + check_character(seventeen)


def problem(kind: str, number: str) -> str:
    """What is wrong with the number of such a document, as a sentence; empty when nothing is."""
    pattern, sentence = PATTERNS[kind]
    if not re.fullmatch(pattern, number, re.ASCII):
        return sentence
    if kind in CHECKED and number[-1] != check_character(number[:17]):
        return "证件号码最后一位与前 17 位不符，请核对是否有输错的数字。"
    return ""
