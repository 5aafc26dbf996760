"""The portal as operators run it: gunicorn with its decoder, the queue and nginx before it, each a process of its own."""

import getpass
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import requests

from scripts import debian
from tests.environment import DEFAULTS

ROOT = Path(__file__).resolve().parent.parent.parent
DEPLOY = ROOT / "deploy"
NGINX_CONF = DEPLOY / "nginx.conf"
HAPROXY_CFG = DEPLOY / "haproxy.cfg"
PATIENCE = 60  # seconds until a server must answer
# What two replicas behind the whole of deploy/ are told beside their database and their cache.
TWO_REPLICAS = {
    "REPLICAS": "2",
    "PRIVATE_FOLDER_SHARED": "true",
    "USE_HTTPS": "true",
    "TRUSTED_PROXIES": "1",
    "PHOTO_DELIVERY": "accel",
}
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
    environment = surroundings(folder, **variables)
    keys = prepared(environment)
    with replica(folder / "portal.log", environment) as (_, origin):
        yield Portal(origin, folder, keys)


def surroundings(folder: Path, **variables: str) -> dict[str, str]:
    """The environment of every replica and command of one portal, whose files lie in this folder."""
    folder.mkdir(parents=True, exist_ok=True)
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("S3_", "PHOTO_"))}
    return environment | {
        **DEFAULTS,
        "DATABASE_URL": f"sqlite:///{folder / 'portal.sqlite3'}",
        "DATA_DIR": str(folder),
        "STATIC_ROOT": str(folder / "static"),
        "DJANGO_SETTINGS_MODULE": "competition_portal.settings",
        **variables,
    }


def prepared(environment: dict[str, str]) -> dict[str, str]:
    """Tables, static files and two people, whose session keys are returned."""
    run("manage.py", "migrate", "--verbosity", "0", environment=environment)
    run("manage.py", "collectstatic", "--noinput", "--verbosity", "0", environment=environment)
    keys: dict[str, str] = json.loads(run("-m", "tests.deploy.people", environment=environment))
    return keys


@contextmanager
def replica(log_file: Path, environment: dict[str, str]) -> Iterator[tuple[subprocess.Popen, str]]:
    """One gunicorn as the image runs it: its process and its origin."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        serve = [sys.executable, "-m", "gunicorn", "competition_portal.wsgi:application", "--config"]
        serve += ["deploy/gunicorn.conf.py", "--bind", f"fd://{listener.fileno()}", "--worker-class", "gthread"]
        serve += ["--workers", "2", "--threads", "4", "--no-control-socket", "--graceful-timeout", "1"]
        serve += ["--access-logfile", str(log_file.with_suffix(".access"))]
        with log_file.open("w") as log:
            descriptors = (listener.fileno(),)
            with running(
                serve, port, log=log, environment=environment, descriptors=descriptors, held=listener
            ) as process:
                origin = f"http://127.0.0.1:{port}"
                # The port takes requests long before a worker does.
                requests.get(f"{origin}/healthz", timeout=PATIENCE).raise_for_status()
                yield process, origin


def run(*command: str, environment: dict[str, str]) -> str:
    answer = subprocess.run([sys.executable, *command], cwd=ROOT, env=environment, capture_output=True, text=True)
    assert answer.returncode == 0, answer.stderr
    return answer.stdout


@contextmanager
def running(
    command: list[str], port: int, *, log, environment=None, descriptors=(), held: socket.socket | None = None
) -> Iterator[subprocess.Popen]:
    """A server, from the moment when it answers on its port to its end. It may have been killed meanwhile.

    The listening socket that it was given is closed here, so that its port is refused when it is gone.
    """
    process = subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=log, stderr=log, pass_fds=descriptors, start_new_session=True
    )
    if held is not None:
        held.close()
    try:
        until = time.monotonic() + PATIENCE
        while process.poll() is None and time.monotonic() < until:
            with socket.socket() as probe:
                if not probe.connect_ex(("127.0.0.1", port)):
                    break
            time.sleep(0.05)
        else:
            raise RuntimeError(f"{command[0]} did not start: {Path(log.name).read_text()}")
        yield process
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        process.wait(PATIENCE)


@contextmanager
def nginx(program: str, behind: Portal, certificate: Path, port: int = 0) -> Iterator[str]:
    """The https origin of an nginx that runs deploy/nginx.conf, with nothing changed but what operators change.

    What it has behind it is the queue, or one portal alone. `port` is for whoever must know it beforehand.
    """
    plain, secure = free_ports(2)
    secure = port or secure
    folder = behind.folder
    changed = {
        "user www-data;": f"user {getpass.getuser()};",
        "listen 80;": f"listen 127.0.0.1:{plain};",
        "listen 443 ssl http2;": f"listen 127.0.0.1:{secure} ssl http2;",
        "server 127.0.0.1:8080;": f"server {behind.origin.removeprefix('http://')};",
        "/etc/ssl/portal/certificate.pem": str(certificate),
        "/etc/ssl/portal/key.pem": str(certificate),
        "/srv/portal/data/private/": f"{folder / 'private'}/",
        "/srv/portal/.static/": f"{folder / 'static'}/",
        "/var/log/nginx/portal.log": str(folder / "nginx-access.log"),
        "/var/log/nginx/portal-error.log": str(folder / "nginx-error.log"),
        # Whoever may not write where the package keeps its temporary files.
        "\nhttp {": "\nhttp {" + "".join(f"\n    {name}_temp_path {folder / name};" for name in TEMPORARY),
    }
    written = substituted(NGINX_CONF, folder / "nginx.conf", changed)
    command = [program, "-p", str(folder), "-c", str(written), "-e", "stderr"]
    command += ["-g", f"daemon off; pid {folder / 'nginx.pid'};"]
    with (folder / "nginx.log").open("w") as log, running(command, secure, log=log):
        yield f"https://127.0.0.1:{secure}"


@contextmanager
def queue(program: str, folder: Path, replicas: list[str], **changes: str) -> Iterator[str]:
    """The origin of a haproxy that runs deploy/haproxy.cfg before these two replicas; its figures are in figures.txt."""
    port, figures = free_ports(2)
    (folder / "figures.txt").write_text(f"http://127.0.0.1:{figures}/metrics")
    changed = {
        "bind 127.0.0.1:8080": f"bind 127.0.0.1:{port}",
        "bind 127.0.0.1:8404": f"bind 127.0.0.1:{figures}",
        **{
            f"server replica{number} 127.0.0.1:800{number}": f"server replica{number} {origin.removeprefix('http://')}"
            for number, origin in enumerate(replicas, start=1)
        },
        **changes,
    }
    written = substituted(
        HAPROXY_CFG, folder / "haproxy.cfg", changed, everywhere={"/etc/portal/pages": f"{DEPLOY}/pages"}
    )
    command = [program, "-db", "-f", str(written)]
    with (folder / "haproxy.log").open("w") as log, running(command, port, log=log, environment=debian.surroundings()):
        yield f"http://127.0.0.1:{port}"


def substituted(source: Path, target: Path, changed: dict[str, str], everywhere: dict[str, str] | None = None) -> Path:
    """The file with a few words changed, each of which stands in it once."""
    text = source.read_text()
    for written, own in changed.items():
        assert text.count(written) == 1, written
        text = text.replace(written, own)
    for written, own in (everywhere or {}).items():
        text = text.replace(written, own)
    target.write_text(text)
    return target


@contextmanager
def redis(program: str, folder: Path) -> Iterator[str]:
    """The CACHE_URL of a Redis that keeps nothing."""
    [port] = free_ports(1)
    command = [program, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder)]
    with (folder / "redis.log").open("w") as log, running(command, port, log=log, environment=debian.surroundings()):
        yield f"redis://127.0.0.1:{port}/0"


@contextmanager
def pooler(program: str, folder: Path, database: str, connections: int, port_between: int = 0) -> Iterator[str]:
    """The DATABASE_URL through a PgBouncer that runs deploy/pgbouncer.ini before the PostgreSQL of this URL, or before
    what stands on this port of 127.0.0.1 between the two.

    It takes its connections in turn, so that what needs the one of the statement before fails.
    """
    [port] = free_ports(1)
    socket_folder = database.partition("@/")[2].rpartition("/")[0]
    place = f"host=127.0.0.1 port={port_between}" if port_between else f"host={socket_folder}"
    changed = {
        "portal = host=127.0.0.1 port=5432 dbname=portal": f"postgres = {place} user=portal dbname=postgres",
        "listen_port = 6432": f"listen_port = {port}",
        "auth_type = scram-sha-256\nauth_file = /etc/pgbouncer/userlist.txt": "auth_type = any",
        "default_pool_size = 20": f"default_pool_size = {connections}\nmin_pool_size = {connections}\nserver_round_robin = 1",
    }
    written = substituted(DEPLOY / "pgbouncer.ini", folder / "pgbouncer.ini", changed)
    written.chmod(0o644)
    # It refuses root, and becomes the user that owns the server.
    command = [program, *(["-u", "nobody"] if os.geteuid() == 0 else []), str(written)]
    with (
        (folder / "pgbouncer.log").open("w") as log,
        running(command, port, log=log, environment=debian.surroundings()),
    ):
        yield f"postgres://portal@127.0.0.1:{port}/postgres"


def free_ports(count: int) -> list[int]:
    held = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [listener.getsockname()[1] for listener in held]
    for listener in held:
        listener.close()
    return ports
