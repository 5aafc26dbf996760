"""Who gets what at every address: generated from the URLconf, so that an address without a rule fails."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.core.files.base import ContentFile
from django.db import transaction
from django.http import HttpResponse
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, resolve

from accounts.audit import record
from accounts.erasure import remove_lines
from accounts.models import Consent
from plans import members
from plans.models import Attachment
from registrations import bulk, notifications
from registrations.messages import Kind
from registrations.models import Registration
from registrations.workflow import Action, Status
from tests import scenes

METHODS = ["get", "head", "post"]
ROLES = [
    *("anonymous", "unconfirmed", "not consented", "owner", "other applicant"),
    *("viewer", "reviewer", "manager", "other viewer", "other reviewer", "other manager"),
    *("staff", "auditor", "superuser"),
]


# The addresses ------------------------------------------------------------------------------------------------------


def addresses(resolver: URLResolver, namespaces: tuple[str, ...] = (), route: str = "") -> Iterator[tuple[str, str]]:
    """(name, route) of every pattern; one without a name goes by its route."""
    for entry in resolver.url_patterns:
        whole = route + str(entry.pattern)
        if isinstance(entry, URLPattern):
            yield ":".join([*namespaces, entry.name]) if entry.name else whole, whole
        else:
            yield from addresses(entry, (*namespaces, entry.namespace) if entry.namespace else namespaces, whole)


ADDRESSES = dict(addresses(get_resolver()))


# The scene ----------------------------------------------------------------------------------------------------------


def without_consent() -> Any:
    """Somebody who is confirmed, but has agreed to a former notice only."""
    person = scenes.person("郑新")
    remove_lines(Consent.objects.filter(user=person))
    return person


class Scene:
    """A plan with its committee, another plan's, somebody's draft and somebody's submitted registration in it, and all the roles."""

    def __init__(self) -> None:
        self.plan = scenes.open_plan()
        self.people: dict[str, Any] = {
            role: scenes.member(self.plan, role) for role in ("viewer", "reviewer", "manager")
        }
        occupation = scenes.occupation(self.plan)
        elsewhere = scenes.open_plan()
        self.people |= {f"other {role}": scenes.member(elsewhere, role) for role in ("viewer", "reviewer", "manager")}
        self.people |= {
            "anonymous": None,
            "unconfirmed": scenes.account(),
            "not consented": without_consent(),
            "owner": scenes.person("王晓明"),
            "other applicant": scenes.person("李芳"),
            "staff": scenes.person("赵运"),
            "auditor": scenes.person("吴审"),
            "superuser": scenes.person("钱管"),
        }
        for role in ("staff", "superuser"):
            self.people[role].is_staff = True
            self.people[role].is_superuser = role == "superuser"
            self.people[role].save()
        self.people["auditor"].is_auditor = True
        self.people["auditor"].save()
        self.draft = scenes.draft(self.people["owner"], occupation)
        notifications.put(self.draft, Kind.DRAFT_DUE, "draft_due", {"hours": 24})
        boss = self.people["manager"]
        self.submitted = self.submitted_again(scenes.person("孙三"), occupation, boss)
        chosen = Registration.objects.filter(pk=self.submitted.pk)
        self.job = bulk.ask(self.people["reviewer"], self.plan, Action.APPROVE, chosen, "/admin/")
        self.membership = self.plan.members.get(user=self.people["viewer"])
        self.invitation, self.token = members.invite(self.plan, "viewer", boss)
        self.attachment = Attachment(plan=self.plan, title="规程.txt")
        self.attachment.file.save("rules.txt", ContentFile(b"..."))
        self.objects = {
            "accounts/user": boss,
            "accounts/auditentry": record(boss, "login"),
            "plans/plan": self.plan,
            "registrations/registration": self.submitted,
        }

    @staticmethod
    def submitted_again(user: Any, occupation: Any, boss: Any) -> Any:
        """Sent back once, so that there is a photo that was sent back."""
        returned = scenes.registration_at(Status.RETURNED, user, occupation, boss)
        returned.set_portrait(scenes.portrait_of(user, "#dfe9f5"))
        return scenes.take(returned, Action.SUBMIT, user)

    def address(self, route: str) -> str:
        """A route with everything filled in; the draft is the owner's, the desk's object is in the plan."""
        model = "/".join(route.split("/")[1:3])
        values = {
            "<slug:code>": self.plan.code,
            "<slug:reference>": self.draft.reference,
            "<uuid:public_id>": str(self.job.public_id),
            "<int:message>": str(self.draft.messages.get().pk),
            "<uuid:upload>": str(self.draft.portrait.upload_id),
            "<uuid:portrait>": str(self.draft.portrait_id),
            "attachments/<int:pk>": f"attachments/{self.attachment.pk}",
            "members/<int:pk>": f"members/{self.membership.pk}",
            "invitations/<int:pk>": f"invitations/{self.invitation.pk}",
            "<slug:way>": "person",
            "<str:token>": self.token,
            "<int:pk>": str(self.submitted.pk),
            "<path:object_id>": str(self.objects[model].pk) if model in self.objects else "",
            "^(?P<app_label>accounts|plans|registrations)/$": "plans/",
            "(?P<url>.*)$": "nothing/here/",
        }
        for placeholder, value in values.items():
            route = route.replace(placeholder, value)
        assert not set("<>^$") & set(route), f"say in values what stands for the rest of {route}"
        return f"/{route}"

    def client(self, role: str) -> Client:
        client = Client()
        if self.people[role]:
            client.force_login(self.people[role], backend="accounts.oidc.PlatformBackend")
        return client


def outcome(response: HttpResponse) -> str:
    """A status, or for a redirect the name of the page that it leads to."""
    if response.status_code != 302:
        return str(response.status_code)
    target = response.headers["Location"]
    if target.startswith((settings.OIDC_OP_AUTHORIZATION_ENDPOINT, settings.OIDC_OP_LOGOUT_ENDPOINT)):
        return "platform"
    return resolve(urlsplit(target).path).view_name


def outcomes(client: Client, address: str) -> str:
    """What GET, HEAD and POST get, each on the same state of the database; once if it is the same."""
    found = []
    for method in METHODS:
        with transaction.atomic():
            response = getattr(client, method)(address)
            found.append(outcome(response))
            list(response)  # a file that is delivered is closed at its end
            transaction.set_rollback(True)
    return found[0] if len(set(found)) == 1 else " ".join(found)


# The rules ----------------------------------------------------------------------------------------------------------

DETOURS = {"anonymous": "accounts:login", "unconfirmed": "accounts:identity", "not consented": "accounts:consent"}
CONFIRMED = [role for role in ROLES if role not in DETOURS]
Rule = dict[str, str]


def everybody(answers: str) -> Rule:
    """Open to all, without a detour."""
    return dict.fromkeys(ROLES, answers)


def signed_in(answers: str, **named: str) -> Rule:
    """For everybody who is signed in, confirmed and has agreed, the others make their detour; who is named gets something else."""
    rule = {**DETOURS, **dict.fromkeys(CONFIRMED, answers)}
    return rule | {name.replace("_", " "): answer for name, answer in named.items()}


def public(answers: str) -> Rule:
    """Open to all who are not on their first visit."""
    return signed_in(answers, anonymous=answers)


def own(answers: str) -> Rule:
    """The owner's: to everybody else it does not exist, and a wrong method is wrong for all."""
    gone = [answer if answer == "405" else "404" for answer in (answers.split() * 3)[:3]]
    return signed_in("404" if set(gone) == {"404"} else " ".join(gone), owner=answers)


def desk(answers: str, **named: str) -> Rule:
    """Behind the desk's door, which sends applicants to where they are told that they are no members."""
    return signed_in(answers, **{"owner": "admin:login", "other_applicant": "admin:login", **named})


def committee(answers: str, others: str, **named: str) -> Rule:
    """For the plan's own committee; `others` are at the desk, too, but for other plans."""
    return desk(others, **{**dict.fromkeys(["viewer", "reviewer", "manager", "superuser"], answers), **named})


QUEUE = "admin:registrations_registration_queue"


def managers(answers: str) -> Rule:
    """For those who manage the plan; others of its committee are refused, and to everybody else there is no such plan."""
    asked = (answers.split() * 3)[:3]
    refused, gone = (" ".join(each if each == "405" else instead for each in asked) for instead in ("403", "404"))
    rule = committee(answers, gone, viewer=refused, reviewer=refused)
    return {role: once(found) for role, found in rule.items()}


def once(answers: str) -> str:
    """One word where GET, HEAD and POST get the same."""
    return answers if len(set(answers.split())) > 1 else answers.split()[0]


CHANGE = "admin:registrations_registration_change"
MEMBERS = "admin:plans_plan_members"
EXTENSIONS = "admin:registrations_registration_extensions"
READ = "200 200 405"
READ_ONLY = "200 200 403"
RULES: dict[str, Rule] = {
    "front": public(READ),
    "accounts:login": {
        **dict.fromkeys(ROLES, "plans:list 405 405"),
        "anonymous": "platform 405 405",
    },
    "accounts:callback": everybody("400 405 405"),
    "accounts:welcome": {**everybody(READ), "anonymous": "accounts:login"},
    "accounts:identity": {**everybody("200"), "anonymous": "accounts:login"},
    "accounts:logout": everybody("405 405 accounts:signed_out"),
    "accounts:signed_out": everybody(READ),
    "accounts:privacy": everybody(READ),
    "accounts:consent": signed_in("plans:list", not_consented="200"),
    "accounts:my_data": {**everybody(READ), "anonymous": "accounts:login"},
    "accounts:download": {**everybody("405 405 200"), "anonymous": "accounts:login"},
    "accounts:end_sessions": {**everybody("405 405 accounts:my_data"), "anonymous": "accounts:login"},
    "accounts:close": {**everybody("200"), "anonymous": "accounts:login"},
    "accounts:closed": everybody(READ),
    "photos:upload": {**own(READ), **dict.fromkeys(["unconfirmed", "not consented"], "404 404 405")},
    "photos:portrait": {**own(READ), **dict.fromkeys(["unconfirmed", "not consented"], "404 404 405")},
    "accounts:session": everybody(READ),
    "accounts:stay": everybody("405 405 200"),
    "accounts:keep": everybody("405 405 200"),
    "accounts:session_over": everybody(READ),
    "accounts:emergency": everybody("404"),  # tests/accounts/test_emergency.py has it while it is on
    "messages:list": signed_in(READ),
    "messages:open": own("405 405 registrations:edit"),
    "messages:read_all": signed_in("405 405 messages:list"),
    "messages:channels": signed_in("200 200 messages:list"),
    "plans:list": public(READ),
    "plans:detail": public(READ),
    "plans:attachment": public(READ),
    "plans:invitation": signed_in("200 200 admin:index", **dict.fromkeys(["viewer", "reviewer", "manager"], "200")),
    "profiles:edit": signed_in("200"),
    "profiles:photo:upload": signed_in("200 200 422"),
    "profiles:photo:again": signed_in("profiles:photo:upload profiles:photo:upload 405"),
    "profiles:photo:use_other": signed_in("405 405 404"),
    "profiles:photo:crop": own("200 200 422"),
    "profiles:photo:image": own(READ),
    "profiles:photo:portrait": signed_in("404 404 405"),
    "registrations:list": signed_in(READ),
    "registrations:start": signed_in("405 405 registrations:edit"),
    "registrations:detail": own(READ),
    "registrations:edit": own("200"),
    "registrations:occupation": own("200"),
    "registrations:photo:upload": own("200 200 422"),
    "registrations:photo:again": own("registrations:photo:crop registrations:photo:crop 405"),
    "registrations:photo:use_other": own("405 405 404"),
    "registrations:photo:crop": own("200 200 422"),
    "registrations:photo:image": own(READ),
    "registrations:photo:portrait": own(READ),
    "registrations:check": own(READ),
    "registrations:submitted": own("registrations:detail registrations:detail 405"),
    "registrations:seen": own("405 405 registrations:detail"),
    "registrations:move": own("405 405 registrations:detail"),
    "registrations:delete": own("200 200 registrations:list"),
    "registrations:submit": own("200 200 registrations:submitted"),
    "registrations:recall": own("registrations:detail"),
    "registrations:withdraw": own("registrations:detail"),
    "csp_report": everybody("405 405 415"),
    "healthz": everybody(READ),
    "readyz": everybody(READ),
    "metrics": everybody("404"),  # tests/test_metrics.py has it while it has a token
    "admin:index": desk("200"),
    "admin:login": signed_in("admin:index", owner="403", other_applicant="403"),
    "admin:logout": desk(
        "admin:index admin:index accounts:signed_out", owner="admin:index", other_applicant="admin:index"
    ),
    "admin:jsi18n": desk(READ),
    "admin:app_list": desk("admin:index"),
    "admin/(?P<url>.*)$": desk("404"),
    "admin:plans_plan_changelist": desk("200", auditor="403"),
    "admin:plans_plan_add": desk("403", staff="200", superuser="200"),
    "admin:plans_plan_change": committee(READ_ONLY, "admin:index", manager="200", superuser="200", auditor="403"),
    "admin:plans_plan_history": committee(READ, "admin:index admin:index 405"),
    "admin:plans_plan_preview": committee(READ, "404 404 405", auditor="404 404 405"),
    "admin:plans_plan_template": committee(
        "403 403 405", "404 404 405", manager=READ, superuser=READ, auditor="404 404 405"
    ),
    **{
        f"admin:plans_plan_{page}": committee("403", "404", manager="200", superuser="200")
        for page in ("publish", "extend", "copy", "occupations", "decisions")
    },
    # Whoever has one plan goes to its queue.
    "admin:registrations_registration_changelist": desk(
        f"{QUEUE} {QUEUE} 405", staff=READ, superuser=READ, auditor="403"
    ),
    QUEUE: committee("200", "404"),
    CHANGE: committee(READ_ONLY, "404 404 403"),
    "admin:registrations_registration_statistics": committee(READ, "404 404 405", auditor="404 404 405"),
    "admin:plans_plan_members": committee("200 200 405", "404 404 405"),
    "admin:plans_plan_member_find": managers("405 405 200"),
    "admin:plans_plan_member_add": managers(f"405 405 {MEMBERS}"),
    "admin:plans_plan_member_role": managers(f"405 405 {MEMBERS}"),
    "admin:plans_plan_member_remove": managers(f"200 200 {MEMBERS}"),
    "admin:plans_plan_member_invite": managers("405 405 200"),
    "admin:plans_plan_member_revoke": managers(f"405 405 {MEMBERS}"),
    "admin:registrations_registration_export_plans": desk("200"),
    "admin:registrations_registration_bulk": committee(f"405 405 {QUEUE}", "405 405 404", viewer="405 405 403"),
    "admin:registrations_registration_jobs": desk(READ),
    "admin:registrations_registration_job": desk("404", reviewer="200", superuser="404"),
    "admin:registrations_registration_job_progress": desk("404 404 405", reviewer=READ),
    "admin:registrations_registration_job_file": desk("404 404 405"),  # its job has none; test_export_jobs.py has one
    **{
        f"admin:registrations_registration_{page}": committee("200", "404", viewer="403")
        for page in ("export", "export_photos", "export_sheet", "export_templates")
    },
    "admin:registrations_registration_reasons": committee("200", "404", viewer="403", reviewer="403"),
    **{
        f"admin:registrations_registration_{page}": committee("200", "404", viewer="403", reviewer="403")
        for page in ("extend", "propose")
    },
    "admin:registrations_registration_retract": committee(
        f"405 405 {CHANGE}", "405 405 404", viewer="405 405 403", reviewer="405 405 403"
    ),
    "admin:registrations_registration_extensions": managers(f"200 200 {EXTENSIONS}"),
    "admin:registrations_registration_extension_find": managers("405 405 200"),
    "admin:registrations_registration_extension_give": managers(f"405 405 {EXTENSIONS}"),
    "admin:registrations_registration_portrait": committee("200", "404"),
    "admin:registrations_registration_former": committee("200", "404"),
    "admin:registrations_registration_keys": desk("405 405 204"),
    "admin:registrations_registration_next": committee(f"{CHANGE} {CHANGE} 405", "404 404 405"),
    "admin:registrations_registration_undo": committee(f"405 405 {CHANGE}", "405 405 404"),
    "admin:registrations_registration_claim": committee(f"405 405 {CHANGE}", "405 405 404", viewer="405 405 403"),
    "admin:registrations_registration_number": committee("403 403 200", "404", viewer="403"),
    "admin:registrations_registration_reopen": committee(f"{CHANGE} {CHANGE} 200", "404"),
    **{
        f"admin:registrations_registration_{step}": committee("200", "404", viewer=f"{CHANGE} {CHANGE} 200")
        for step in ("return", "approve", "reject")
    },
}
for model, readers in {"accounts_user": ["superuser"], "accounts_auditentry": ["auditor", "superuser"]}.items():

    def readable(answers: str, readers: list[str] = readers) -> Rule:
        return desk("403", **dict.fromkeys(readers, answers))

    RULES |= {
        f"admin:{model}_changelist": readable("200" if model == "accounts_user" else READ_ONLY),
        f"admin:{model}_change": readable(READ_ONLY),
    }


def test_every_address_has_a_rule_and_every_rule_an_address():
    assert {name for name in RULES if set(RULES[name]) != set(ROLES)} == set()
    assert set(ADDRESSES) - set(RULES) == set()
    assert set(RULES) - set(ADDRESSES) == set()


@pytest.mark.parametrize("role", ROLES)
def test_who_gets_what(db, role):
    scene = Scene()
    found = {}
    for name, route in ADDRESSES.items():
        found[name] = outcomes(scene.client(role), scene.address(route))
    assert found == {name: RULES[name][role] for name in ADDRESSES}
