"""Make the portal's demo ready in one process: tables, demonstration data, static files when one has changed."""

import hashlib
import os
from pathlib import Path

import django
from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command


def fingerprint() -> str:
    """Of every static file's path, size and time: collecting takes seconds, looking takes a moment."""
    digest = hashlib.sha256()
    for finder in get_finders():
        for name, storage in finder.list([]):
            facts = Path(storage.path(name)).stat()
            digest.update(f"{name} {facts.st_size} {facts.st_mtime_ns}\n".encode())
    return digest.hexdigest()


def collect_static() -> None:
    stamp = Path(settings.DATA_DIR) / "static.stamp"
    current = fingerprint()
    if stamp.exists() and stamp.read_text() == current:
        return
    stamp.unlink(missing_ok=True)
    call_command("collectstatic", interactive=False, clear=True, verbosity=0)
    stamp.write_text(current)


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "competition_portal.settings")
    django.setup()
    call_command("migrate", interactive=False, verbosity=0)
    call_command("demo")
    collect_static()


if __name__ == "__main__":
    main()
