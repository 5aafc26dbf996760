"""An upgrade under load, and its reverse: `python -m bench.rolling [--short] [--careless]`.

Two replicas behind nginx, people who look and people who submit. A later release is migrated to beside them, then takes the
place of one replica after the other; then the release of before comes back, on the tables of the later one. Not one request
may fail and not one acknowledged submission be missing: else it ends with 1. `--careless` kills without draining, and sees it.
"""

import argparse
import os
import signal
import socket
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from bench.releases import ROOT, later_release, migrate
from bench.replicas import Proxy, Replica
from bench.visitors import Load, table, verdict
from scripts import debian
from scripts.postgres import temporary_postgres
from tests.environment import DEFAULTS

PEOPLE = 16


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
