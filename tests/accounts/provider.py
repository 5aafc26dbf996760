"""A small OpenID provider over real HTTP that can be told to misbehave."""

import base64
import hashlib
import json
import socket
import struct
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

KID = "key-1"
ACCESS_TOKEN = "access-token-0123456789"
TOKEN, KEYS, USERINFO, LOGOUT = "/o/token/", "/o/jwks/", "/o/userinfo/", "/o/logout/"
DISCOVERY = "/o/.well-known/openid-configuration"


@cache
def rsa_key(name: str, bits: int = 2048) -> rsa.RSAPrivateKey:
    """One key for the whole session under each name: making one takes longer than a test."""
    return rsa.generate_private_key(public_exponent=65537, key_size=bits)


def public_pem() -> bytes:
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return rsa_key("ours").public_key().public_bytes(serialization.Encoding.PEM, form)


def jwk(name: str = "ours", **values: Any) -> dict[str, Any]:
    key = rsa_key(name, 1024) if name == "short" else rsa_key(name)
    numbers = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(key.public_key()))
    return without_none({**numbers, "kid": KID, "use": "sig", "alg": "RS256", **values})


@dataclass
class Answer:
    """What an endpoint says instead of the right thing."""

    body: bytes = b""
    status: int = 200
    content_type: str = "application/json"
    pause: float = 0  # seconds before each byte of `body`
    drip_headers: bool = False
    headers: str = ""  # more of them, each with its line's end
    hang_up: bool = False  # without a word
    reset: bool = False  # not even goodbye
    raw: bytes = b""  # all that is sent, head included, instead of everything else


def json_answer(value: Any, **more: Any) -> Answer:
    return Answer(json.dumps(value).encode(), **more)


@dataclass
class Provider:
    """Its switches. A test changes what it wants to be wrong; everything else stays right."""

    origin: str = ""
    client_id: str = "competition-portal"
    subject: Any = "subject-of-the-platform"
    claims: dict[str, Any] = field(default_factory=dict)  # of the person, said by userinfo
    token_claims: dict[str, Any] = field(default_factory=dict)  # into the ID token; None takes one out
    header: dict[str, Any] = field(default_factory=dict)  # into the ID token's header
    key: Any = None
    algorithm: str = "RS256"
    id_token: Any = ...  # instead of one that is signed
    keys: list[Any] = field(default_factory=lambda: [jwk()])
    at_hash: Any = None  # into the ID token; True for the right one
    token_extra: dict[str, Any] = field(default_factory=dict)  # into the token response
    document: dict[str, Any] = field(default_factory=dict)  # into the discovery document; None takes one out
    token_answer: Answer | None = None
    keys_answer: Answer | None = None
    userinfo_answer: Answer | None = None
    discovery_answer: Answer | None = None
    logout_answer: Answer | None = None
    grants: dict[str, tuple[str, str]] = field(default_factory=dict)  # nonce and challenge, by code
    asked: list[tuple[str, str]] = field(default_factory=list)
    token_request: dict[str, str] = field(default_factory=dict)
    authorization: str = ""
    last_id_token: str = ""
    challenge: str = ""
    nonce: str = ""
    over: Event = field(default_factory=Event)

    @property
    def issuer(self) -> str:
        return f"{self.origin}/o"

    def settings(self) -> dict[str, str]:
        return {
            "OIDC_OP_ISSUER": self.issuer,
            "OIDC_OP_AUTHORIZATION_ENDPOINT": f"{self.issuer}/authorize/",
            "OIDC_OP_TOKEN_ENDPOINT": f"{self.issuer}/token/",
            "OIDC_OP_USER_ENDPOINT": f"{self.issuer}/userinfo/",
            "OIDC_OP_JWKS_ENDPOINT": f"{self.issuer}/jwks/",
            "OIDC_OP_LOGOUT_ENDPOINT": f"{self.issuer}/logout/",
        }

    def discovered(self) -> dict[str, str]:
        """What a portal is told that finds the rest by itself."""
        return {**dict.fromkeys(self.settings(), ""), "OIDC_OP_ISSUER": self.issuer, "PLATFORM_ORIGIN": self.origin}

    def asked_for(self, *paths: str) -> list[str]:
        """Which of these paths were asked for, as often and in the order in which they were."""
        return [path for _, path in self.asked if path in paths]

    def authorise(self, address: str, code: str = "") -> str:
        """Do what the person's browser does at the authorization endpoint; the state that it brings back.

        Several logins at once have a `code` each.
        """
        query = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
        self.nonce, self.challenge = query["nonce"], query["code_challenge"]
        assert query["code_challenge_method"] == "S256"
        if code:
            self.grants[code] = (self.nonce, self.challenge)
        return query["state"]

    # Its endpoints ---------------------------------------------------------------------------------------------

    def token(self, form: dict[str, str]) -> Answer:
        nonce, challenge = self.grants.get(form.get("code", ""), (self.nonce, self.challenge))
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        if without_padding(digest) != challenge:
            return json_answer({"error": "invalid_grant"}, status=400)
        self.last_id_token = self.signed(nonce) if self.id_token is ... else self.id_token
        right = {"access_token": ACCESS_TOKEN, "token_type": "Bearer", "id_token": self.last_id_token}
        return json_answer(without_none({**right, **self.token_extra}))

    def signed(self, nonce: str) -> str:
        now = int(time.time())
        right = {
            "iss": self.issuer,
            "sub": self.subject,
            "aud": self.client_id,
            "iat": now,
            "exp": now + 300,
            "nonce": nonce,
            "at_hash": half_hash(ACCESS_TOKEN) if self.at_hash is True else self.at_hash,
        }
        said = {name: value(now) if callable(value) else value for name, value in self.token_claims.items()}
        claims = without_none({**right, **said})
        key = rsa_key("ours") if self.key is None else self.key
        return signed_with(key, self.algorithm, {"kid": KID, **self.header}, claims)

    def userinfo(self, form: dict[str, str]) -> Answer:
        return json_answer({"sub": self.subject, **self.claims})

    def jwks(self, form: dict[str, str]) -> Answer:
        return json_answer({"keys": self.keys})

    def discovery(self, form: dict[str, str]) -> Answer:
        right = {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize/",
            "token_endpoint": f"{self.issuer}/token/",
            "userinfo_endpoint": f"{self.issuer}/userinfo/",
            "jwks_uri": f"{self.issuer}/jwks/",
            "end_session_endpoint": f"{self.issuer}/logout/",
        }
        return json_answer(without_none({**right, **self.document}))

    def logout(self, form: dict[str, str]) -> Answer:
        return Answer("退出".encode(), content_type="text/html; charset=utf-8")

    def answer(self, path: str, form: dict[str, str]) -> Answer:
        named = {
            TOKEN: (self.token_answer, self.token),
            KEYS: (self.keys_answer, self.jwks),
            USERINFO: (self.userinfo_answer, self.userinfo),
            DISCOVERY: (self.discovery_answer, self.discovery),
            LOGOUT: (self.logout_answer, self.logout),
        }
        instead, right = named[path.partition("?")[0]]
        return instead or right(form)


def now_and(seconds: int) -> Callable[[int], int]:
    """A time for `token_claims`, told when the token is made: a test that waits for its turn is not late."""
    return lambda now: now + seconds


def without_none(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def without_padding(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def half_hash(access_token: str) -> str:
    """at_hash, OpenID Connect Core 1.0, 3.1.3.6."""
    return without_padding(hashlib.sha256(access_token.encode()).digest()[:16])


def signed_with(key: Any, algorithm: str, header: dict[str, Any], claims: dict[str, Any]) -> str:
    """A token by hand: PyJWT is too careful to make one that is wrong."""
    parts = [{"alg": algorithm, "typ": "JWT", **header}, claims]
    text = ".".join(without_padding(json.dumps(part).encode()) for part in map(without_none, parts))
    return f"{text}.{without_padding(jwt.get_algorithm_by_name(algorithm).sign(text.encode(), key))}"


class Handler(BaseHTTPRequestHandler):
    provider: Provider

    def do_GET(self) -> None:
        self.provider.authorization = self.headers.get("Authorization", "")
        self.say({})

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        form = self.provider.token_request = {name: values[0] for name, values in parse_qs(body).items()}
        self.provider.authorization = self.headers.get("Authorization", "")
        self.say(form)

    def say(self, form: dict[str, str]) -> None:
        self.provider.asked.append((self.command, self.path))
        answer = self.provider.answer(self.path, form)
        head = f"HTTP/1.0 {answer.status} .\r\nContent-Type: {answer.content_type}\r\n{answer.headers}".encode()
        if answer.hang_up:
            return
        if answer.reset:
            self.reset()
            return
        try:
            if answer.raw:
                self.wfile.write(answer.raw)
                return
            if answer.drip_headers:
                self.drip(head + b"X-Slow: " + b"a" * 50, answer.pause)
                return
            self.wfile.write(head + f"Content-Length: {len(answer.body)}\r\n\r\n".encode())
            if answer.pause:
                self.drip(answer.body, answer.pause)
                return
            self.wfile.write(answer.body)
        except (BrokenPipeError, ConnectionResetError):
            pass  # the portal hung up, as it should

    def reset(self) -> None:
        """Close with what lingers thrown away: the portal is sent RST, not FIN."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.rfile.close()
        self.connection.close()

    def drip(self, content: bytes, pause: float) -> None:
        for byte in content:
            if self.provider.over.wait(pause):
                return
            self.wfile.write(bytes([byte]))

    def log_message(self, *args: Any) -> None:
        pass


@contextmanager
def running_provider() -> Iterator[Provider]:
    provider = Provider()
    handler = type("OwnHandler", (Handler,), {"provider": provider})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    provider.origin = f"http://127.0.0.1:{server.server_address[1]}"
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield provider
    finally:
        provider.over.set()
        server.shutdown()
        server.server_close()
        thread.join()
