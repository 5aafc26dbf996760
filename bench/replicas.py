"""Two replicas behind nginx (bench/rolling.py): each is started, drained and ended by itself."""

import http.client
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.server import SERVE
from scripts import debian

PATIENCE = 60  # seconds until a process must have done what it was told
NGINX = """
worker_processes 2;
events {{ worker_connections 512; }}
http {{
    access_log off;
    {temporary}
    upstream portal {{ {servers} keepalive 8; }}
    server {{
        listen 127.0.0.1:{port};
        location / {{
            proxy_pass http://portal;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_set_header Host $http_host;
            proxy_next_upstream error;
            add_header X-Replica $upstream_addr always;
        }}
    }}
}}
"""


@dataclass
class Replica:
    """A place in which a release runs: always at the same port."""

    port: int
    log: Path
    process: subprocess.Popen[bytes] | None = None

    def start(self, release: Path) -> None:
        command = [sys.executable, "-m", "gunicorn", "competition_portal.wsgi:application", *SERVE]
        command += ["--bind", f"127.0.0.1:{self.port}"]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(  # noqa: S603
                command,
                cwd=release,
                stdout=log,
                stderr=log,
                env={**os.environ, "PYTHONPATH": ""},
                start_new_session=True,
            )
        until = time.monotonic() + PATIENCE
        while not ready(self.port):
            if self.process.poll() is not None or time.monotonic() > until:
                raise SystemExit(f"A replica did not get ready:\n{self.log.read_text()[-3000:]}")
            time.sleep(0.1)

    def end(self, number: signal.Signals) -> None:
        if self.process is None or self.process.poll() is not None:
            return
        if number == signal.SIGKILL:
            os.killpg(self.process.pid, number)
        else:
            self.process.send_signal(number)  # gunicorn tells its workers
        self.process.wait(PATIENCE)


def ready(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


@dataclass
class Proxy:
    program: str
    folder: Path
    port: int
    replicas: list[Replica]
    process: subprocess.Popen[bytes] | None = None

    def write(self, without: Replica | None = None) -> None:
        servers = " ".join(
            f"server 127.0.0.1:{replica.port}{' down' if replica is without else ''};" for replica in self.replicas
        )
        kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        temporary = " ".join(f"{kind}_temp_path {self.folder}/{kind};" for kind in kinds)
        (self.folder / "nginx.conf").write_text(NGINX.format(servers=servers, port=self.port, temporary=temporary))

    @contextmanager
    def serving(self) -> Iterator[None]:
        self.write()
        command = [self.program, "-p", str(self.folder), "-c", str(self.folder / "nginx.conf"), "-e", "stderr"]
        command += ["-g", f"daemon off; pid {self.folder}/nginx.pid;"]
        with (self.folder / "nginx.log").open("wb") as log:
            self.process = subprocess.Popen(  # noqa: S603
                command, stdout=log, stderr=log, env=debian.surroundings()
            )
        try:
            until = time.monotonic() + PATIENCE
            while not ready(self.port):
                if self.process.poll() is not None or time.monotonic() > until:
                    raise SystemExit(f"nginx did not start:\n{(self.folder / 'nginx.log').read_text()}")
                time.sleep(0.05)
            yield
        finally:
            self.process.terminate()
            self.process.wait(PATIENCE)

    def workers(self) -> set[int]:
        assert self.process is not None  # noqa: S101
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text()
        return {int(word) for word in children.split()}

    def send_nobody_to(self, replica: Replica | None) -> None:
        """Returns when the last request that was on its way by the old word has been answered."""
        before = self.workers()
        self.write(without=replica)
        assert self.process is not None  # noqa: S101
        self.process.send_signal(signal.SIGHUP)
        until = time.monotonic() + PATIENCE
        while before & self.workers():
            if time.monotonic() > until:
                raise SystemExit("nginx did not let go of its old workers")
            time.sleep(0.05)
