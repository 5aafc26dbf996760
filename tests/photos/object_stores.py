"""An S3-compatible store that refuses a wrong secret (rclone), and one on the way to which nothing moves."""

import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ACCESS_KEY, SECRET_KEY, BUCKET = "portal", "only-for-tests", "photos"
PATIENCE = 20  # seconds until the store must answer


@contextmanager
def rclone(folder: Path) -> Iterator[str]:
    """The address of a store that keeps its buckets as folders below `folder`."""
    (folder / BUCKET).mkdir()
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    command = [
        str(Path(sys.executable).parent / "rclone"),
        "serve",
        "s3",
        "--auth-key",
        f"{ACCESS_KEY},{SECRET_KEY}",
        "--addr",
        f"127.0.0.1:{port}",
    ]
    command += ["--config", os.devnull, str(folder)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_for(port, process)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(PATIENCE)


def wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + PATIENCE
    while process.poll() is None and time.monotonic() < until:
        with socket.socket() as probe:
            if not probe.connect_ex(("127.0.0.1", port)):
                return
        time.sleep(0.05)
    raise RuntimeError("the object store of the tests did not start")


@contextmanager
def hanging() -> Iterator[str]:
    """The address of a store that takes every question and answers none."""
    taken: list[socket.socket] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def take() -> None:
            while True:
                try:
                    taken.append(server.accept()[0])
                except OSError:
                    return

        threading.Thread(target=take, daemon=True).start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}"
        server.shutdown(socket.SHUT_RDWR)
    for connection in taken:
        connection.close()


def options(endpoint: str, **other: str) -> dict[str, Any]:
    """A STORAGES entry."""
    given = {"access_key": ACCESS_KEY, "secret_key": SECRET_KEY, "bucket": BUCKET, "region": "us-east-1"}
    return {"BACKEND": "photos.object_store.ObjectStore", "OPTIONS": {"endpoint": endpoint, **given, **other}}
