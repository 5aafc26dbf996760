"""What the portal has to do with the world outside: whom it asks, whom it believes, what it never reads or follows."""

import ast
import json
import re
import socket
import ssl
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from django.test import Client
from django.urls import reverse
from openpyxl import DEFUSEDXML

from accounts.models import User
from registrations.workflow import Status
from tests import scenes
from tests.accounts.browser import UNREACHABLE, assert_failed, come_back, leave, sign_in, signed_in_user
from tests.accounts.provider import Answer, running_provider
from tests.certificates import certificate

WORKBOOKS = {"plans/occupation_sheet.py", "plans/plan_workbook.py", "registrations/own_workbook.py"}
ROOT = Path(__file__).resolve().parent.parent
ROOMS = ("accounts", "competition_portal", "deploy", "photos", "plans", "profiles", "registrations")
SOURCES = sorted(path for room in ROOMS for path in (ROOT / room).rglob("*.py") if "migrations" not in path.parts)


def names_imported(path):
    tree = ast.parse(path.read_text())
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def who_imports(*modules):
    """Files of ours that import one of these modules, or something in it."""
    shape = re.compile(rf"(?:{'|'.join(map(re.escape, modules))})(?:\..*)?")
    return {
        str(path.relative_to(ROOT)) for path in SOURCES if any(shape.fullmatch(name) for name in names_imported(path))
    }


# By reading our own code --------------------------------------------------------------------------------------------


def test_the_search_finds_an_import():
    assert who_imports("hmac") >= {"competition_portal/settings.py"}
    assert len(SOURCES) > 80


def test_xml_is_read_in_workbooks_alone_and_by_what_refuses_entities():
    """tests/plans/test_occupation_import.py and tests/registrations/test_own_sheets.py send some that would swell."""
    assert who_imports("xml", "lxml", "xmltodict", "bs4", "html5lib") == set()
    assert who_imports("defusedxml") == {"registrations/own_workbook.py"}
    assert who_imports("openpyxl") == WORKBOOKS
    assert DEFUSEDXML  # openpyxl reads with it where it is installed


def test_nothing_is_made_into_objects_or_run():
    assert who_imports("pickle", "marshal", "shelve", "dill", "code") == set()
    # Two functions of the libwebp that Pillow is linked with, which check every size (docs/adr/0012): in the bounded child.
    assert who_imports("ctypes") == {"photos/webp.py"}
    # One writes an example; the other takes nodes and makes nothing of them (tests of import_plan).
    assert who_imports("yaml") == {"plans/plan_example.py", "plans/plan_yaml.py"}
    assert "yaml.load(" not in (ROOT / "plans/plan_yaml.py").read_text()
    assert who_imports("subprocess") == {"photos/bounded.py"}  # our own Python and our own module, nothing of a request
    calls = {
        (str(path.relative_to(ROOT)), node.func.id)
        for path in SOURCES
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
        if node.func.id in {"eval", "exec", "compile", "__import__"}
    }
    assert calls == set()


def test_one_module_opens_connections_and_one_asks():
    """accounts/deadline.py opens them, accounts/exchange.py asks; the other two name what may go wrong.

    Mail goes out by registrations/smtp.py, through accounts/deadline.py; carriers.py names what may go wrong there.
    """
    ways = ("requests", "urllib.request", "urllib3", "http.client", "httpx", "aiohttp", "ftplib", "smtplib", "socket")
    assert who_imports(*ways, "django.core.mail", "telnetlib", "xmlrpc", "asyncio") == {
        *(f"accounts/{name}.py" for name in ("deadline", "exchange", "oidc", "remembered")),
        *(f"registrations/{name}.py" for name in ("carriers", "smtp")),
        *(f"photos/{name}.py" for name in ("bounded", "decoder")),  # pairs of sockets within this machine
    }
    opens = re.compile(r"\brequests\.(get|post|request|Session|head|put)\(|\burlopen\(|\bsocket\.(socket|create_)")
    assert [str(path.relative_to(ROOT)) for path in SOURCES if opens.search(path.read_text())] == [
        "accounts/deadline.py",
        *("photos/bounded.py", "photos/decoder.py"),  # a pair of them, within this machine
    ]


def test_cryptography_is_that_of_the_libraries():
    """One module encrypts columns and one backups, with `cryptography`; digests come from Python itself; nothing secret from `random`."""
    assert who_imports("cryptography") == {"accounts/fields.py", "competition_portal/backups/sealed.py"}
    assert who_imports("Crypto", "Cryptodome", "nacl", "rsa", "ecdsa", "OpenSSL", "passlib") == set()
    # Invented registrations, which nothing secret is drawn for.
    assert who_imports("random") == {"registrations/seeding/make.py", "registrations/seeding/roads.py"}
    assert who_imports("numpy") <= {"photos/faces.py"}


def test_no_redirect_is_ever_followed():
    """Of every question to the platform, and there are no others."""
    tree = ast.parse((ROOT / "accounts/exchange.py").read_text())
    asked = [
        {keyword.arg: keyword.value for keyword in node.keywords}
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and isinstance(node.func.value, ast.Name)
        and node.func.value.id == "session"
    ]
    assert [isinstance(each["allow_redirects"], ast.Constant) and each["allow_redirects"].value for each in asked] == [
        False,
        False,
    ]


# By watching it -----------------------------------------------------------------------------------------------------


@pytest.fixture
def provider(db, settings):
    with running_provider() as provider:
        for name, value in provider.settings().items():
            setattr(settings, name, value)
        yield provider


@pytest.fixture
def called(monkeypatch):
    """The addresses to which a connection was begun, the database's own left out: its driver uses no Python socket."""
    addresses, real = [], socket.socket.connect

    def connect(self, address):
        addresses.append(address)
        return real(self, address)

    monkeypatch.setattr(socket.socket, "connect", connect)
    return addresses


def test_a_whole_journey_asks_the_platform_alone(provider, called, plan, manager):
    occupation = scenes.occupation(plan)
    client = Client()
    sign_in(client, provider)
    user = signed_in_user(client)
    for method, address in [("get", "/accounts/identity/"), ("get", "/plans/"), ("get", plan.get_absolute_url())]:
        getattr(client, method)(address)
    before = list(called)
    desk = Client()
    desk.force_login(manager, backend="accounts.oidc.PlatformBackend")
    registration = scenes.registration_at(Status.APPROVED, scenes.person("孙三"), occupation, manager)
    for place in ("/admin/", f"/admin/registrations/registration/{registration.pk}/change/", "/admin/plans/plan/"):
        assert desk.get(place).status_code == 200
    person = Client()
    person.force_login(registration.applicant, backend="accounts.oidc.PlatformBackend")
    for place in (registration.get_absolute_url(), "/profile/", "/profile/photo/", "/accounts/my-data/"):
        person.get(place)
    list(person.post("/accounts/my-data/download/").streaming_content)
    assert (called, User.objects.filter(pk=user.pk).exists()) == (before, True)
    client.post(reverse("accounts:logout"))
    host, port = provider.origin.removeprefix("http://").split(":")
    assert (set(called), len(called)) == ({(host, int(port))}, 4)  # token, keys, userinfo; whether it can sign out


def test_a_redirect_of_the_platforms_leads_nowhere(provider, called):
    """To another port of this machine, where somebody listens and is never called."""
    with socket.create_server(("127.0.0.1", 0)) as elsewhere:
        target = f"http://127.0.0.1:{elsewhere.getsockname()[1]}/"
        for endpoint in ("token", "keys", "userinfo"):
            for name in ("token", "keys", "userinfo"):
                setattr(provider, f"{name}_answer", None)
            answer = Answer(b"{}", status=307, headers=f"Location: {target}\r\n")
            setattr(provider, f"{endpoint}_answer", answer)
            client = Client()
            sign_in(client, provider)
            assert signed_in_user(client) is None
        assert [address for address in called if address[1] == elsewhere.getsockname()[1]] == []


# Certificates -------------------------------------------------------------------------------------------------------


class Keys(BaseHTTPRequestHandler):
    def do_POST(self):  # noqa: N802
        self.server.heard.append(self.path)
        body = json.dumps({"error": "invalid_grant"}).encode()
        self.send_response(400)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments):
        pass


@pytest.fixture
def over_tls(tmp_path):
    """`over_tls(file)` is a server that shows this certificate: its port, and the paths that it was asked for."""
    running = []

    def serve(file):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(file)
        server = HTTPServer(("127.0.0.1", 0), Keys)
        server.heard, server.handle_error = [], lambda *arguments: None
        server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        running.append((server, thread))
        return server.server_port, server.heard

    yield serve
    for server, thread in running:
        server.shutdown()
        server.server_close()
        thread.join(5)


@pytest.mark.parametrize(
    ("host", "days", "trusted"), [("127.0.0.1", 1, False), ("id.example.cn", 1, True), ("127.0.0.1", -1, True)]
)
def test_a_certificate_that_nobody_vouches_for_is_refused(
    provider, settings, over_tls, tmp_path, monkeypatch, host, days, trusted
):
    """Nobody knows it; or it is for another host; or it has expired. The code and our secret are never sent."""
    file = certificate(tmp_path, host=host, days=days)
    port, heard = over_tls(file)
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
    if trusted:
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(file))
    client = Client()
    state = leave(client, provider)
    settings.OIDC_OP_TOKEN_ENDPOINT = f"https://127.0.0.1:{port}/token/"
    assert_failed(come_back(client, state=state, code="a-code"), UNREACHABLE, status=503)
    assert heard == []


def test_a_certificate_that_is_trusted_is_taken(provider, settings, over_tls, tmp_path, monkeypatch):
    """The same server, for whom the operator vouches: it was the certificate, not the server."""
    file = certificate(tmp_path)
    port, heard = over_tls(file)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(file))
    client = Client()
    state = leave(client, provider)
    settings.OIDC_OP_TOKEN_ENDPOINT = f"https://127.0.0.1:{port}/token/"
    come_back(client, state=state, code="a-code")
    assert heard == ["/token/"]


# What is installed --------------------------------------------------------------------------------------------------

LOCKS = sorted(path.name for path in ROOT.glob("requirements*.txt"))
PINNED = re.compile(r"([a-z0-9._-]+(?:\[[a-z,]+\])?)==(\S+)(?: ; [^\\]+)? \\((?:--hash=sha256:[0-9a-f]{64}(?: \\)?)+)")


def components(lock):
    """{name: version} of a lock file; fails for a line that names no exact version with its hashes."""
    text = (ROOT / lock).read_text()
    lines = re.sub(r"\\\n\s+", r"\\", re.sub(r"^\s*#.*\n", "", text, flags=re.MULTILINE)).splitlines()
    found = [PINNED.fullmatch(line) for line in lines if line.strip()]
    assert None not in found, [line[:80] for line in lines if not PINNED.fullmatch(line)]
    return {match[1].partition("[")[0]: match[2] for match in found}


def test_every_component_is_pinned_with_its_hashes():
    """The five lock files are the list of components: production's is in each other, with the same versions."""
    found = {lock: components(lock).items() for lock in LOCKS}
    production = dict(found["requirements.txt"])
    assert [lock for lock in LOCKS if not production.items() <= found[lock]] == []
    assert (len(LOCKS), found["requirements-demo.txt"] <= found["requirements-dev.txt"]) == (5, True)
    assert {"django", "requests", "cryptography", "pillow"} <= set(production)
    assert "--require-hashes" in (ROOT / "scripts/image").read_text()  # all that the Dockerfile installs with
    assert "--require-hashes" in (ROOT / "scripts/setup").read_text()
