"""Measure the queue: `python -m bench.queue` prints time and queries with 1,000 and 100,000 registrations in a plan.

On a throw-away SQLite; `python -m bench.queue postgresql` on a throw-away PostgreSQL.
"""

import itertools
import os
import random
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import timedelta
from typing import Any

from scripts.postgres import temporary_postgres
from tests.environment import DEFAULTS

SIZES = (1_000, 100_000)
BATCH = 1_000
RUNS = 15
STATUSES = ["submitted"] * 60 + ["approved"] * 20 + ["returned"] * 10 + ["rejected"] * 5 + ["withdrawn"] * 5
NAMES = ["王伟", "李娜", "张敏", "刘洋", "陈静", "杨磊", "赵强", "黄丽", "周涛", "吴霞"]


def seed(rows: int) -> Any:
    """A plan of twenty-one occupations with so many registrations, each of an account of its own."""
    from plans.models import Division
    from registrations.recount import differences
    from tests import scenes

    plan, divisions = scenes.open_plan(), itertools.cycle([Division.WORKER, Division.STUDENT])
    occupations = [scenes.occupation(plan, division=next(divisions), capacity=None) for _ in range(20)]
    # One division comes late and is small: its few are at the very end of the queue.
    late = scenes.occupation(plan, name="最后一天才开的", division=Division.TEACHER, capacity=None)
    owner = scenes.person()
    wanted = iter(range(rows))
    while batch := list(itertools.islice(wanted, BATCH)):
        write(plan, owner, [late if number > rows * 0.99 else occupations[number % 20] for number in batch], batch)
    differences(plan, mend=True)
    return plan


def write(plan: Any, owner: Any, occupations: list[Any], numbers: list[int]) -> None:
    from django.utils import timezone

    from accounts.models import User
    from registrations.models import Registration
    from tests import scenes

    chance, now = random.Random(numbers[0]), timezone.now()  # noqa: S311  (the same rows at each run, no secret)
    users = User.objects.bulk_create(User(username=f"bench-{plan.pk}-{number}") for number in numbers)
    found = [
        Registration(
            applicant=user, plan=plan, occupation=occupation, reference=f"B{plan.pk}-{number}",
            status=chance.choice(STATUSES), submitted_at=now - timedelta(seconds=30 * (200_000 - number)), **scenes.COMPLETE,
        )
        for user, occupation, number in zip(users, occupations, numbers, strict=True)
    ]  # fmt: skip
    for registration in found:
        owner.identity.copy_document_to(registration)
        registration.legal_name = chance.choice(NAMES) + str(chance.randrange(1000))
    Registration.objects.bulk_create(found)


def questions(plan: Any) -> Iterator[tuple[str, str, dict[str, str] | None]]:
    """What is asked: a name for it, the query, and what is posted."""
    from registrations.models import Registration
    from registrations.position import Position

    first = plan.occupations.first()
    waiting = plan.registrations.filter(status="submitted").order_by("submitted_at", "pk")
    middle = Position.of(waiting[waiting.count() // 2])
    somebody = Registration.objects.filter(plan=plan).order_by("pk")[0]
    yield "待审核，第一页", "status=submitted", None
    yield "待审核，中间一页", f"status=submitted&after={middle}", None
    yield "待审核，最新在前", "status=submitted&order=newest", None
    yield "全部，第一页", "status=all", None
    yield "一个职业", f"status=submitted&occupation={first.pk}", None
    yield "一个组别", "status=submitted&division=student", None
    yield "一个组别，人少，都在最后", "status=submitted&division=teacher", None
    yield "没有人的一个状态和组别", f"status=withdrawn&occupation={plan.occupations.last().pk}", None
    yield "查找姓名", "", {"looked_for": somebody.legal_name}
    yield "查找证件号码", "", {"looked_for": somebody.document_number}


def ask(visitor: Any, page: str, query: str, posted: dict[str, str] | None) -> tuple[float, float, int]:
    """Milliseconds of this process's CPU, milliseconds in the database, number of queries."""
    from django.core.cache import cache
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    cache.clear()  # searching has a limit
    with CaptureQueriesContext(connection) as captured:
        began = time.process_time()
        answer = visitor.get(f"{page}?{query}") if posted is None else visitor.post(page, posted)
        took = time.process_time() - began
    if answer.status_code != 200:
        raise SystemExit(f"{page}?{query}: {answer.status_code}")
    asked = [found for found in captured if "shared_cache" not in found["sql"]]
    return took * 1000, sum(float(found["time"]) for found in asked) * 1000, len(asked)


def main() -> None:
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0)
    call_command("createcachetable", verbosity=0)
    call_command("collectstatic", interactive=False, verbosity=0)
    from django.db import connection
    from django.test import Client

    from tests import scenes

    print(f"{connection.vendor}: CPU ms for the page (ms in the database; queries), the best of {RUNS} runs")
    for size in SIZES:
        began = time.perf_counter()
        plan = seed(size)
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")
        print(f"\n{size:,} registrations, seeded in {time.perf_counter() - began:.0f} s")
        visitor = Client()
        visitor.force_login(scenes.member(plan, "manager"), backend="accounts.oidc.PlatformBackend")
        page = f"/admin/registrations/registration/queue/{plan.code}/"
        for name, query, posted in questions(plan):
            runs = [ask(visitor, page, query, posted) for _ in range(RUNS)]
            whole, database = (min(run[place] for run in runs) for place in (0, 1))
            print(f"  {name}: {whole:.0f} ({database:.1f}; {runs[-1][2]})")


if __name__ == "__main__":
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="portal-bench-"))
        url = stack.enter_context(temporary_postgres()) if sys.argv[1:] == ["postgresql"] else ""
        os.environ.update({**DEFAULTS, "DATA_DIR": folder, "DJANGO_SETTINGS_MODULE": "tests.settings"})
        os.environ.update({"DATABASE_URL": url, "STATIC_ROOT": folder + "/static"})
        main()
