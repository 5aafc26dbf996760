"""Fills the database of a portal that runs by itself with a crowd: some who submit, some whom a committee decides upon.

Says on its output who is signed in by which key with which registration, and the committee's job that waits for a worker.
"""

import json
import os

APPLICANTS = 6
DECIDED_UPON = 25  # more than are decided while the committee waits


def main() -> None:
    import django

    django.setup()
    from django.test import Client

    from registrations.workflow import Status
    from tests import scenes
    from tests.deploy.people import PLAN, key_of
    from tests.registrations.test_bulk import asked, confirmed

    plan = scenes.open_plan(title=PLAN)
    occupation = scenes.occupation(plan, name="数控车工", capacity=None)
    people = [scenes.person() for _ in range(APPLICANTS)]
    drafts = [[key_of(person), scenes.draft(person, occupation).reference] for person in people]
    manager = scenes.member(plan, "manager")
    others = [
        scenes.registration_at(Status.SUBMITTED, scenes.person(), occupation, manager) for _ in range(DECIDED_UPON)
    ]
    visitor = Client()
    visitor.force_login(manager, backend="accounts.oidc.PlatformBackend")
    job = confirmed(visitor, *asked(visitor, plan, others))
    print(json.dumps({"drafts": drafts, "job": str(job.pk), "state": job.state, "plan": plan.code}))


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "competition_portal.settings")
    main()
