"""Identity documents: what is accepted, what is refused, and in which words."""

import logging
from datetime import date
from itertools import product

import pytest
from django.core.exceptions import ValidationError
from hypothesis import example, given, settings
from hypothesis import strategies as st

from accounts.identity import (
    CHECK_CHARACTERS,
    PROVINCES,
    DocumentNumber,
    DocumentType,
    Sex,
    check_character,
    mask,
    parse,
)
from tests.people import eighteen, passport_number, resident_number

TODAY = date(2026, 5, 20)
BIRTH_DATES = [date(1900, 1, 1), date(1949, 12, 31), date(1988, 2, 29), date(1990, 3, 7), date(2000, 2, 29), TODAY]
BEGINNINGS = {
    DocumentType.RESIDENT_ID: sorted(f"{province}0105" for province in PROVINCES),
    DocumentType.HK_MACAO_PERMIT: ["810000", "820000"],
    DocumentType.TAIWAN_PERMIT: ["830000"],
    DocumentType.FOREIGN_PR_CARD: ["911156", "931840", "944392", "951036"],
}
EIGHTEEN_CHARACTER_TYPES = list(BEGINNINGS)


def valid_numbers(document_type):
    """Every beginning × birth date × sex, with as many sequence numbers as make about four hundred of each type."""
    beginnings = BEGINNINGS[document_type]
    sequences = range(0, 499, 499 * len(beginnings) * len(BIRTH_DATES) * 2 // 400 or 1)
    for beginning, born, sex, sequence in product(beginnings, BIRTH_DATES, Sex, sequences):
        yield eighteen(beginning, sequence, born=born, sex=sex), born, sex


def refusal(document_type, text):
    with pytest.raises(ValidationError) as caught:
        parse(document_type, text, today=TODAY)
    (sentence,) = caught.value.messages
    return sentence


def with_check(first17):
    return first17 + check_character(first17)


# --- Valid numbers ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("document_type", EIGHTEEN_CHARACTER_TYPES)
def test_several_hundred_numbers_of_each_type_are_read(document_type):
    table = list(valid_numbers(document_type))
    assert len(table) >= 300
    for number, born, sex in table:
        assert parse(document_type, number, today=TODAY) == DocumentNumber(document_type, number, born, sex)


def test_the_example_of_the_standard():
    assert parse("resident_id", "11010519491231002X", today=TODAY) == DocumentNumber(
        DocumentType.RESIDENT_ID, "11010519491231002X", date(1949, 12, 31), Sex.FEMALE
    )


def test_an_old_foreign_card_carries_no_century_and_so_no_birth_date():
    for country, serial in product(("USA", "DEU", "JPN", "XXB"), range(100)):
        number = f"{country}1100{serial:08}"
        assert parse("foreign_pr_card", number, today=TODAY) == DocumentNumber(DocumentType.FOREIGN_PR_CARD, number)


@pytest.mark.parametrize("number", ["12345", "G1234567", "EJ1234567", "K0012345678901234567", "A1B2C"])
def test_passports_of_many_shapes(number):
    assert parse("passport", number, today=TODAY) == DocumentNumber(DocumentType.PASSPORT, number)


def test_several_hundred_passports():
    for serial in range(0, 100_000_000, 250_000):
        number = passport_number(serial)
        assert parse("passport", number, today=TODAY) == DocumentNumber(DocumentType.PASSPORT, number)


@pytest.mark.parametrize(
    "typed",
    [
        "11010519491231002x",
        " 11010519491231002X\n",
        "110105 19491231 002X",
        "110105-19491231-002X",
        "110105—19491231–002X",
        "110105−19491231−002X",
        "110105\u300019491231\u00a0002X",
        "１１０１０５１９４９１２３１００２Ｘ",
        "１１０１０５１９４９１２３１００２ｘ",
        "110105－19491231－002X",
        "\ufeff110105\u200b19491231\u200d002X\u202c",
        "\u00ad110105\u2060194912310\u200e02X",
    ],
)
def test_typing_habits_are_no_errors(typed):
    assert parse("resident_id", typed, today=TODAY).number == "11010519491231002X"


# --- Refusals --------------------------------------------------------------------------------------------------

CHECK_REFUSED = "证件号码最后一位与前 17 位不符，请核对是否有输错的数字。"


@pytest.mark.parametrize("document_type", EIGHTEEN_CHARACTER_TYPES)
def test_each_wrong_check_character_is_refused(document_type):
    for number, _, _ in list(valid_numbers(document_type))[::7]:
        for wrong in set(CHECK_CHARACTERS) - {number[17]}:
            assert refusal(document_type, number[:17] + wrong) == CHECK_REFUSED


@pytest.mark.parametrize("document_type", EIGHTEEN_CHARACTER_TYPES)
def test_no_single_wrong_digit_passes(document_type):
    for number, _, _ in list(valid_numbers(document_type))[::60]:
        for position, digit in product(range(17), "0123456789"):
            if digit != number[position]:
                assert refusal(document_type, number[:position] + digit + number[position + 1 :]).endswith("。")


@pytest.mark.parametrize("document_type", EIGHTEEN_CHARACTER_TYPES)
def test_no_two_neighbours_change_places_unnoticed(document_type):
    for number, _, _ in list(valid_numbers(document_type))[::20]:
        for left in range(16):
            swapped = number[:left] + number[left + 1] + number[left] + number[left + 2 :]
            if swapped != number:
                assert refusal(document_type, swapped).endswith("。")


@pytest.mark.parametrize("document_type", EIGHTEEN_CHARACTER_TYPES)
def test_birth_dates_that_nobody_has(document_type):
    where = "请核对证件号码的第 7 至 14 位。"
    refused = {
        **{digits: f"出生日期 {digits} 不存在，{where}" for digits in impossible_dates()},
        **{digits: f"出生日期 {digits} 早于 1900 年，{where}" for digits in ("18991231", "18500101", "00010101")},
        **{digits: f"出生日期 {digits} 还没有到，{where}" for digits in ("20260521", "20270101", "99991231")},
    }
    for beginning, (digits, sentence) in product(BEGINNINGS[document_type][:4], refused.items()):
        assert refusal(document_type, with_check(f"{beginning}{digits}001")) == sentence


def impossible_dates():
    yield from ("19900230", "19900231", "19000229", "20230229", "00000101", "19901301", "19900001", "19900100")
    yield from (f"1990{month:02}31" for month in (4, 6, 9, 11))
    yield from (f"1990{month:02}15" for month in range(13, 100, 12))
    yield from (f"199001{day:02}" for day in range(32, 100, 9))


@pytest.mark.parametrize("document_type", EIGHTEEN_CHARACTER_TYPES)
def test_wrong_lengths(document_type):
    beginning = BEGINNINGS[document_type][0]
    for length in [*range(1, 8), 9, *range(11, 15), 16, 17, 19, 20, 1000]:
        number = (beginning + "19900307" * 200)[:length]
        assert refusal(document_type, number) == f"证件号码应为 18 位，您填写了 {length} 位，请对照证件核对。"


def test_the_provinces_are_the_thirty_one_of_the_standard():
    """GB/T 2260, written down a second time: north, north-east, east, centre and south, south-west, north-west."""
    assert " ".join(sorted(PROVINCES)) == (
        "11 12 13 14 15 21 22 23 31 32 33 34 35 36 37 41 42 43 44 45 46 50 51 52 53 54 61 62 63 64 65"
    )


def test_every_beginning_says_whose_it_is():
    for first_two in (f"{number:02}" for number in range(100)):
        number = with_check(f"{first_two}000019900307001")
        if first_two in PROVINCES:
            assert parse("resident_id", number, today=TODAY).number == number
            continue
        labels = {"81": "港澳居民居住证", "82": "港澳居民居住证", "83": "台湾居民居住证"}
        owner = "外国人永久居留身份证" if first_two[0] == "9" else labels.get(first_two)
        if owner is None:
            expected = f"证件号码的前两位“{first_two}”不是地区代码，请核对是否有输错的数字。"
        else:
            expected = f"以“{first_two}”开头的是{owner}的号码，请把证件类型改为“{owner}”，或核对号码的开头。"
        assert refusal("resident_id", number) == expected


@pytest.mark.parametrize(
    ("document_type", "typed", "sentence"),
    [
        ("", "11010519491231002X", "请选择证件类型。"),
        ("driving_licence", "11010519491231002X", "请选择证件类型。"),
        ("resident_id", "", "请填写证件号码。"),
        ("resident_id", " \u200b--\u3000", "请填写证件号码。"),
        (
            "resident_id",
            "110105491231002",
            "这是 15 位旧证号，第一代身份证已于 2013 年停止使用，请填写现在的居民身份证上的 18 位号码。",
        ),
        ("resident_id", "11010519491231002", "证件号码应为 18 位，您填写了 17 位，请对照证件核对。"),
        (
            "resident_id",
            "1101O519491231002X",
            "证件号码的前 17 位应全是数字，第 5 位却是“O”，请核对（字母 O、I 与数字 0、1 容易混淆）。",
        ),
        ("resident_id", "11010519491231002Y", "证件号码最后一位应为数字或字母 X，不能是“Y”，请核对。"),
        (
            "resident_id",
            "11010519491231002\u0425",  # a Cyrillic letter
            "证件号码只能由数字和英文字母组成，请删去或改正“\u0425”。",
        ),
        ("resident_id", "1101051949123100²X", "证件号码只能由数字和英文字母组成，请删去或改正“²”。"),
        ("resident_id", "①10105194912310021", "证件号码只能由数字和英文字母组成，请删去或改正“①”。"),
        ("resident_id", "11010519491231002😀", "证件号码只能由数字和英文字母组成，请删去或改正“😀”。"),
        ("passport", "<script>1", "证件号码只能由数字和英文字母组成，请删去或改正“<”。"),
        ("passport", "E1234\x00567", "证件号码只能由数字和英文字母组成，请删去或改正“U+0000”。"),
        ("passport", "E1234\ud800567", "证件号码只能由数字和英文字母组成，请删去或改正“U+D800”。"),
        (
            "hk_macao_permit",
            "H12345678",
            "这像是来往内地（大陆）通行证的号码，请填写港澳居民居住证上的 18 位号码。",
        ),
        (
            "taiwan_permit",
            "12345678",
            "这像是来往内地（大陆）通行证的号码，请填写台湾居民居住证上的 18 位号码。",
        ),
        (
            "hk_macao_permit",
            "11010519491231002X",
            "以“11”开头的是居民身份证的号码，请把证件类型改为“居民身份证”，或核对号码的开头。",
        ),
        (
            "hk_macao_permit",
            with_check("81010519900307001"),
            "港澳居民居住证的号码应以 810000 或 820000 开头，请核对前 6 位。",
        ),
        (
            "taiwan_permit",
            with_check("83000119900307001"),
            "台湾居民居住证的号码应以 830000 开头，请核对前 6 位。",
        ),
        (
            "foreign_pr_card",
            "US1100900307001",
            "旧版外国人永久居留身份证号码应为 3 个字母加 12 位数字，共 15 位，请对照证件核对；新版号码是以 9 开头的 18 位。",
        ),
        (
            "passport",
            "E123",
            "护照号码应为 5 至 20 位字母和数字，其中至少有一个数字，请对照护照资料页核对。",
        ),
        (
            "passport",
            "PASSPORT",
            "护照号码应为 5 至 20 位字母和数字，其中至少有一个数字，请对照护照资料页核对。",
        ),
        (
            "passport",
            "E12345678901234567890",
            "护照号码应为 5 至 20 位字母和数字，其中至少有一个数字，请对照护照资料页核对。",
        ),
        (
            "passport",
            "11010519491231002X",
            "这是 18 位的身份证件号码，不是护照号码，请把证件类型改为“居民身份证”。",
        ),
        (
            "passport",
            with_check("00000000000000001"),
            "这是 18 位的身份证件号码，不是护照号码，请把证件类型改为与之相符的一种。",
        ),
    ],
)
def test_a_refusal_is_a_sentence_for_the_person_at_the_screen(document_type, typed, sentence):
    assert refusal(document_type, typed) == sentence


def test_several_hundred_old_numbers_are_told_why():
    """The first generation: region, six digits of a birth date, a sequence; no century, no check character."""
    numbers = [number[:6] + number[8:17] for number, _, _ in valid_numbers(DocumentType.RESIDENT_ID)]
    assert (len(numbers) >= 300, {len(number) for number in numbers}) == (True, {15})
    assert {refusal("resident_id", number) for number in numbers} == {
        "这是 15 位旧证号，第一代身份证已于 2013 年停止使用，请填写现在的居民身份证上的 18 位号码。"
    }


@pytest.mark.parametrize("document_type", EIGHTEEN_CHARACTER_TYPES)
def test_a_right_number_of_another_type_is_told_its_type(document_type):
    for other in [kind for kind in EIGHTEEN_CHARACTER_TYPES if kind != document_type]:
        for number, _, _ in list(valid_numbers(other))[::3]:
            assert refusal(document_type, number) == (
                f"以“{number[:2]}”开头的是{other.label}的号码，请把证件类型改为“{other.label}”，或核对号码的开头。"
            )


@pytest.mark.parametrize("document_type", EIGHTEEN_CHARACTER_TYPES)
def test_typing_habits_and_masks_of_several_hundred(document_type):
    wide = {code: code + 0xFEE0 for code in range(0x21, 0x7F)}
    for number, _, _ in valid_numbers(document_type):
        spaced = f" {number[:6]} {number[6:14]}-{number[14:]}\u3000".lower()
        read = parse(document_type, spaced.translate(wide), today=TODAY)
        assert (read.number, str(read)) == (number, f"{number[:4]}**********{number[14:]}")


def test_several_hundred_wrong_passports():
    shape = "护照号码应为 5 至 20 位字母和数字，其中至少有一个数字，请对照护照资料页核对。"
    too_short = [f"E{number}" for number in range(1000)]
    too_long = [f"EJ{number:019}" for number in range(200)]
    without_digits = [first + second + "ABC" for first, second in product("ABCDEFGHIJKLMNO", repeat=2)]
    assert {refusal("passport", number) for number in [*too_short, *too_long, *without_digits]} == {shape}


def test_several_hundred_wrong_old_foreign_cards():
    letters = ["U", "US", "USAB", "U5A", "USAX"]
    digits = ["", "11009003070", "1100900307001", "11009003070A", "A10090030700"]
    numbers = [first + second for first, second in product(letters, digits)]
    numbers += [f"{'USA110090030700'[:position]}-" for position in range(1, 15)]
    numbers += [f"USA1100{number}" for number in range(300)]
    assert {refusal("foreign_pr_card", number) for number in numbers} == {
        "旧版外国人永久居留身份证号码应为 3 个字母加 12 位数字，共 15 位，请对照证件核对；新版号码是以 9 开头的 18 位。"
    }


NEARLY = st.text(st.sampled_from("0123456789XxHMUSA-.²①　１９Ｘ\u200b\ud800"), max_size=24)


@settings(deadline=None)
@given(document_type=st.sampled_from(DocumentType.values) | st.text(max_size=20), text=st.text() | NEARLY)
@example(document_type="resident_id", text="²" * 18)
@example(document_type="foreign_pr_card", text="٩" * 18)
def test_no_text_raises_anything_but_the_one_refusal(document_type, text):
    try:
        number = parse(document_type, text, today=TODAY)
    except ValidationError as refused:
        assert len(refused.messages) == 1
        assert refused.messages[0].endswith("。")
    else:
        assert parse(document_type, number.number, today=TODAY) == number


@settings(deadline=None)
@given(
    document_type=st.sampled_from(EIGHTEEN_CHARACTER_TYPES),
    data=st.data(),
    born=st.dates(date(1900, 1, 1), TODAY),
    sex=st.sampled_from(Sex),
    sequence=st.integers(0, 498),
)
def test_what_was_put_into_a_number_is_read_from_it(document_type, data, born, sex, sequence):
    beginning = data.draw(st.sampled_from(BEGINNINGS[document_type]))
    number = eighteen(beginning, sequence, born=born, sex=sex)
    assert parse(document_type, number, today=TODAY) == DocumentNumber(document_type, number, born, sex)


# --- What is shown of it ---------------------------------------------------------------------------------------


def test_text_of_a_number_is_masked(caplog):
    number = parse("resident_id", "11010519491231002X", today=TODAY)
    with caplog.at_level(logging.INFO):
        logging.getLogger("test").info("confirmed %s, %r", number, [number])
    assert (str(number), f"{number}", repr(number)) == (
        "1101**********002X",
        "1101**********002X",
        "<DocumentNumber resident_id 1101**********002X>",
    )
    assert caplog.messages == ["confirmed 1101**********002X, [<DocumentNumber resident_id 1101**********002X>]"]


@pytest.mark.parametrize(
    ("number", "shown"),
    [
        ("", ""),
        ("1", "*"),
        ("123", "***"),
        ("1234", "1**4"),
        ("G1234567", "G******7"),
        ("E12345678", "E1*****78"),
        ("USA110090030700", "USA*********700"),
        ("11010519491231002X", "1101**********002X"),
    ],
)
def test_a_short_number_shows_less(number, shown):
    assert mask(number) == shown


@settings(deadline=None)
@given(st.text(st.sampled_from("0123456789ABCX"), max_size=30))
def test_a_mask_shows_at_most_eight_characters_and_at_most_half(number):
    shown = len(number) - mask(number).count("*")
    assert (len(mask(number)), shown <= 8, shown * 2 <= len(number)) == (len(number), True, True)


# --- Age, and the people of the tests --------------------------------------------------------------------------


def test_people_of_the_tests_are_all_different_and_all_valid():
    born = date(1990, 3, 7)
    for sex in Sex:
        numbers = [resident_number(serial, sex=sex) for serial in range(1200)]
        assert len(set(numbers)) == 1200
        assert {(parsed.birth_date, parsed.sex) for parsed in map(resident, numbers)} == {(born, sex)}


def resident(number):
    return parse("resident_id", number, today=TODAY)


def test_people_of_the_tests_end_somewhere():
    with pytest.raises(ValueError, match="serial must lie between 0 and 4989999, not 4990000"):
        resident_number(4_990_000, sex=Sex.MALE)
