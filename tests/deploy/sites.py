"""The portal as operators run it: gunicorn with its decoder, and nginx before it, each a process of its own."""

import getpass
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.environment import DEFAULTS

ROOT = Path(__file__).resolve().parent.parent.parent
NGINX_CONF = ROOT / "deploy" / "nginx.conf"
PATIENCE = 60  # seconds until a server must answer
TEMPORARY = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")


@dataclass(frozen=True)
class Portal:
    """A running portal: its address, its folder, and the session keys of who is signed in, by name."""

    origin: str
    folder: Path
    keys: dict[str, str]

    @property
    def log(self) -> str:
        return (self.folder / "portal.log").read_text()


@contextmanager
def portal(folder: Path, **variables: str) -> Iterator[Portal]:
    """With tables, static files and two people, served by gunicorn as the image does it."""
    folder.mkdir(parents=True, exist_ok=True)
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("S3_", "PHOTO_"))}
    environment |= DEFAULTS | {
        "DATABASE_URL": f"sqlite:///{folder / 'portal.sqlite3'}",
        "DATA_DIR": str(folder),
        "STATIC_ROOT": str(folder / "static"),
        "DJANGO_SETTINGS_MODULE": "competition_portal.settings",
        **variables,
    }
    run("manage.py", "migrate", "--verbosity", "0", environment=environment)
    run("manage.py", "collectstatic", "--noinput", "--verbosity", "0", environment=environment)
    keys = json.loads(run("-m", "tests.deploy.people", environment=environment))
    with socket.create_server(("127.0.0.1", 0)) as listener, (folder / "portal.log").open("w") as log:
        port = listener.getsockname()[1]
        serve = [sys.executable, "-m", "gunicorn", "competition_portal.wsgi:application", "--config"]
        serve += ["deploy/gunicorn.conf.py", "--bind", f"fd://{listener.fileno()}", "--worker-class", "gthread"]
        serve += ["--workers", "2", "--threads", "4", "--no-control-socket", "--graceful-timeout", "1"]
        with running(serve, port, log=log, environment=environment, descriptors=(listener.fileno(),)):
            yield Portal(f"http://127.0.0.1:{port}", folder, keys)


def run(*command: str, environment: dict[str, str]) -> str:
    answer = subprocess.run([sys.executable, *command], cwd=ROOT, env=environment, capture_output=True, text=True)
    assert answer.returncode == 0, answer.stderr
    return answer.stdout


@contextmanager
def running(command: list[str], port: int, *, log, environment=None, descriptors=()) -> Iterator[None]:
    """A server, from the moment when it answers on its port to its end."""
    process = subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=log, stderr=log, pass_fds=descriptors, start_new_session=True
    )
    try:
        until = time.monotonic() + PATIENCE
        while process.poll() is None and time.monotonic() < until:
            with socket.socket() as probe:
                if not probe.connect_ex(("127.0.0.1", port)):
                    break
            time.sleep(0.05)
        else:
            raise RuntimeError(f"{command[0]} did not start: {Path(log.name).read_text()}")
        yield
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(PATIENCE)


@contextmanager
def nginx(program: str, behind: Portal, certificate: Path) -> Iterator[str]:
    """The https origin of an nginx that runs deploy/nginx.conf, with nothing changed but what operators change."""
    plain, secure = free_ports(2)
    folder = behind.folder
    changed = {
        "user www-data;": f"user {getpass.getuser()};",
        "listen 80;": f"listen 127.0.0.1:{plain};",
        "listen 443 ssl;": f"listen 127.0.0.1:{secure} ssl;",
        "server 127.0.0.1:8000;": f"server {behind.origin.removeprefix('http://')};",
        "/etc/ssl/portal/certificate.pem": str(certificate),
        "/etc/ssl/portal/key.pem": str(certificate),
        "/srv/portal/data/private/": f"{folder / 'private'}/",
        "/var/log/nginx/portal.log": str(folder / "nginx-access.log"),
        # Whoever may not write where the package keeps its temporary files.
        "\nhttp {": "\nhttp {" + "".join(f"\n    {name}_temp_path {folder / name};" for name in TEMPORARY),
    }
    text = NGINX_CONF.read_text()
    for written, own in changed.items():
        assert text.count(written) == 1, written
        text = text.replace(written, own)
    (folder / "nginx.conf").write_text(text)
    command = [program, "-p", str(folder), "-c", str(folder / "nginx.conf"), "-e", "stderr"]
    command += ["-g", f"daemon off; pid {folder / 'nginx.pid'};"]
    with (folder / "nginx.log").open("w") as log, running(command, secure, log=log):
        yield f"https://127.0.0.1:{secure}"


def free_ports(count: int) -> list[int]:
    held = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [listener.getsockname()[1] for listener in held]
    for listener in held:
        listener.close()
    return ports
