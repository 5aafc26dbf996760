"""Encryption at rest: what comes back, what is refused, and that nothing readable is stored."""

import base64

import pytest
from django.apps.registry import Apps
from django.core.exceptions import FieldError
from django.db import connection, models
from django.db.models import F, Q, Value

from accounts.fields import (
    EncryptedTextField,
    TamperedCiphertext,
    blind_index,
    decrypt_text,
    encrypt_text,
    key_id_of,
)

OLD, NEW = b"o" * 32, b"n" * 32
NUMBER = "11010519491231002X"
own_registry = Apps()


class Papers(models.Model):
    """Abstract, as PersonalDetails is: the field belongs to two tables."""

    holder = models.CharField(primary_key=True, max_length=20)
    number = EncryptedTextField(null=True)

    class Meta:
        abstract = True
        app_label = "accounts"
        apps = own_registry


class Card(Papers):
    note = EncryptedTextField(default="")

    class Meta(Papers.Meta):
        abstract = False
        db_table = "test_card"


class CardCopy(Papers):
    class Meta(Papers.Meta):
        abstract = False
        db_table = "test_card_copy"


@pytest.fixture
def tables(db):
    """Made inside the test's own transaction, and gone with it."""
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE test_card (holder varchar(20) PRIMARY KEY, number text NULL, note text NOT NULL)")
        cursor.execute("CREATE TABLE test_card_copy (holder varchar(20) PRIMARY KEY, number text NULL)")


@pytest.fixture(autouse=True)
def keys(settings):
    settings.FIELD_ENCRYPTION_KEYS = {"old": OLD}
    settings.BLIND_INDEX_KEY = b"b" * 32


def stored(table="test_card", column="number"):
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {column} FROM {table}")
        return [value for (value,) in cursor.fetchall()]


# --- Coming back -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("plain", [NUMBER, "王小明 😀", "v1:old:not a ciphertext", "长" * 10_000, " ", None, ""])
def test_what_is_saved_comes_back(tables, plain):
    card = Card.objects.create(holder="王", number=plain)
    assert card.number == plain
    assert list(Card.objects.values_list("number", flat=True)) == [plain]
    assert Card.objects.get().number == plain


def test_nothing_readable_is_stored(tables):
    Card.objects.create(holder="王", number=NUMBER)
    (text,) = stored()
    version, key_id, encoded = text.split(":")
    sealed = base64.b64decode(encoded, validate=True)
    assert (version, key_id, len(sealed)) == ("v1", "old", 12 + len(NUMBER) + 16)
    assert NUMBER[6:14] not in text
    assert NUMBER[6:14].encode() not in sealed


def test_empty_and_missing_are_stored_as_they_are(tables):
    Card.objects.create(holder="王", number=None, note="")
    assert (stored(), stored(column="note")) == ([None], [""])


def test_the_same_text_never_looks_the_same_twice(tables):
    Card.objects.create(holder="王", number=NUMBER)
    Card.objects.create(holder="李", number=NUMBER)
    assert len(set(stored())) == 2


def test_every_way_of_writing_encrypts(tables):
    card = Card.objects.create(holder="王")
    Card.objects.update(number="one")
    Card.objects.bulk_create([Card(holder="李", number="two")])
    assert sorted(Card.objects.values_list("number", flat=True)) == ["one", "two"]
    card.number = "three"
    Card.objects.bulk_update([card], ["number"])
    assert sorted(Card.objects.values_list("number", flat=True)) == ["three", "two"]
    assert [text[:7] for text in stored()] == ["v1:old:", "v1:old:"]


def test_a_new_key_encrypts_and_the_old_one_still_opens(tables, settings):
    Card.objects.create(holder="王", number=NUMBER)
    settings.FIELD_ENCRYPTION_KEYS = {"new": NEW, "old": OLD}
    card = Card.objects.get()
    assert (card.number, [key_id_of(text) for text in stored()]) == (NUMBER, ["old"])
    card.save()
    assert [key_id_of(text) for text in stored()] == ["new"]
    settings.FIELD_ENCRYPTION_KEYS = {"new": NEW}
    assert Card.objects.get().number == NUMBER


def test_an_empty_text_has_no_key():
    assert key_id_of("") == ""


# --- Refusals --------------------------------------------------------------------------------------------------


def refusal(text, context="test_card.number"):
    with pytest.raises(TamperedCiphertext) as caught:
        decrypt_text(text, context)
    return str(caught.value)


def test_each_changed_byte_is_noticed():
    text = encrypt_text(NUMBER, "test_card.number")
    sealed = base64.b64decode(text.removeprefix("v1:old:"))
    for position in range(len(sealed)):
        changed = bytearray(sealed)
        changed[position] ^= 1 << position % 8
        assert refusal(f"v1:old:{base64.b64encode(changed).decode()}") == (
            "test_card.number 里的密文被改动过，或是从别处移来的，请从备份恢复这一行。"
        )


def test_each_changed_character_is_noticed():
    for plain in ("1" * 10, "1" * 11, "1" * 12):  # with and without spare bits and padding at the end of the base64
        text = encrypt_text(plain, "test_card.number")
        for position in range(len(text)):
            other = "B" if text[position] != "B" else "C"
            assert plain not in refusal(text[:position] + other + text[position + 1 :])


def test_spare_bits_of_the_base64_are_noticed():
    text = encrypt_text("1" * 12, "test_card.number")
    assert text.endswith("=")
    spare = next(
        char for char in "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/" if char != text[-3]
    )
    assert refusal(text[:-3] + spare + text[-2:]).startswith("test_card.number 里")


@pytest.mark.parametrize("text", [NUMBER, "v1", "v1:", "v1:old:", "v1:old:===", "v1:old:二", "v2:old:AAAA", ":", "::"])
def test_what_we_never_wrote_is_refused(text):
    assert refusal(text) == "test_card.number 里存的不是本系统写入的密文，请从备份恢复这一行。"


@pytest.mark.parametrize("sealed", [b"short", b"n" * 12, b"n" * 27])
def test_a_torso_is_refused(sealed):
    assert refusal(f"v1:old:{base64.b64encode(sealed).decode()}") == (
        "test_card.number 里的密文被改动过，或是从别处移来的，请从备份恢复这一行。"
    )


def test_a_key_that_is_gone_is_named_as_the_cause(settings):
    text = encrypt_text(NUMBER, "test_card.number")
    settings.FIELD_ENCRYPTION_KEYS = {"new": NEW}
    assert refusal(text) == (
        "test_card.number 里的密文所用的密钥不在 FIELD_ENCRYPTION_KEYS 中，请补上旧密钥，或从备份恢复这一行。"
    )


def test_another_key_under_the_same_name_does_not_open(settings):
    text = encrypt_text(NUMBER, "test_card.number")
    settings.FIELD_ENCRYPTION_KEYS = {"old": NEW}
    assert refusal(text) == "test_card.number 里的密文被改动过，或是从别处移来的，请从备份恢复这一行。"


@pytest.mark.parametrize(
    ("move", "model", "place"),
    [
        ("UPDATE test_card SET note = number", Card, "test_card.note"),
        (
            "INSERT INTO test_card_copy (holder, number) SELECT holder, number FROM test_card",
            CardCopy,
            "test_card_copy.number",
        ),
    ],
)
def test_moved_ciphertext_is_refused(tables, move, model, place):
    Card.objects.create(holder="王", number=NUMBER)
    with connection.cursor() as cursor:
        cursor.execute(move)
    with pytest.raises(TamperedCiphertext) as caught:
        list(model.objects.all())
    assert str(caught.value) == f"{place} 里的密文被改动过，或是从别处移来的，请从备份恢复这一行。"


def test_copying_one_column_to_another_in_sql_does_not_read_either(tables):
    Card.objects.create(holder="王", number=NUMBER)
    Card.objects.update(note=F("number"))
    with pytest.raises(TamperedCiphertext):
        Card.objects.get()


# --- Searching -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("condition", "name"),
    [
        (Q(number=NUMBER), "exact"),
        (Q(number__in=[NUMBER]), "in"),
        (Q(number__icontains="1101"), "icontains"),
        (Q(number__startswith="1101"), "startswith"),
        (Q(number__gt="1"), "gt"),
        (Q(number__length=18), "length"),
    ],
)
def test_comparing_is_refused(condition, name):
    with pytest.raises(FieldError) as caught:
        Card.objects.filter(condition)
    assert str(caught.value) == (
        f"test_card.number is encrypted, so “{name}” would never match: "
        "look for blind_index(…) in the index column beside it. Only isnull works here."
    )


def test_excluding_is_refused_too():
    with pytest.raises(FieldError, match="test_card.number is encrypted"):
        Card.objects.exclude(number=Value(NUMBER))


def test_missing_can_be_asked(tables):
    Card.objects.create(holder="王", number=NUMBER)
    Card.objects.create(holder="李", number=None)
    assert list(Card.objects.filter(number__isnull=True).values_list("holder", flat=True)) == ["李"]
    assert list(Card.objects.filter(number__isnull=False).values_list("holder", flat=True)) == ["王"]


def test_an_encrypted_field_promises_no_uniqueness():
    class Wrong(models.Model):
        number = EncryptedTextField(unique=True)
        other = EncryptedTextField(db_index=True)
        right = EncryptedTextField()

        class Meta:
            app_label = "accounts"
            apps = Apps()

    found = [message.id for field in Wrong._meta.fields[1:] for message in field.check()]
    assert found == ["accounts.E010", "accounts.E010"]


# --- The blind index -------------------------------------------------------------------------------------------


def test_blind_indexes_are_equal_only_for_equal_parts(settings):
    indexes = [blind_index(*parts) for parts in [("a", "bc"), ("ab", "c"), ("abc",), ("abc", ""), ("", "abc"), ()]]
    assert len(set(indexes)) == 6
    assert blind_index("a", "bc") == indexes[0]
    settings.BLIND_INDEX_KEY = b"c" * 32
    assert blind_index("a", "bc") != indexes[0]


def test_a_blind_index_as_it_is_written_down():
    """A known answer: whoever changes how it is made loses every stored index."""
    assert blind_index("resident_id", NUMBER) == "03ffa2f9d66c8698e558d0d4ed4ea915cba2530b89f2c05fd398b91de936e60b"
