"""The ways in which a platform can misbehave: what is set wrong at the fake one, and what comes of it."""

import gzip
from dataclasses import dataclass
from typing import Any

from accounts import exchange
from tests.accounts.browser import UNREACHABLE, UNTRUSTED
from tests.accounts.provider import KID, Answer, json_answer, jwk, now_and

NAME = "欧阳测试"


@dataclass
class Way:
    """What is set wrong at the provider, and what comes of it."""

    wrong: dict[str, Any]
    reason: str
    sentence: str = UNTRUSTED
    seconds: float = 0  # when the deadline is shortened to this, so that a test need not wait for the real one

    @property
    def status(self) -> int:
        return 503 if self.sentence == UNREACHABLE else 400


def claims(reason, **values):
    return Way({"token_claims": values}, reason)


MISSING = "MissingRequiredClaimError"
TOKENS = {
    "for somebody else": claims("InvalidAudienceError", aud="another-portal"),
    "for a list of others": claims("InvalidAudienceError", aud=["another-portal", "a-third"]),
    "for an empty list": claims(MISSING, aud=[]),
    "for no name at all": claims("InvalidAudienceError", aud={"competition-portal": True}),
    "for others as well, without azp": claims("azp", aud=["competition-portal", "another-portal"]),
    "for others as well, by another": claims("azp", aud=["competition-portal", "another-portal"], azp="another-portal"),
    "for us by the wish of another": claims("azp", azp="another-portal"),
    "for us by the wish of nobody": claims("azp", azp=""),
    "for us by a list": claims("azp", azp=["competition-portal"]),
    "for nobody": claims(MISSING, aud=None),
    "from another issuer": claims("InvalidIssuerError", iss="https://id.example.cn"),
    "from our issuer with a slash": Way({"token_claims": {"iss": "+/"}}, "InvalidIssuerError"),
    "from a list of issuers": Way({"token_claims": {"iss": "[]"}}, "InvalidIssuerError"),
    "from no issuer": claims(MISSING, iss=None),
    "another nonce": claims("nonce", nonce="n" * 32),
    "an empty nonce": claims("nonce", nonce=""),
    "a nonce that is a list": claims("nonce", nonce=["n"]),
    "no nonce": claims(MISSING, nonce=None),
    "expired": claims("ExpiredSignatureError", exp=now_and(-200)),
    "expired two minutes and a bit ago": claims("ExpiredSignatureError", exp=now_and(-122)),
    "without an end": claims(MISSING, exp=None),
    "endless": claims("DecodeError", exp=float("inf")),
    "ends tomorrow, in words": claims("DecodeError", exp="tomorrow"),
    "ends at a text of digits": claims("exp", exp=lambda now: str(now + 300)),
    "from the future": claims("ImmatureSignatureError", iat=now_and(400)),
    "from long ago": claims("iat too old", iat=now_and(-100_000), exp=now_and(300)),
    "begins at true": claims("iat", iat=True),
    "without a beginning": claims(MISSING, iat=None),
    "from two minutes and a bit ahead": claims("ImmatureSignatureError", iat=now_and(140)),
    "endless backwards": claims("InvalidIssuedAtError", iat=float("-inf")),
    "ends at no number": claims("DecodeError", exp=float("nan")),
    "not yet for two minutes and a bit": claims("ImmatureSignatureError", nbf=now_and(140)),
    "not yet": claims("ImmatureSignatureError", nbf=now_and(400)),
    "not yet, in words": claims("DecodeError", nbf="tomorrow"),
    "about nobody": claims(MISSING, sub=None),
    "about an empty one": claims("sub", sub=""),
    "about a number": claims("InvalidSubjectError", sub=7),
    "about a list": claims("InvalidSubjectError", sub=["subject-of-the-platform"]),
    "about a very long one": claims("sub", sub="s" * 256),
    "about one that is not ASCII": claims("sub", sub="用户"),
    "about one with a zero in it": claims("sub", sub="subject\0"),
    "about one with half a character": claims("sub", sub="\ud800"),
    "with another access token's hash": Way({"at_hash": "77QmUPtjPfzWtF2AnpK9RQ"}, "at_hash"),
    "with a hash of nothing": Way({"token_claims": {"at_hash": ""}}, "at_hash"),
    "with a hash that is a list": Way({"at_hash": []}, "at_hash"),
    "not signed": Way({"algorithm": "none", "key": ""}, "alg"),
    "not signed, with a key's name": Way({"algorithm": "none", "key": "", "header": {"kid": KID}}, "alg"),
    "signed by another": Way({"key": "theirs"}, "InvalidSignatureError"),
    "signed with our public key": Way({"algorithm": "HS256", "key": "public"}, "alg"),
    "signed with our public key, said to be RSA": Way(
        {"algorithm": "HS256", "key": "public", "header": {"alg": "RS256"}}, "InvalidSignatureError"
    ),
    "signed with our secret": Way({"algorithm": "HS256", "key": b"only-for-tests"}, "alg"),
    "signed with RS512": Way({"algorithm": "RS512"}, "alg"),
    "signed with PS256": Way({"algorithm": "PS256"}, "alg"),
    "brings its own key": Way({"key": "theirs", "header": {"jwk": jwk("theirs"), "kid": "own"}}, "no key fits"),
    "brings its own key's address": Way(
        {"key": "theirs", "header": {"jku": "http://127.0.0.1:1/"}}, "InvalidSignatureError"
    ),
    "asks for what we do not know": Way({"header": {"crit": ["exp"], "exp": 1}}, "InvalidTokenError"),
    "asks for what is not there": Way({"header": {"crit": ["b64"]}}, "InvalidTokenError"),
    "asks for what PyJWT alone knows": Way({"header": {"crit": ["b64"], "b64": True}}, "crit"),
    "asks for nothing": Way({"header": {"crit": []}}, "InvalidTokenError"),
    "asks in words": Way({"header": {"crit": "exp"}}, "InvalidTokenError"),
    "not encoded": Way({"header": {"crit": ["b64"], "b64": False}}, "DecodeError"),
    "not encoded, and does not say so": Way({"header": {"b64": False}}, "DecodeError"),
    "of another kind": Way({"header": {"typ": "at+jwt"}}, "typ"),
    "a sign-out token": Way({"header": {"typ": "logout+jwt"}}, "typ"),
    "no token": Way({"id_token": None}, "DecodeError"),
    "an empty token": Way({"id_token": ""}, "DecodeError"),
    "not a token": Way({"id_token": "a.b.c"}, "DecodeError"),
    "an encrypted token": Way({"id_token": "a.b.c.d.e"}, "DecodeError"),
    "a token that is an object": Way({"id_token": {"a": "b"}}, "DecodeError"),
    "a token that is true": Way({"id_token": True}, "DecodeError"),
    "a token that is a number": Way({"id_token": 7}, "DecodeError"),
    "a token that is a list": Way({"id_token": ["a.b.c"]}, "DecodeError"),
    "a token's type that is a list": Way({"token_extra": {"token_type": ["Bearer"]}}, "token_type"),
    "no bearer token": Way({"token_extra": {"token_type": None}}, "token_type"),
    "a token of another type": Way({"token_extra": {"token_type": "mac"}}, "token_type"),
    "no access token": Way({"token_extra": {"access_token": None}}, "access_token"),
    "an access token with a line's end": Way({"token_extra": {"access_token": "a\r\nHost: b"}}, "access_token"),
    "an access token that is an object": Way({"token_extra": {"access_token": {}}}, "access_token"),
}
EC_KEY = {"kty": "EC", "kid": KID, "crv": "P-256", "x": "a2V5", "y": "a2V5", "use": "sig", "alg": "RS256"}
KEYS = {
    "unknown key": Way({"header": {"kid": "key-2"}}, "no key fits"),
    "a key's name that is a list": Way({"header": {"kid": [KID]}}, "InvalidTokenError"),
    "a key without a name, and two fit": Way(
        {"header": {"kid": None}, "keys": [jwk(), jwk("theirs", kid="key-2")]}, "several keys fit"
    ),
    "two keys of one name": Way({"keys": [jwk("theirs"), jwk()]}, "several keys fit"),
    "a key for another use": Way({"keys": [jwk(use="enc")]}, "no key fits"),
    "a key for other operations": Way({"keys": [jwk(key_ops=["encrypt"])]}, "no key fits"),
    "a key for another algorithm": Way({"keys": [jwk(alg="RS512")]}, "no key fits"),
    "a key of another kind": Way({"keys": [{"kty": "oct", "kid": KID, "k": "a2V5"}]}, "no key fits"),
    "a key that is too short": Way({"keys": [jwk("short")]}, "key too short"),
    "no keys": Way({"keys": []}, "no keys"),
    "keys that are an object": Way({"keys": {"kid": KID}}, "no keys"),
    "no key set": Way({"keys_answer": json_answer({"jwks": [jwk()]})}, "no keys"),
    "strange keys": Way({"keys": ["key", 7, None]}, "no key fits"),
    "a key with strange operations": Way({"keys": [jwk(key_ops=7)]}, "TypeError"),
    "a key of a curve under our algorithm": Way({"keys": [EC_KEY]}, "no key fits"),
    "an even exponent": Way({"keys": [jwk(e="Ag")]}, "InvalidKeyError"),
    "an exponent of one": Way({"keys": [jwk(e="AQ")]}, "InvalidKeyError"),
    "a modulus of nothing": Way({"keys": [jwk(n="AA")]}, "InvalidKeyError"),
    "a modulus that is a number": Way({"keys": [jwk(n=7)]}, "InvalidKeyError"),
    "a modulus as long as the answer may be": Way({"keys": [jwk(n="_" * 200_000)]}, "InvalidSignatureError"),
    "a broken key": Way({"keys": [{"kid": KID, "kty": "RSA", "n": "?", "e": "AQAB"}]}, "InvalidKeyError"),
}
USERINFO = {
    "userinfo of somebody else": Way({"claims": {"sub": "somebody-else"}}, "userinfo is somebody else's"),
    "userinfo of nobody": Way({"userinfo_answer": json_answer({"name": NAME})}, "userinfo is somebody else's"),
    "userinfo of other letters": Way({"claims": {"sub": "Subject-of-the-platform"}}, "userinfo is somebody else's"),
    "userinfo of a blank more": Way({"claims": {"sub": "subject-of-the-platform "}}, "userinfo is somebody else's"),
    "userinfo of a number": Way({"claims": {"sub": 7}}, "userinfo is somebody else's"),
    "userinfo of null": Way({"claims": {"sub": None}}, "userinfo is somebody else's"),
    "userinfo of a list": Way({"claims": {"sub": ["subject-of-the-platform"]}}, "userinfo is somebody else's"),
    "a signed userinfo": Way(
        {"userinfo_answer": Answer(b"eyJhbGciOiJub25lIn0.e30.", content_type="application/jwt")}, "content type"
    ),
}
HUGE = b'{"a": "' + b"x" * (exchange.ANSWER_BYTES + 1) + b'"}'
BOMB = gzip.compress(b'{"a": "' + b"x" * 20_000_000 + b'"}')
SLOW = {"sentence": UNREACHABLE, "seconds": 0.25}
AWAY = {"sentence": UNREACHABLE}
JSON = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n"
CHUNKED = JSON + b"Transfer-Encoding: chunked\r\n\r\n"
ANSWERS = {
    "500": (Answer(b"{}", status=500), "ConnectionError", AWAY),
    "503": (Answer(b"busy", status=503, content_type="text/plain"), "ConnectionError", AWAY),
    "hangs up": (Answer(hang_up=True), "ConnectionError", AWAY),
    "502 as a page": (Answer(b"<html>", status=502, content_type="text/html"), "ConnectionError", AWAY),
    "resets": (Answer(reset=True), "ConnectionError", AWAY),
    "speaks no HTTP": (Answer(raw=b"SSH-2.0-OpenSSH_9.9\r\n"), "ConnectionError", AWAY),
    "a status that is none": (Answer(raw=b"HTTP/1.1 abc OK\r\n\r\n"), "ConnectionError", AWAY),
    "wrong chunks": (Answer(raw=CHUNKED + b"zz\r\n{}\r\n0\r\n\r\n"), "ChunkedEncodingError", AWAY),
    "chunks that stop": (Answer(raw=CHUNKED + b"9\r\n{}"), "ChunkedEncodingError", AWAY),
    "chunks of less than nothing": (Answer(raw=CHUNKED + b"-5\r\n{}\r\n"), "ValueError", {}),
    "a chunk of all that comes": (Answer(raw=CHUNKED + b"-1\r\n{}"), "ChunkedEncodingError", AWAY),
    "shorter than said": (Answer(raw=JSON + b"Content-Length: 90\r\n\r\n{}"), "ChunkedEncodingError", AWAY),
    "two lengths": (Answer(raw=JSON + b"Content-Length: 2, 5\r\n\r\n{}"), "InvalidHeader", AWAY),
    "html": (Answer("<!doctype html><title>维护中</title>".encode(), content_type="text/html"), "content type", {}),
    "json said to be html": (Answer(b"{}", content_type="text/html"), "content type", {}),
    "json said to be nothing": (Answer(b"{}", content_type=""), "content type", {}),
    "html said to be json": (Answer(b"<html>"), "JSONDecodeError", {}),
    "nothing": (Answer(b""), "JSONDecodeError", {}),
    "forbidden": (json_answer({}, status=403), "status 403", {}),
    "not found": (Answer(b"<html>", status=404, content_type="text/html"), "status 404", {}),
    "slower, please": (json_answer({}, status=429, headers="Retry-After: 3600\r\n"), "status 429", {}),
    "without content": (Answer(status=204), "status 204", {}),
    "nothing new": (Answer(status=304), "status 304", {}),
    "refusal": (json_answer({"error": "invalid_grant"}, status=400), "status 400", {}),
    "no access": (json_answer({}, status=401, headers="WWW-Authenticate: Bearer\r\n"), "status 401", {}),
    "created": (json_answer({}, status=201), "status 201", {}),
    "elsewhere": (Answer(b"{}", status=302, headers="Location: http://127.0.0.1:1/\r\n"), "status 302", {}),
    "elsewhere, to itself": (Answer(b"{}", status=308, headers="Location: .\r\n"), "status 308", {}),
    "elsewhere, at length": (
        Answer(HUGE, status=307, headers="Location: http://127.0.0.1:1/\r\n"),
        "answer too long",
        {},
    ),
    "elsewhere, nowhere": (Answer(b"{}", status=302, headers="Location: http://[/\r\n"), "status 302", {}),
    "a number": (json_answer(7), "not an object", {}),
    "a text": (json_answer("{}"), "not an object", {}),
    "a number too long to read": (Answer(b'{"sub": ' + b"7" * 10_000 + b"}"), "ValueError", {}),
    "two objects": (Answer(b"{}{}"), "JSONDecodeError", {}),
    "a script": (Answer(b"{}", content_type="application/javascript"), "content type", {}),
    "a list": (json_answer([1, 2]), "not an object", {}),
    "null": (json_answer(None), "not an object", {}),
    "half": (Answer(b'{"sub": "subj'), "JSONDecodeError", {}),
    "deep": (Answer(b"[" * 100_000), "too deep", {}),
    "not utf-8": (Answer(b'{"sub": "\xff\xfe"}'), "UnicodeDecodeError", {}),
    "huge": (Answer(HUGE), "answer too long", {}),
    "huge when unpacked": (Answer(BOMB, headers="Content-Encoding: gzip\r\n"), "answer too long", {}),
    "huge when unpacked twice": (
        Answer(gzip.compress(BOMB), headers="Content-Encoding: gzip, gzip\r\n"),
        "answer too long",
        {},
    ),
    "packed too often": (
        Answer(BOMB, headers=f"Content-Encoding: {', '.join(['gzip'] * 50)}\r\n"),
        "ContentDecodingError",
        AWAY,
    ),
    "half a packing": (Answer(BOMB[:100], headers="Content-Encoding: gzip\r\n"), "JSONDecodeError", {}),
    "broken packing": (
        Answer(b"{}", headers="Content-Encoding: gzip\r\n"),
        "ContentDecodingError",
        AWAY,
    ),
    "many headers": (Answer(b"{}", headers="X-A: b\r\n" * 200), "ConnectionError", AWAY),
    "endless header": (Answer(b"{}", headers=f"X-A: {'b' * 70_000}\r\n"), "ConnectionError", AWAY),
    "body drips": (Answer(b"{" * 100, pause=0.02), "ConnectionError", SLOW),
    "headers drip": (Answer(pause=0.02, drip_headers=True), "ReadTimeout", SLOW),
    "no body": (Answer(b"{}", pause=2), "ConnectionError", SLOW),
}
ODD = {
    f"{endpoint}: {name}": Way({f"{endpoint}_answer": answer}, reason, **more)
    for endpoint in ("token", "keys", "userinfo")
    for name, (answer, reason, more) in ANSWERS.items()
}
WAYS = TOKENS | KEYS | USERINFO | ODD


def document(reason, **values):
    return Way({"document": values}, reason)


DISCOVERIES = {
    **{name: Way({"discovery_answer": answer}, reason, **more) for name, (answer, reason, more) in ANSWERS.items()},
    "empty": Way({"discovery_answer": json_answer({})}, "discovery is another issuer's"),
    "another issuer": document("discovery is another issuer's", issuer="https://id.example.cn"),
    "the issuer with a slash": Way({"document": {"issuer": "+/"}}, "discovery is another issuer's"),
    "no issuer": document("discovery is another issuer's", issuer=None),
    **{
        f"no {name}": document(f"discovery: {name}", **{name: None})
        for name in ("authorization_endpoint", "token_endpoint", "userinfo_endpoint", "jwks_uri")
    },
    "an endpoint that runs": document(
        "discovery: authorization_endpoint", authorization_endpoint="javascript:alert(1)"
    ),
    "an endpoint in a file": document("discovery: jwks_uri", jwks_uri="file:///etc/passwd"),
    "an endpoint of a telephone": document("discovery: userinfo_endpoint", userinfo_endpoint="ftp://a/b"),
    "an endpoint without a host": document("discovery: token_endpoint", token_endpoint="http:///token"),
    "an endpoint that is a list": document("discovery: token_endpoint", token_endpoint=["http://a/"]),
    "an endpoint with a line's end": document("discovery: jwks_uri", jwks_uri="http://a/\r\nb"),
    "an endpoint with a fragment": document("discovery: jwks_uri", jwks_uri="http://a/#b"),
    "a strange sign-out": document("discovery: end_session_endpoint", end_session_endpoint="javascript:alert(1)"),
    "a sign-out that is a number": document("discovery: end_session_endpoint", end_session_endpoint=7),
}
