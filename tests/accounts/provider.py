"""A small OpenID provider over real HTTP that can be told to misbehave."""

import base64
import hashlib
import json
import time
from collections.abc import Iterator
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


@cache
def rsa_key(name: str) -> rsa.RSAPrivateKey:
    """One key for the whole session under each name: making one takes longer than a test."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def public_pem() -> bytes:
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return rsa_key("ours").public_key().public_bytes(serialization.Encoding.PEM, form)


def jwk(name: str = "ours", **values: Any) -> dict[str, Any]:
    numbers = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(rsa_key(name).public_key()))
    return {**numbers, "kid": KID, "use": "sig", "alg": "RS256", **values}


@dataclass
class Answer:
    """What an endpoint says instead of the right thing."""

    body: bytes = b""
    status: int = 200
    content_type: str = "application/json"
    pause: float = 0  # seconds before each byte of `body`
    drip_headers: bool = False


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
    token_answer: Answer | None = None
    keys_answer: Answer | None = None
    userinfo_answer: Answer | None = None
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

    def authorise(self, address: str) -> str:
        """Do what the person's browser does at the authorization endpoint; the state that it brings back."""
        query = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
        self.nonce, self.challenge = query["nonce"], query["code_challenge"]
        assert query["code_challenge_method"] == "S256"
        return query["state"]

    # Its endpoints ---------------------------------------------------------------------------------------------

    def token(self) -> Answer:
        verifier = self.token_request.get("code_verifier", "")
        digest = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
        if digest != self.challenge:
            return json_answer({"error": "invalid_grant"}, status=400)
        self.last_id_token = self.signed() if self.id_token is ... else self.id_token
        return json_answer({"access_token": ACCESS_TOKEN, "token_type": "Bearer", "id_token": self.last_id_token})

    def signed(self) -> str:
        now = int(time.time())
        right = {
            "iss": self.issuer,
            "sub": self.subject,
            "aud": self.client_id,
            "iat": now,
            "exp": now + 300,
            "nonce": self.nonce,
        }
        claims = {name: value for name, value in {**right, **self.token_claims}.items() if value is not None}
        header = {name: value for name, value in {"kid": KID, **self.header}.items() if value is not None}
        return signed_with(rsa_key("ours") if self.key is None else self.key, self.algorithm, header, claims)

    def userinfo(self) -> Answer:
        return json_answer({"sub": self.subject, **self.claims})

    def jwks(self) -> Answer:
        return json_answer({"keys": self.keys})

    def answer(self, path: str) -> Answer:
        named = {
            "/o/token/": (self.token_answer, self.token),
            "/o/jwks/": (self.keys_answer, self.jwks),
            "/o/userinfo/": (self.userinfo_answer, self.userinfo),
        }
        instead, right = named[path]
        return instead or right()


def signed_with(key: Any, algorithm: str, header: dict[str, Any], claims: dict[str, Any]) -> str:
    """A token by hand where PyJWT is too careful to make one: an HMAC under somebody's public key."""
    if algorithm != "HS256":
        return jwt.encode(claims, key, algorithm=algorithm, headers=header)
    parts = [{"alg": "HS256", "typ": "JWT", **header}, claims]
    text = ".".join(base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in parts)
    seal = jwt.get_algorithm_by_name("HS256").sign(text.encode(), key)
    return f"{text}.{base64.urlsafe_b64encode(seal).rstrip(b'=').decode()}"


class Handler(BaseHTTPRequestHandler):
    provider: Provider

    def do_GET(self) -> None:
        self.provider.authorization = self.headers.get("Authorization", "")
        self.say()

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        self.provider.token_request = {name: values[0] for name, values in parse_qs(body).items()}
        self.provider.authorization = self.headers.get("Authorization", "")
        self.say()

    def say(self) -> None:
        self.provider.asked.append((self.command, self.path))
        answer = self.provider.answer(self.path)
        head = f"HTTP/1.0 {answer.status} .\r\nContent-Type: {answer.content_type}\r\n".encode()
        try:
            if answer.drip_headers:
                return self.drip(head + b"X-Slow: " + b"a" * 50, answer.pause)
            self.wfile.write(head + f"Content-Length: {len(answer.body)}\r\n\r\n".encode())
            if answer.pause:
                return self.drip(answer.body, answer.pause)
            self.wfile.write(answer.body)
        except (BrokenPipeError, ConnectionResetError):
            pass  # the portal hung up, as it should
        return None

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
