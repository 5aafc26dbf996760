"""A portal's side of the protocol and a browser without a screen: cookies, forms, links, redirects one at a time."""

import base64
import hashlib
from html.parser import HTMLParser
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit

import jwt
import requests

from tests.sandbox import Sandbox

PORTAL = "http://portal.test:8000"
CALLBACK = f"{PORTAL}/accounts/callback/"
SIGNED_OUT = f"{PORTAL}/accounts/signed-out/"
VERIFIER = "a-code-verifier-of-more-than-forty-three-characters"
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()


class Page(HTMLParser):
    """What a test looks at: links by their text, forms by their button's text, all text, and the marked sentences."""

    VOID = {"input", "meta", "link", "img", "br"}

    def __init__(self, html: str) -> None:
        super().__init__()
        self.links: dict[str, str] = {}
        self.forms: dict[str, tuple[str, dict[str, str]]] = {}
        self.values: dict[str, str] = {}
        self.problems: dict[str, str] = {}
        self.heading = self.text = ""
        self._stack: list[tuple[str, dict[str, str]]] = []
        self._form: tuple[str, dict[str, str]] = ("", {})
        self.feed(html)

    def handle_starttag(self, tag, attributes):
        attributes = {name: value or "" for name, value in attributes}
        if tag == "form":
            self._form = (attributes.get("action", ""), {})
        if tag == "input":
            self._form[1][attributes["name"]] = self.values[attributes["name"]] = attributes.get("value", "")
        if tag == "option" and "selected" in attributes:
            self.values[self._stack[-1][1]["name"]] = attributes["value"]
        if tag not in self.VOID:
            self._stack.append((tag, attributes))

    def handle_endtag(self, tag):
        while self._stack and self._stack.pop()[0] != tag:
            pass

    def handle_data(self, data):
        tag, attributes = self._stack[-1] if self._stack else ("", {})
        words = data.strip()
        if not words or tag in {"style", "script"}:
            return
        self.text += words
        if tag == "h1":
            self.heading = words
        if tag == "a":
            self.links[words] = attributes["href"]
        if tag == "button":
            self.forms[words] = self._form
        if attributes.get("class") == "problem":
            self.problems[attributes["id"].removeprefix("id_").removesuffix("_error")] = words


class Browser:
    """Somebody's browser: stays on the sandbox, stops at the door of the portal."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox, self.http = sandbox, requests.Session()
        self.http.trust_env = False
        self.url, self.status, self.page = sandbox.origin, 0, Page("")

    def __enter__(self):
        return self

    def __exit__(self, *problem) -> None:
        self.http.close()

    def _follow(self, response: requests.Response) -> "Browser":
        while response.is_redirect and urljoin(response.url, response.headers["Location"]).startswith(
            self.sandbox.origin
        ):
            response = self.http.get(urljoin(response.url, response.headers["Location"]), allow_redirects=False)
        self.status = response.status_code
        self.url = urljoin(response.url, response.headers.get("Location", ""))
        self.page = Page("" if response.is_redirect else response.text)
        return self

    def open(self, address: str) -> "Browser":
        return self._follow(self.http.get(urljoin(self.url, address), allow_redirects=False))

    def click(self, link: str) -> "Browser":
        return self.open(self.page.links[link])

    def press(self, button: str, **typed: str) -> "Browser":
        action, fields = self.page.forms[button]
        return self._follow(self.http.post(urljoin(self.url, action), fields | typed, allow_redirects=False))

    def arrive(self, **changes: str | None) -> "Browser":
        """Come from the portal with its authorization request."""
        query = {
            "response_type": "code",
            "client_id": self.sandbox.client_id,
            "redirect_uri": CALLBACK,
            "scope": "openid profile",
            "state": "the-state",
            "nonce": "the-nonce",
            "code_challenge": CHALLENGE,
            "code_challenge_method": "S256",
        } | changes
        kept = {name: value for name, value in query.items() if value is not None}
        return self.open(f"{self.sandbox.issuer}/authorize/?{urlencode(kept)}")

    def sign_in(self, username: str, password: str = "demo-2026") -> "Browser":
        return self.arrive().press("登录", username=username, password=password)

    @property
    def path(self) -> str:
        return urlsplit(self.url).path

    @property
    def answer(self) -> dict[str, str]:
        """The query with which the browser stands at the portal's door."""
        assert self.url.startswith(CALLBACK), self.url
        return dict(parse_qsl(urlsplit(self.url).query))


def redeem(sandbox: Sandbox, code: str, secret: str | None = None, **changes: str) -> requests.Response:
    """The portal's request for tokens, authenticated with HTTP Basic."""
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK, "code_verifier": VERIFIER}
    return requests.post(
        f"{sandbox.issuer}/token/", form | changes, auth=(sandbox.client_id, secret or sandbox.client_secret), timeout=5
    )


def verified(sandbox: Sandbox, id_token: str) -> dict:
    """The claims of an ID token whose signature, issuer, audience and times are right."""
    keys = requests.get(f"{sandbox.issuer}/.well-known/jwks.json", timeout=5).json()
    key = jwt.PyJWKSet.from_dict(keys)[jwt.get_unverified_header(id_token)["kid"]]
    return jwt.decode(id_token, key, algorithms=["RS256"], audience=sandbox.client_id, issuer=sandbox.issuer)


def userinfo(sandbox: Sandbox, access_token: str) -> dict:
    headers = {"Authorization": f"Bearer {access_token}"}
    return requests.get(f"{sandbox.issuer}/userinfo/", headers=headers, timeout=5).json()


def claims(browser: Browser) -> dict:
    """What the portal learns at the userinfo endpoint about whoever stands at its door."""
    tokens = redeem(browser.sandbox, browser.answer["code"]).json()
    return userinfo(browser.sandbox, tokens["access_token"])
