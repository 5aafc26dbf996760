"""Somebody at a browser: cookies of their own, forms posted as they came, an address of their own."""

import itertools
import re
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import requests
from requests.adapters import HTTPAdapter

from tests.pages import FormReader

PATIENCE = 60  # seconds for an answer
# Gunicorn keeps a connection for two seconds. A browser that finds it closed asks again without a word; we do not let it
# come to that, so that a connection that breaks is always an error of the server's.
IDLE = 1
HEADERS = {"Accept-Language": "zh-CN", "Accept": "text/html", "User-Agent": "bench"}
# Of this machine itself: limits by address (accounts/limits.py) count each person alone, as they do outside.
ADDRESSES = itertools.cycle(f"127.0.{third}.{fourth}" for third in range(1, 200) for fourth in range(1, 250))


@dataclass(frozen=True)
class Answer:
    """What came back, or all that came back on the way through several pages. `problem` says what was not as it should be."""

    seconds: float
    queries: int
    size: int  # bytes of the bodies, as they were on the wire
    text: str = ""
    location: str = ""
    problem: str = ""

    @classmethod
    def sum(cls, answers: Iterable["Answer"]) -> "Answer":
        found = list(answers)
        seconds, queries = sum(each.seconds for each in found), sum(each.queries for each in found)
        problems = "；".join(each.problem for each in found if each.problem)
        return cls(seconds, queries, sum(each.size for each in found), problem=problems)

    def form(self, **typed: str) -> dict[str, str]:
        """The page's forms as a browser would send them, with what the person types."""
        reader = FormReader()
        reader.feed(self.text)
        return {**reader.values, **typed}

    def address(self, pattern: str) -> str:
        """Where the first form or link of the page leads whose address matches."""
        found = re.search(rf'(?:action|href)="([^"]*{pattern}[^"]*)"', self.text)
        return found.group(1).replace("&amp;", "&") if found else "/nowhere/"


class Person:
    def __init__(self, origin: str, cookies: Mapping[str, str] | None = None) -> None:
        self.origin, self.session, self.answered_at = origin, requests.Session(), 0.0
        self.session.trust_env = False
        self.session.headers.update(HEADERS)
        self.session.mount("http://", From(next(ADDRESSES)))
        for name, value in (cookies or {}).items():
            self.session.cookies.set(name, value, domain="127.0.0.1", path="/")

    def get(self, path: str, *, status: int = 200, to: str = "") -> Answer:
        """`status` and `to` say what is right: the status, and a pattern of where a redirect leads."""
        return self.ask("GET", path, status, to)

    def post(self, path: str, form: Mapping[str, str], *, to: str, files: Any = None) -> Answer:
        return self.ask("POST", path, 302, to, data=form, files=files)

    def ask(self, method: str, path: str, status: int, to: str, **sent: Any) -> Answer:
        if time.monotonic() - self.answered_at > IDLE:
            self.session.close()  # its connections; the cookies stay
        began = time.perf_counter()
        try:
            answer = self.session.request(method, self.origin + path, allow_redirects=False, timeout=PATIENCE, **sent)
        except requests.RequestException as broken:
            return Answer(time.perf_counter() - began, 0, 0, problem=f"{method} {path}: {type(broken).__name__}")
        took, self.answered_at = time.perf_counter() - began, time.monotonic()
        location = answer.headers.get("Location", "")
        wrong = answer.status_code != status or not re.search(to, location)
        problem = f"{method} {path}: {answer.status_code} {location}" if wrong else ""
        size = int(answer.headers.get("Content-Length") or len(answer.content))
        return Answer(took, int(answer.headers.get("X-Queries", 0)), size, answer.text, location, problem)


class From(HTTPAdapter):
    """Connections from one address."""

    def __init__(self, address: str) -> None:
        self.address = address
        super().__init__(pool_connections=1, pool_maxsize=1)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, source_address=(self.address, 0), **kwargs)
