"""Measure what each step costs a server that runs as in production: `python -m bench.load --help`.

PostgreSQL, Redis and gunicorn on loopback, people of a seeded database at browsers of their own. CPU is the operating system's
account of the servers' processes, so the bench itself is not in it. The yardstick is asked in the same run, before and
after the rest.
"""

import argparse
import os
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

from bench import cast, plot, promises, table
from bench.measure import Run, measure
from bench.platform import Platform, running_platform
from bench.server import Server, served
from bench.stack import child_of_ours
from bench.steps import scenario
from scripts import debian
from scripts.postgres import temporary_postgres
from tests.deploy import sites
from tests.environment import DEFAULTS
from tests.sandbox import CLIENT_SECRET

HERE = Path(__file__).resolve().parent
SIZES = (1_000, 10_000, 100_000, 1_000_000)
SHORT = (1_000, 48)  # registrations and requests that are enough to see a promise broken
BEGIN, END = "<!-- figures of bench.load -->\n", "<!-- end of the figures -->\n"


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.load", description=__doc__.splitlines()[0])
    parser.add_argument("registrations", nargs="?", type=int, default=10_000)
    parser.add_argument("requests", nargs="?", type=int, default=200, help="answers of each step")
    kind = parser.add_mutually_exclusive_group()
    kind.add_argument("--growth", action="store_true", help=f"at {', '.join(f'{size:,}' for size in SIZES)} in turn")
    kind.add_argument("--short", action="store_true", help="few of all, and exit code 1 where a promise is broken")
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES, help="of --growth, other ones")
    parser.add_argument("--readme", action="store_true", help="write the figures into bench/README.md as well")
    return parser.parse_args()


def prepare(folder: Path, database_url: str, platform: Platform) -> None:
    """The environment of the portal, here and in the server's processes, and an empty database."""
    os.environ.update({**DEFAULTS, **platform.settings(), "OIDC_RP_CLIENT_SECRET": CLIENT_SECRET})
    os.environ.update({"DATA_DIR": str(folder), "STATIC_ROOT": f"{folder}/static", "DATABASE_URL": database_url})
    os.environ["DJANGO_SETTINGS_MODULE"] = "bench.load_settings"
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0)
    call_command("collectstatic", interactive=False, verbosity=0)


def fill(rows: int) -> None:
    """Up to so many registrations, and the database as a quiet night leaves it."""
    from django.db import connection

    from registrations.management.commands.seed import processes_for
    from registrations.models import Registration
    from registrations.seeding import make

    began, missing = time.monotonic(), rows - Registration.objects.count()
    if missing > 0:
        make.seed(missing, photos=50, processes=processes_for(missing), progress=lambda made: None)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
        cursor.execute("CHECKPOINT")
    say(f"{rows:,} registrations, {max(0, missing):,} of them seeded in {time.monotonic() - began:.0f} s")


def say(words: str) -> None:
    """To whoever waits; what is printed is Markdown alone."""
    print(words, file=sys.stderr, flush=True)


def run(server: Server, platform: Platform, rows: int, requests: int) -> Run:
    from django.db import connection

    fill(rows)
    people = cast.find(server.origin, requests)
    connection.close()
    found = measure(rows, server, scenario(people, platform, requests))
    for problem in found.problems[:20]:
        say(f"error: {problem}")
    return found


def figures(runs: list[Run], requests: int) -> str:
    """The Markdown."""
    parts = [f"Last figures: {table.machine()} About {requests} answers of each step.", table.table(runs[-1])]
    if len(runs) > 1:
        parts += [table.growth(runs), "![growth](growth.svg)"]
    return "\n\n".join(parts) + "\n"


def keep(markdown: str, runs: list[Run]) -> None:
    readme = HERE / "README.md"
    before, _, rest = readme.read_text().partition(BEGIN)
    readme.write_text(f"{before}{BEGIN}\n{markdown}\n{END}{rest.partition(END)[2]}")
    if len(runs) > 1:
        drawn = plot.svg([run.rows for run in runs], list(promises.grown(runs)), promises.GROWTH)
        (HERE / "growth.svg").write_text(drawn)


def main(asked: argparse.Namespace) -> int:
    sizes = asked.sizes if asked.growth else [asked.registrations]
    requests = asked.requests
    if asked.short:
        sizes, requests = [SHORT[0]], SHORT[1]
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="portal-bench-")))
        database_url = stack.enter_context(temporary_postgres())
        platform = stack.enter_context(running_platform())
        os.environ["CACHE_URL"] = stack.enter_context(sites.redis(debian.provide(debian.REDIS), folder))
        prepare(folder, database_url, platform)
        server = stack.enter_context(served(folder, database_url, child_of_ours("redis-server")))
        runs = [run(server, platform, size, requests) for size in sizes]
    print(figures(runs, requests))
    if asked.readme:
        keep(figures(runs, requests), runs)
    wrong = promises.broken(runs[-1]) if asked.short else [problem for each in runs for problem in each.problems]
    for sentence in wrong:
        say(sentence)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(arguments()))
