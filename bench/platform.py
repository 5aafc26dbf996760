"""The platform at which the bench's people sign in: the tests' provider, which here knows many people at once."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.server import ThreadingHTTPServer
from threading import Thread
from urllib.parse import parse_qs, urlsplit

from tests.accounts.provider import Answer, Handler, Provider, json_answer


class Platform(Provider):
    """The code of a login and its access token are the person's subject: nothing here has to be remembered."""

    def leave(self, address: str, subject: str) -> dict[str, str]:
        """What the browser of this person brings back from the authorization endpoint."""
        asked = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
        self.grants[subject] = (asked["nonce"], asked["code_challenge"])
        return {"code": subject, "state": asked["state"]}

    def token(self, form: dict[str, str]) -> Answer:
        subject = form["code"]
        return Provider.token(replace(self, subject=subject, token_extra={"access_token": subject}), form)

    def userinfo(self, form: dict[str, str]) -> Answer:
        return json_answer({"sub": form["authorization"].removeprefix("Bearer ")})


class OwnHandler(Handler):
    def do_GET(self) -> None:
        self.say({"authorization": self.headers.get("Authorization", "")})


@contextmanager
def running_platform() -> Iterator[Platform]:
    platform = Platform()
    handler = type("PlatformHandler", (OwnHandler,), {"provider": platform})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    platform.origin = f"http://127.0.0.1:{server.server_address[1]}"
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield platform
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
