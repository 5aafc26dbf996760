"""Ask what may never answer, and go on without its answer when the time is over."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future

from django.db import connections


class Question[Value]:
    """One question, asked by one thread at a time, however many want to know: who hangs, hangs once.

    The answer serves for `kept` seconds, so that a stranger who asks without end costs one question in so many.
    """

    def __init__(self, ask: Callable[[], Value], kept: float = 0.0) -> None:
        self.ask, self.kept = ask, kept
        self.lock = threading.Lock()
        self.coming: Future[Value] | None = None
        self.answered_at = 0.0

    def begin(self) -> Future[Value]:
        """The answer on its way, or the one of a moment ago. Its `result()` raises what `ask` raised."""
        with self.lock:
            if self.coming is None or self.coming.done() and time.monotonic() - self.answered_at >= self.kept:
                self.coming = Future()
                # A daemon: a process that ends does not wait for what hangs.
                thread = threading.Thread(target=self.run, args=[self.coming], name="question", daemon=True)
                try:
                    thread.start()
                except RuntimeError as problem:  # there is no room for one: asked again later, and not awaited for ever
                    self.answered_at = time.monotonic()
                    self.coming.set_exception(problem)
            return self.coming

    def run(self, coming: Future[Value]) -> None:
        try:
            answer = self.ask_and_close()
        except BaseException as problem:
            self.answered_at = time.monotonic()
            coming.set_exception(problem)
        else:
            self.answered_at = time.monotonic()
            coming.set_result(answer)

    def ask_and_close(self) -> Value:
        try:
            return self.ask()
        finally:
            connections.close_all()  # this thread's; a pool gets them back


def within[Value](seconds: float, ask: Callable[[], Value]) -> Value:
    """What `ask` returns or raises, or TimeoutError."""
    return Question(ask).begin().result(timeout=seconds)
