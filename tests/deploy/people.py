"""Fills the database of a portal that runs by itself: two people and a plan; says who is signed in by which key."""

import json
import os
from typing import Any

PLAN = "2026 年北京市职业技能大赛"


def main() -> None:
    """In a process of its own, with that portal's environment: a database with its tables is all there has to be."""
    import django

    django.setup()
    from tests import scenes

    keys = {name: key_of(scenes.person(name)) for name in ("王晓明", "李芳")}
    scenes.occupation(scenes.open_plan(title=PLAN), name="数控车工")
    print(json.dumps(keys))


def key_of(person: Any) -> str:
    """The key of a new session in which this person is signed in."""
    from django.conf import settings
    from django.test import Client

    client = Client()
    client.force_login(person, backend="accounts.oidc.PlatformBackend")
    return client.cookies[settings.SESSION_COOKIE_NAME].value


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "competition_portal.settings")
    main()
