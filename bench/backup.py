"""Measure backup and restore: `python -m bench.backup 100000 10000` prints seconds, megabytes and the greatest memory of each.

Registrations (with an account and a trail line each) and photos of 40 KB, on a throw-away PostgreSQL and in a local folder; then the two
commands as an operator runs them, the second one into a database without tables and an empty folder.
"""

import base64
import os
import secrets
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench.queue import seed
from scripts.children import ROOT
from scripts.postgres import temporary_postgres
from tests.environment import DEFAULTS

PHOTO_BYTES = 40_000
BATCH = 1_000


def add_trail() -> None:
    """A line for each registration, by the road of bulk: what a real portal has most of."""
    from registrations.models import Registration
    from registrations.trail import ReviewEvent

    found = Registration.objects.values_list("pk", "applicant_id").iterator()
    lines = [
        ReviewEvent(registration_id=pk, by_id=by, action="submit", before="draft", after="submitted")
        for pk, by in found
    ]
    ReviewEvent.objects.bulk_create(lines, batch_size=BATCH)


def add_photos(number: int, folder: Path) -> None:
    from accounts.models import User
    from photos.models import Portrait

    owner = User.objects.order_by("pk").first()
    (folder / "portraits/2026").mkdir(parents=True)
    rows = []
    for each in range(number):
        name = f"portraits/2026/{each:08}.jpg"
        (folder / name).write_bytes(secrets.token_bytes(PHOTO_BYTES))
        rows.append(
            Portrait(
                owner=owner,
                file=name,
                sha256="",
                width=295,
                height=413,
                box_left=0,
                box_top=0,
                box_width=1,
                box_height=1,
            )
        )
    Portrait.objects.bulk_create(rows, batch_size=BATCH)


def measured(command: list[str], environment: dict[str, str]) -> tuple[float, float]:
    """Seconds, and the greatest resident size of the process in megabytes (never less than this one's own)."""
    began = time.perf_counter()
    with tempfile.TemporaryFile("w+") as said:
        child = subprocess.Popen(  # noqa: S603  (our own commands)
            [sys.executable, *command], cwd=ROOT, env=environment, stdout=said, stderr=said
        )
        _, status, used = os.wait4(child.pid, 0)
        if os.waitstatus_to_exitcode(status):
            said.seek(0)
            raise SystemExit(f"{command}\n{said.read()}")
    return time.perf_counter() - began, used.ru_maxrss / 1024


def fill(registrations: int, photos: int) -> None:
    """In a process of its own: what it needs would be counted as a command's."""
    import django
    from django.core.management import call_command
    from django.db import connection

    django.setup()
    call_command("migrate", verbosity=0)
    seed(registrations)
    add_trail()
    add_photos(photos, Path(os.environ["DATA_DIR"]) / "private")
    with connection.cursor() as cursor:
        cursor.execute("CREATE DATABASE restored")


def main(numbers: list[str], folder: Path) -> None:
    measured(["-m", "bench.backup", "fill", *numbers], {**os.environ, "DJANGO_SETTINGS_MODULE": "tests.settings"})
    backup, here = str(folder / "one.backup"), dict(os.environ)
    report("idle (migrate --check)", *measured(["manage.py", "migrate", "--check"], here))
    report("backup", *measured(["manage.py", "backup", "--output", backup], here))
    print(f"file: {Path(backup).stat().st_size / 1e6:,.0f} MB")
    report("restore --verify", *measured(["manage.py", "restore", "--verify", backup], here))
    url, data = here["DATABASE_URL"].removesuffix("postgres") + "restored", str(folder / "elsewhere")
    elsewhere = {**here, "DATABASE_URL": url, "DATA_DIR": data}
    report("migrate", *measured(["manage.py", "migrate"], elsewhere))
    report("restore", *measured(["manage.py", "restore", backup], elsewhere))


def report(what: str, seconds: float, megabytes: float) -> None:
    print(f"{what}: {seconds:.1f} s, {megabytes:.0f} MB at most", flush=True)


if __name__ == "__main__":
    if sys.argv[1:2] == ["fill"]:
        fill(int(sys.argv[2]), int(sys.argv[3]))
        sys.exit()
    key = base64.b64encode(secrets.token_bytes(32)).decode()
    with tempfile.TemporaryDirectory(prefix="portal-bench-") as temporary, temporary_postgres() as address:
        os.environ.update({**DEFAULTS, "DATA_DIR": temporary, "DATABASE_URL": address})
        os.environ.update({"STATIC_ROOT": temporary + "/static", "BACKUP_KEYS": f"b1:{key}"})
        main(sys.argv[1:] or ["100000", "10000"], Path(temporary))
