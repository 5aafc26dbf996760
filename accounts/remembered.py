"""What the platform said last, kept in this process: asked anew when it is old, but never as often as a stranger likes.

In the process and not in the shared cache: whoever can write there must not be able to say whose signature counts.
"""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

import requests

from accounts.exchange import Exchange

logger = logging.getLogger(__name__)

FRESH_SECONDS = 3600  # then it is asked anew
KEPT_SECONDS = 24 * 3600  # so long it serves while the platform does not answer
PAUSE_SECONDS = 30  # between two questions while there is an answer to go on with
REFRESH_SECONDS = 2  # of the login's time, for an answer that it could do without


@dataclass(frozen=True)
class Saying[Value]:
    value: Value
    heard_at: float  # time.monotonic()

    @property
    def age(self) -> float:
        return time.monotonic() - self.heard_at


class Remembered[Value]:
    """One thing that the platform says. `ask` fetches it, and raises requests.RequestException or ValueError."""

    def __init__(self, ask: Callable[[Exchange], Value]) -> None:
        self.ask = ask
        self.turn = threading.Lock()  # whoever holds it asks; the others wait for the answer
        self.saying: Saying[Value] | None = None
        self.asked_at = float("-inf")

    def get(self, exchange: Exchange) -> Value:
        """What it said within the hour, else what it says now, else, if it does not answer, what it said today."""
        known = self.saying
        if known and known.age < FRESH_SECONDS:
            return known.value
        if not known or known.age >= KEPT_SECONDS:
            return self.first(exchange)
        try:
            return self.newer(known.value, exchange.at_most(REFRESH_SECONDS))
        except (requests.RequestException, ValueError) as problem:
            logger.warning("the platform does not say anew what it said before: %s", type(problem).__name__)
            return known.value

    def first(self, exchange: Exchange) -> Value:
        with self.my_turn(exchange):
            known = self.saying
            return known.value if known and known.age < FRESH_SECONDS else self.learn(exchange)

    def newer(self, known: Value, exchange: Exchange) -> Value:
        """What it says now; what is `known` where it was asked only just before."""
        with self.my_turn(exchange):
            if self.saying and self.saying.value is not known:
                return self.saying.value
            if time.monotonic() - self.asked_at < PAUSE_SECONDS:
                return known
            return self.learn(exchange)

    def learn(self, exchange: Exchange) -> Value:
        self.asked_at = time.monotonic()
        self.saying = Saying(self.ask(exchange), time.monotonic())
        return self.saying.value

    def my_turn(self, exchange: Exchange) -> "Turn":
        return Turn(self.turn, exchange)


class Turn:
    """Holds a lock for which nobody waits past the deadline of the exchange."""

    def __init__(self, lock: threading.Lock, exchange: Exchange) -> None:
        self.lock, self.exchange = lock, exchange

    def __enter__(self) -> None:
        if not self.lock.acquire(timeout=self.exchange.seconds_left):
            raise requests.Timeout("another login is still asking")

    def __exit__(self, *problem: object) -> None:
        self.lock.release()
