"""Somebody of plan B goes everywhere in the admin, asks for everything of A's by its address, and sends forged forms.

Nothing here names a page: the addresses come from the URLconf, the forms from the pages.
"""

import itertools
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urljoin, urlsplit

from django.db import connection, transaction
from django.test import Client
from django.urls import get_resolver, resolve

from registrations.decisions import DecisionForm
from tests.isolation.canaries import Canaries, Fingerprint
from tests.isolation.reader import Form, PageReader
from tests.isolation.two_plans import TwoPlans
from tests.test_access_matrix import addresses

ADMIN = "/admin/"
MOST_OF_A_KIND = 12
PLACEHOLDER = re.compile(r"<(?:(\w+):)?(\w+)>")
# Words that stand for a kind of page rather than for a row.
WORDS = ["person", "account"]
PARAMETERS = [
    *(
        "plan",
        "plan__exact",
        "plan__id__exact",
        "occupation",
        "applicant",
        "registration",
        "user",
        "pk",
        "id",
        "id__in",
    ),
    *("code", "reference", "next", "job", "filter", "after", "before", "_to_field", "_changelist_filters"),
]
WRITES = re.compile(r"\s*(INSERT|UPDATE|DELETE)", re.IGNORECASE)
# Which only say that somebody was there, or count how often.
OUR_OWN = re.compile(r'"?(accounts_auditentry|django_session|shared_cache)"?')


@dataclass(frozen=True)
class Finding:
    what: str  # a method and an address, or what was sent where
    found: tuple[str, ...]


class Visitor:
    """One member of B's committee. Every request is undone, so that each meets the same state."""

    def __init__(self, scene: TwoPlans, canaries: Canaries, role: str) -> None:
        self.scene, self.canaries = scene, canaries
        self.client = Client(raise_request_exception=False)
        self.client.force_login(scene.b.people[role], backend="accounts.oidc.PlatformBackend")
        self.fingerprint = Fingerprint(scene)
        self.pages: dict[str, PageReader] = {}
        self.asked: set[str] = {ADMIN}
        self.kinds: Counter[str] = Counter()
        self.answers = 0

    def ask(self, method: str, address: str, data: dict[str, Any] | None = None) -> Iterator[Finding]:
        """What of A an answer says; for what was sent, also what of A it has changed."""
        wrote: list[str] = []

        def watch(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
            if WRITES.match(sql) and not OUR_OWN.search(sql.split("(")[0]):
                wrote.append(sql)
            return execute(sql, params, many, context)

        sent = f"{address} {data}"
        with transaction.atomic():
            with connection.execute_wrapper(watch):
                answer = self.client.generic(method, address) if data is None else self.client.post(address, data)
                found = self.canaries.found_in(answer, sent)
            changed = self.fingerprint.changed() if wrote else []
            transaction.set_rollback(True)
        self.answers += 1
        if answer.status_code >= 500:
            changed.append(f"answered {answer.status_code}")
        if method == "GET":
            self.read(address, answer)
        if found or changed:
            yield Finding(f"{method} {sent}", (*found, *changed))

    def read(self, address: str, answer: Any) -> None:
        if answer.status_code == 200 and answer.headers.get("Content-Type", "").startswith("text/html"):
            self.pages[address] = PageReader(answer.content.decode())
        elif target := answer.headers.get("Location"):
            self.pages[address] = PageReader(f'<a href="{target}"></a>')

    # Everywhere --------------------------------------------------------------------------------------------------------

    def crawl(self) -> Iterator[Finding]:
        yield from self.follow()
        for address in self.by_address():
            yield from self.ask("GET", address)
        yield from self.follow()  # where the pages that were found by their addresses lead
        yield from self.with_parameters()

    def follow(self) -> Iterator[Finding]:
        """Where links lead: of each kind of page a few, since the filters of a list can be combined without end."""
        waiting = [ADMIN, *self.pages]
        while waiting:
            address = waiting.pop(0)
            if address not in self.pages:
                yield from self.ask("GET", address)
            links = self.pages[address].links if address in self.pages else []
            waiting += [target for target in (urljoin(address, link) for link in links) if self.is_new(target)]

    def is_new(self, target: str) -> bool:
        if not target.startswith(ADMIN) or target in self.asked or "#" in target or "logout" in target:
            return False
        kind = resolve(urlsplit(target).path).view_name
        self.asked.add(target)
        self.kinds[kind] += 1
        return self.kinds[kind] <= MOST_OF_A_KIND

    def by_address(self) -> Iterator[str]:
        """Every address of the admin, with A's keys and B's in all its places."""
        for name, route in addresses(get_resolver()):
            if name.startswith("admin") and name != "admin:logout":
                yield from filled(route, self.scene)

    def with_parameters(self) -> Iterator[Finding]:
        """What a page says when its address asks for something of A: each kind of page once."""
        kinds: dict[str, str] = {}
        for address in self.pages:
            kinds.setdefault(resolve(urlsplit(address).path).view_name, urlsplit(address).path)
        for name, address in kinds.items():
            parameters = self.parameters_of(address)
            if not name.endswith(
                "changelist"
            ):  # one of Django's lists refuses the whole address for one it does not know
                for value in self.values():
                    yield from self.ask("GET", f"{address}?{urlencode(dict.fromkeys(parameters, value))}")
                continue
            for parameter, value in itertools.product(parameters, self.values()[:2]):
                yield from self.ask("GET", f"{address}?{urlencode({parameter: value})}")
            for query in ("all=", "e=1", "o=1.2", "_popup=1", "_facets=True", "p=1"):
                yield from self.ask("GET", f"{address}?{query}")

    def parameters_of(self, address: str) -> list[str]:
        forms = self.pages[address].forms if address in self.pages else []
        offered = [name for form in forms if form.method == "get" for name in form.values]
        return list(dict.fromkeys([*PARAMETERS, *offered, "q"]))

    def values(self) -> list[Any]:
        a = self.scene.a
        return [a.plan.pk, a.shared.reference, a.plan.code, a.shared.pk]

    # Forged --------------------------------------------------------------------------------------------------------

    def forge(self) -> Iterator[Finding]:
        """Every address with everything that could mean A; every form of B's own pages with A's keys in its fields."""
        list(self.follow())
        for address in self.by_address():
            yield from self.ask("POST", address, fat(self.scene))
        for address, form in self.forms():
            target = urljoin(address, form.action) if form.action else address
            for payload in variants(form, self.scene):
                yield from self.ask("POST", target, payload)

    def forms(self) -> Iterator[tuple[str, Form]]:
        """Each kind of form once: two registrations have the same."""
        seen = set()
        for address, page in list(self.pages.items()):
            for form in page.forms:
                target = urlsplit(urljoin(address, form.action)).path
                kind = (resolve(target).view_name, frozenset(re.sub(r"\d+", "#", name) for name in form.values))
                if form.method == "post" and target.startswith(ADMIN) and kind not in seen:
                    seen.add(kind)
                    yield address, form


# What stands in an address ------------------------------------------------------------------------------------------


def filled(route: str, scene: TwoPlans) -> Iterator[str]:
    route = re.sub(r"\(\?P<app_label>([^|)]+)[^)]*\)", r"\1", route.replace("(?P<url>.*)$", "nothing/"))
    route = "/" + route.replace("^", "").removesuffix("$")
    kinds = [kind or "str" for kind, _ in PLACEHOLDER.findall(route)]
    for values in itertools.product(*(candidates(kind, scene, alone=len(kinds) == 1) for kind in kinds)):
        given = iter(values)
        yield PLACEHOLDER.sub(lambda _, given=given: str(next(given)), route)


def candidates(kind: str, scene: TwoPlans, alone: bool) -> list[Any]:
    """For a number: keys of A's rows of every table, and some of B's. For a word: codes, references, tokens."""
    keys = [key for found in scene.keys().values() for key in found]
    b = scene.b
    if kind in {"int", "path"}:
        own = [b.plan.pk, b.shared.pk, b.invitation.pk, b.plan.members.get(user=b.people["viewer"]).pk]
        return list(dict.fromkeys([key for key in keys if isinstance(key, int)] + own))
    if kind == "uuid":
        return [key for key in keys if len(str(key)) == 36]
    codes = [scene.a.plan.code, b.plan.code]
    return [*codes, scene.a.shared.reference, scene.a.token, *WORDS] if alone else codes + WORDS


# What is sent -------------------------------------------------------------------------------------------------------


def fat(scene: TwoPlans) -> dict[str, Any]:
    """One form with a field for whatever a page may read, all of it A's.

    But no account code: only its owner hands it over, and the page that asks 是不是这个人 answers it with the name.
    """
    a = scene.a
    sent = [each.pk for each in a.registrations.values()]
    return {
        "plan": a.plan.pk, "plan_id": a.plan.pk, "code": a.plan.code, "registration": a.shared.pk, "pk": a.shared.pk,
        "occupation": a.occupation.pk, "user": a.people["viewer"].pk,
        "reference": a.shared.reference, "q": a.shared.reference, "search": a.shared.legal_name,
        "_selected_action": sent, "selected": sent, "everything": "1", "select_across": "1",
        "filter": f"plan={a.plan.pk}", "versions": DecisionForm.seal([*a.registrations.values(), a.shared]),
        "note": "伪造的原因", "reason": "伪造的原因", "role": "manager", "post": "yes", "action": "approve", "confirm": "on", "format": "csv",
        "place_reference": "1", "place_legal_name": "2", "status": "", "division": "",
    }  # fmt: skip


def variants(form: Form, scene: TwoPlans) -> Iterator[dict[str, Any]]:
    """The form as it stands but for one field; with each of its choices; with rows of A's among its rows."""
    a = scene.a
    keys = [a.plan.pk, a.shared.pk]
    values = {name: value for name, value in form.values.items() if name != "csrfmiddlewaretoken"}
    yield values
    for name in values:
        if name in form.typed and not re.search(r"id|plan|code|pk|user|account|reference|name|q$", name):
            continue
        for key in keys:
            yield {**values, name: key}
    chosen = [registration.pk for registration in a.registrations.values()]
    for name, options in form.options.items():
        for option in options:
            yield {**values, name: option, "_selected_action": [*chosen, a.plan.pk], "select_across": "1"}
    for name in values:
        if name.endswith("-TOTAL_FORMS"):
            yield from rows(name.removesuffix("-TOTAL_FORMS"), values, scene)


def rows(prefix: str, values: dict[str, Any], scene: TwoPlans) -> Iterator[dict[str, Any]]:
    """A row that is A's among those of B's, to be changed, deleted or moved here; a new one for A; B's own moved to A."""
    total, first = int(values[f"{prefix}-TOTAL_FORMS"]), int(values.get(f"{prefix}-INITIAL_FORMS") or 0)
    b, a = scene.b.plan.pk, scene.a
    named = {"name": "伪造", "title": "伪造", "division": "worker", "capacity": "1", "role": "manager"}
    for key in (a.occupation.pk, a.attachment.pk, a.plan.members.first().pk, a.shared.pk):  # type: ignore[union-attr]
        for plan, more in itertools.product((a.plan.pk, b), ({}, {"DELETE": "on"})):
            row = {f"{prefix}-0-{name}": value for name, value in {**named, "id": key, "plan": plan, **more}.items()}
            counts = {f"{prefix}-TOTAL_FORMS": max(total, 1), f"{prefix}-INITIAL_FORMS": max(first, 1)}
            yield {**values, **row, **counts}
    new = {f"{prefix}-{total}-{name}": value for name, value in {**named, "plan": a.plan.pk, "id": ""}.items()}
    yield {**values, **new, f"{prefix}-TOTAL_FORMS": total + 1}
    yield {**values, **{f"{prefix}-{index}-plan": a.plan.pk for index in range(total)}, "plan": a.plan.pk}
