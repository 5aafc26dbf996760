"""How well a key keeps: what it means in bytes, and why it cannot have been drawn at random."""

import base64
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from math import log2
from typing import Any

# Of 32 random bytes, fewer than 20 different ones come once in 10^10 keys, none outside of ASCII's visible characters
# once in 10^13; of 50 random letters and digits the estimate below is over 200 bits.
FEWEST_DIFFERENT_BYTES = 20
FEWEST_BITS = 128


def weakness(key: str | bytes) -> str:
    """Why a key cannot have been drawn at random, or "". It says nothing of the key itself."""
    if any(key == key[:length] * (len(key) // length) for length in range(1, len(key) // 2 + 1)):
        return "是同一段内容重复而成的"
    if isinstance(key, str):
        # The steps as well: a run of one character, or an alphabet, has many characters and hardly any steps.
        steps = [ord(later) - ord(earlier) for earlier, later in pairwise(key)]
        weak = min(information(key), information(steps)) < FEWEST_BITS
        return "太短，或用到的字符太少、太有规律" if weak else ""
    if len({(later - earlier) % 256 for earlier, later in pairwise(key)}) == 1:
        return "是按顺序排列的"
    if len(set(key)) < FEWEST_DIFFERENT_BYTES:
        return "用到的字节太少"
    return "是一段可以读的文字，不是随机数" if key.isascii() and key.decode().isprintable() else ""


def information(symbols: Sequence[Any]) -> float:
    """Bits, if each symbol came as often as it does here (Shannon)."""
    return sum(count * log2(len(symbols) / count) for count in Counter(symbols).values())


def readings(key: str | bytes) -> set[bytes]:
    """The bytes of a key, and those that its text means: a 32 byte key copied into SECRET_KEY is still that key."""
    if isinstance(key, bytes):
        return {key}
    found = {key.encode()}
    for decode in (bytes.fromhex, lambda text: base64.b64decode(text, validate=True)):
        try:
            found.add(decode(key))
        except ValueError:
            continue
    return found
