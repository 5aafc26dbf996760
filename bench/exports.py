"""Measure an export as the worker does it: `python -m bench.exports 100000 xlsx` prints seconds and peak memory.

On a throw-away SQLite.
"""

import itertools
import os
import resource
import sys
import tempfile
import time
from typing import Any

from tests.environment import DEFAULTS


def seed(rows: int) -> Any:
    """A plan with this many submitted registrations of one person, made in batches, so that the seed is no peak."""
    from django.db import connection
    from django.utils import timezone

    from registrations.models import Registration
    from tests import scenes

    plan, owner = scenes.open_plan(), scenes.person()
    occupation = scenes.occupation(plan, capacity=None)
    with connection.cursor() as cursor:
        cursor.execute("DROP INDEX one_live_registration_per_plan")
    wanted = iter(range(rows))
    while batch := list(itertools.islice(wanted, 1000)):
        found = [
            Registration(
                applicant=owner, plan=plan, occupation=occupation, reference=f"BENCH-{number}",
                status="submitted", submitted_at=timezone.now(), **scenes.COMPLETE,
            )
            for number in batch
        ]  # fmt: skip
        for registration in found:
            owner.identity.copy_document_to(registration)
        Registration.objects.bulk_create(found)
    return plan


def peak() -> float:
    """Megabytes of this process so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main(rows: int, kind: str) -> None:
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0)
    from registrations import export_jobs, jobs
    from registrations.columns import COLUMNS
    from registrations.exports import Narrowing
    from tests import scenes

    plan = seed(rows)
    asked = {"narrowing": Narrowing().kept(), "reason": "", "back": "", "format": kind, "columns": list(COLUMNS)}
    job, _ = export_jobs.ask(scenes.member(plan, "reviewer"), plan, "bench", "list", asked)
    job.move(jobs.State.ASKED, to=jobs.State.WAITING)
    before, began = peak(), time.perf_counter()
    jobs.run(job)
    took, written = time.perf_counter() - began, job.done
    size = job.files.get().size / 1024 / 1024
    print(
        f"{kind}: {written} rows, {took:.1f} s, {size:.1f} MB, peak {peak():.0f} MB (before the export {before:.0f} MB)"
    )


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="portal-bench-") as folder:
        os.environ.update({**DEFAULTS, "DATA_DIR": folder, "DJANGO_SETTINGS_MODULE": "competition_portal.settings"})
        os.environ["DATABASE_URL"] = ""
        main(int(sys.argv[1]), sys.argv[2])
