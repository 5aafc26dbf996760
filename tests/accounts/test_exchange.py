"""However large an answer is when unpacked, no more of it is held than a little over what is allowed."""

import gzip
import time
import tracemalloc
import zlib

import pytest
import requests

from accounts.deadline import WIRE_BYTES
from accounts.exchange import ANSWER_BYTES, Exchange, NotAcceptable
from tests.accounts.provider import LOGOUT, Answer
from tests.accounts.ways import CHUNKED

PLAIN = b" " * 40_000_000
PACKED = {
    "plainly": ("identity", PLAIN),
    "packed": ("gzip", gzip.compress(PLAIN)),
    "packed otherwise": ("deflate", zlib.compress(PLAIN)),
    "packed twice": ("gzip, gzip", gzip.compress(gzip.compress(PLAIN))),
}
ELSEWHERE = "Location: http://127.0.0.1:1/\r\n"


@pytest.mark.parametrize("packed", PACKED)
@pytest.mark.parametrize("status", [200, 302, 307, 400, 500])
def test_an_answer_is_held_no_further_than_allowed(provider, status, packed):
    coding, body = PACKED[packed]
    provider.discovery_answer = Answer(body, status=status, headers=f"Content-Encoding: {coding}\r\n{ELSEWHERE}")
    exchange = Exchange()
    tracemalloc.start()
    try:
        with pytest.raises(NotAcceptable, match="answer too long"):
            exchange.ask("GET", f"{provider.issuer}/.well-known/openid-configuration")
        assert tracemalloc.get_traced_memory()[1] < 8 * ANSWER_BYTES
    finally:
        tracemalloc.stop()


def test_a_chunk_that_says_to_read_on_is_not_read_to_its_end(provider):
    """urllib3 takes -1 for the length of a chunk, and then reads whatever comes."""
    provider.discovery_answer = Answer(raw=CHUNKED + b"-1\r\n" + PLAIN)
    exchange = Exchange()
    tracemalloc.start()
    try:
        with pytest.raises(requests.RequestException):
            exchange.ask("GET", f"{provider.issuer}/.well-known/openid-configuration")
        assert tracemalloc.get_traced_memory()[1] < 8 * WIRE_BYTES
    finally:
        tracemalloc.stop()


def test_a_redirect_is_not_read_to_know_that_it_is_there(provider):
    """The page for signing out may answer so, and drip what nobody reads."""
    provider.logout_answer = Answer(b"a" * 1000, status=302, headers=ELSEWHERE, pause=0.02)
    begun = time.monotonic()
    assert Exchange().at_most(2).finds(f"{provider.origin}{LOGOUT}")
    assert time.monotonic() - begun < 1


def test_a_login_kept_on_the_machine_does_not_replace_ours(provider, tmp_path, monkeypatch):
    (tmp_path / ".netrc").write_text("default login somebody password else\n")
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    Exchange().ask(
        "GET", f"{provider.issuer}/.well-known/openid-configuration", headers={"Authorization": "Bearer ours"}
    )
    assert provider.authorization == "Bearer ours"
