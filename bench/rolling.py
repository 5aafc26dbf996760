"""An upgrade under load, and its reverse: `python -m bench.rolling [--short] [--careless]`.

Two replicas behind nginx, people who look and people who submit. A later release is migrated to beside them, then takes the
place of one replica after the other; then the release of before comes back, on the tables of the later one. Not one request
may fail and not one acknowledged submission be missing: else it ends with 1. `--careless` kills without draining, and sees it.
"""

import argparse
import http.client
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.server import SERVE
from bench.visitors import Load, table, verdict
from scripts import debian
from scripts.postgres import temporary_postgres
from tests.environment import DEFAULTS

ROOT = Path(__file__).resolve().parent.parent
COPIED = [
    "accounts",
    "competition_portal",
    "photos",
    "plans",
    "profiles",
    "registrations",
    "templates",
    "static",
    "deploy",
]
PATIENCE = 60
PEOPLE = 16

# The later release: a column that its pages read, filled in batches, and an index beside.
LATER_MODEL = '    later_note = models.TextField(default="", db_default="", editable=False)\n'
LATER = {
    "plans/migrations/9001_later_note.py": """
from django.db import migrations, models
class Migration(migrations.Migration):
    dependencies = [("plans", "{plans}")]
    operations = [migrations.AddField("plan", "later_note", models.TextField(default="", db_default="", editable=False))]
""",
    "plans/migrations/9002_fill_later_note.py": """
from django.db import migrations
from django.db.models import F
from accounts.online import in_batches
class Migration(migrations.Migration):
    atomic = False
    dependencies = [("plans", "9001_later_note")]
    operations = [in_batches("plans", "Plan", lambda rows: rows.filter(later_note="").update(later_note=F("title")))]
""",
    "registrations/migrations/9001_later_index.py": """
from django.db import migrations, models
from accounts.online import AddIndexOnline
class Migration(migrations.Migration):
    atomic = False
    dependencies = [("registrations", "{registrations}")]
    operations = [AddIndexOnline("registration", models.Index(fields=["version", "id"], name="later_index"))]
""",
}
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


# The releases ---------------------------------------------------------------------------------------------------------


def later_release(folder: Path) -> Path:
    """A copy of this tree as a release to come has it."""
    for name in COPIED:
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy2(ROOT / "manage.py", folder)
    leaves = {app: newest_migration(app) for app in ("plans", "registrations")}
    for name, text in LATER.items():
        (folder / name).write_text(text.format(**leaves))
    models = folder / "plans" / "models.py"
    text, number = re.subn(
        r"(?m)^(class Plan\(.*\n(?:.*\n)*?)(    title = )", rf"\1{LATER_MODEL}\2", models.read_text()
    )
    if number != 1:
        raise SystemExit("plans/models.py has no Plan.title any more: say in bench/rolling.py where the column goes")
    models.write_text(text)
    return folder


def newest_migration(app: str) -> str:
    return max(path.stem for path in (ROOT / app / "migrations").glob("0*.py"))


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


# The proxy ------------------------------------------------------------------------------------------------------------


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


# The run --------------------------------------------------------------------------------------------------------------


def replace(replica: Replica, release: Path, proxy: Proxy, careless: bool) -> None:
    """Drain, end gracefully, start the other release, wait until it is ready, send people to it again."""
    if careless:
        replica.end(signal.SIGKILL)
        replica.start(release)
        return
    proxy.send_nobody_to(replica)
    replica.end(signal.SIGTERM)
    replica.start(release)
    proxy.send_nobody_to(None)


def run(load: Load, proxy: Proxy, releases: tuple[Path, Path], quiet: float, careless: bool) -> None:
    now, later = releases
    time.sleep(quiet)
    load.enter("migrate to the later release")
    migrate(later)
    for direction, release in (("upgrade", later), ("back", now)):
        for number, replica in enumerate(proxy.replicas, start=1):
            load.enter(f"{direction}: replica {number}")
            replace(replica, release, proxy, careless)
        load.enter(f"{direction}: done")
        time.sleep(quiet)


def migrate(release: Path) -> None:
    subprocess.run([sys.executable, "manage.py", "migrate", "--verbosity", "0"], cwd=release, check=True)  # noqa: S603


def people() -> list[tuple[str, str]]:
    """The address of a draft that can be submitted, and its owner's cookie, for each of them."""
    from django.conf import settings

    from tests import scenes
    from tests.deploy.people import key_of

    occupation = scenes.occupation(scenes.open_plan(), capacity=1000)
    found = []
    for _ in range(PEOPLE):
        owner = scenes.person()
        found.append(
            (scenes.draft(owner, occupation).get_absolute_url(), f"{settings.SESSION_COOKIE_NAME}={key_of(owner)}")
        )
    return found


def kept() -> Counter[str]:
    """Submissions by address of the registration, as the trail has them."""
    from registrations.models import ReviewEvent
    from registrations.workflow import Action

    events = ReviewEvent.objects.filter(action=Action.SUBMIT).select_related("registration")
    return Counter(event.registration.get_absolute_url() for event in events)


def free_ports(count: int) -> list[int]:
    held = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [listener.getsockname()[1] for listener in held]
    for listener in held:
        listener.close()
    return ports


def main(short: bool, careless: bool, say: Callable[[str], Any] = print) -> int:
    program = debian.provide(debian.NGINX)
    with ExitStack() as stack:
        place = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="portal-rolling-")))
        os.environ.update({**DEFAULTS, "DATABASE_URL": stack.enter_context(temporary_postgres())})
        os.environ.update({"DATA_DIR": f"{place}/data", "STATIC_ROOT": f"{place}/static", "ALLOWED_HOSTS": "localhost"})
        os.environ["DJANGO_SETTINGS_MODULE"] = "competition_portal.settings"
        import django
        from django.core.management import call_command
        from django.db import connection

        django.setup()
        call_command("migrate", verbosity=0)
        call_command("collectstatic", interactive=False, verbosity=0)
        somebody = people()
        connection.close()
        later = later_release(place / "later")
        port, *ports = free_ports(3)
        replicas = [Replica(number, place / f"replica-{number}.log") for number in ports]
        for replica in replicas:
            stack.callback(replica.end, signal.SIGKILL)
            replica.start(ROOT)
        proxy = Proxy(program, place, port, replicas)
        load = Load(port, somebody)
        with proxy.serving(), load.going_on():
            run(load, proxy, (ROOT, later), 1.0 if short else 10.0, careless)
        found = kept()
        connection.close()
    wrong = verdict(load.phases, load.acknowledged, found)
    say(table(load.phases))
    say(f"\n{load.acknowledged.total()} submissions acknowledged, {found.total()} in the trail.")
    say("\n".join(wrong) if wrong else "0 failed requests, nothing missing.")
    return 1 if wrong else 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--short", action="store_true", help="a second of quiet between the steps instead of ten")
    parser.add_argument("--careless", action="store_true", help="kill without draining, to see that it is seen")
    given = parser.parse_args()
    sys.exit(main(given.short, given.careless))
