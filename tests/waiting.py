"""What happens in another process happens in its own time; a test waits for it and says when it did not come."""

import time
from collections.abc import Callable


def until(condition: Callable[[], object], patience: float = 60) -> None:
    """Return as soon as `condition` holds; fail after `patience` seconds."""
    deadline = time.monotonic() + patience
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.02)
