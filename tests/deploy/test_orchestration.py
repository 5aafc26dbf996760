"""compose.yaml and kubernetes/ agree with their schemas, with the portal and with each other; broken ones are found out."""

import copy
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from scripts import debian
from tests.deploy import orchestration as described
from tests.test_outside import certificate

ROOT = described.ROOT
VERSION = "1.34"  # the oldest cluster that is still looked after


def fits_compose(document: dict[str, Any], folder: Path) -> bool:
    file = folder / "compose.yaml"
    file.write_text(yaml.safe_dump(document))
    program = Path(sys.executable).parent / "check-jsonschema"
    command = [program, "--builtin-schema", "vendor.compose-spec", file]
    return subprocess.run(command, capture_output=True).returncode == 0


def fits_cluster(document: dict[str, Any]) -> bool:
    try:
        kubernetes_validate.validate(document, VERSION, strict=True)
    except kubernetes_validate.ValidationError:
        return False
    return True


def test_compose_fits_its_schema_and_the_portal(tmp_path: Path) -> None:
    assert fits_compose(described.compose(), tmp_path)
    assert described.faults_of_compose(described.compose()) == []


def test_kubernetes_fits_its_schemas_and_the_portal() -> None:
    documents = described.kubernetes()
    assert [document["metadata"]["name"] for document in documents if not fits_cluster(document)] == []
    assert described.faults_of_kubernetes(documents) == []


# Broken on purpose ----------------------------------------------------------------------------------------------------

Change = Callable[[Any], Any]


def put(value: Any, *keys: Any) -> Change:
    def change(document: Any) -> None:
        for key in keys[:-1]:
            document = document[key]
        document[keys[-1]] = value

    return change


def gone(*keys: Any) -> Change:
    def change(document: Any) -> None:
        for key in keys[:-1]:
            document = document[key]
        del document[keys[-1]]

    return change


def web(change: Change) -> Change:
    """A change to the web servers' Deployment, down to its one container where `c` is named."""

    def in_documents(documents: Any) -> None:
        change(
            next(
                each for each in documents if each["metadata"]["name"] == "portal-web" and each["kind"] == "Deployment"
            )
        )

    return in_documents


def settings(kind: str, name: str, change: Change) -> Change:
    def in_documents(documents: Any) -> None:
        change(next(each for each in documents if (each["kind"], each["metadata"]["name"]) == (kind, name)))

    return in_documents


CONTAINER = ("spec", "template", "spec", "containers", 0)
POD = ("spec", "template", "spec")

MISSHAPEN_COMPOSE = {
    "a misspelt key": put("x", "services", "web1", "imgae"),
    "a number for a list": put(8000, "services", "web1", "expose"),
    "a health check of another kind": put("often", "services", "database", "healthcheck"),
}
MISSHAPEN_WEB = {
    "a misspelt key": put("x", *CONTAINER, "imagePullPolice"),
    "a word for a number": put("three", "spec", "minReadySeconds"),
    "no selector": gone("spec", "selector"),
}
FAULTY_COMPOSE = {
    "services.web1.image": (put("competition-portal:latest", "services", "web1", "image"), "not of a fixed version"),
    "no tag": (put("redis", "services", "cache", "image"), "not of a fixed version"),
    "read_only": (gone("services", "worker", "read_only"), "read_only is not True"),
    "capabilities": (gone("services", "cache", "cap_drop"), "cap_drop is not"),
    "root": (put("0:0", "services", "web2", "user"), "somebody else"),
    "variable": (put("1", "services", "web1", "environment", "REPLICA"), "the portal reads no REPLICA"),
    "secret": (put("x", "services", "web1", "environment", "SECRET_KEY"), "a secret is in the file itself"),
    "command": (put(["python", "manage.py", "migrat"], "services", "migrate", "command"), "there is no command migrat"),
    "timed": (gone("services", "publish-due"), "nothing runs publish_due"),
    "probe": (put({"test": ["CMD", "true"]}, "services", "web1", "healthcheck"), "asked for /readyz"),
    "unasked": (gone("services", "database", "healthcheck"), "nothing asks"),
    "open": (put(["5432:5432"], "services", "database", "ports"), "is open to the world"),
}
FAULTY_KUBERNETES = {
    "image": (web(put("competition-portal", *CONTAINER, "image")), "not of a fixed version"),
    "readiness": (web(put("/healthz", *CONTAINER, "readinessProbe", "httpGet", "path")), "readinessProbe"),
    "liveness": (web(put("/readyz", *CONTAINER, "livenessProbe", "httpGet", "path")), "livenessProbe"),
    "unavailable": (web(put(1, "spec", "strategy", "rollingUpdate", "maxUnavailable")), "taking one away"),
    "undrained": (web(gone(*CONTAINER, "lifecycle")), "killed before"),
    "hasty": (web(put(30, *POD, "terminationGracePeriodSeconds")), "killed before"),
    "root": (web(gone(*POD, "securityContext", "runAsNonRoot")), "as root"),
    "writable": (web(put(False, *CONTAINER, "securityContext", "readOnlyRootFilesystem")), "become more"),
    "token": (web(gone(*POD, "automountServiceAccountToken")), "a key to the cluster"),
    "memory": (web(gone(*CONTAINER, "resources", "limits")), "nothing bounds"),
    "pooler": (settings("ConfigMap", "portal", gone("data", "DATABASE_POOLER")), "does not say what DATABASE_URL"),
    "migrate": (
        settings("Secret", "portal-migrate", put("postgres://o:p@pooler:6432/p", "stringData", "DATABASE_URL")),
        "migrate goes through",
    ),
    "secret": (web(put("prtl", *CONTAINER, "envFrom", 1, "secretRef", "name")), "there is no Secret prtl"),
}


@pytest.mark.parametrize("kind", MISSHAPEN_COMPOSE)
def test_what_compose_would_not_take_is_refused(kind: str, tmp_path: Path) -> None:
    document = copy.deepcopy(described.compose())
    MISSHAPEN_COMPOSE[kind](document)
    assert not fits_compose(document, tmp_path)


@pytest.mark.parametrize("kind", MISSHAPEN_WEB)
def test_what_a_cluster_would_not_take_is_refused(kind: str) -> None:
    [document] = [
        each for each in described.kubernetes() if each["kind"] == "Deployment" and "web" in str(each["metadata"])
    ]
    MISSHAPEN_WEB[kind](document)
    assert not fits_cluster(document)


@pytest.mark.parametrize("kind", FAULTY_COMPOSE)
def test_what_compose_takes_and_would_hurt_is_named(kind: str) -> None:
    change, sentence = FAULTY_COMPOSE[kind]
    document = copy.deepcopy(described.compose())
    change(document)
    found = described.faults_of_compose(document)
    assert found and all(sentence in fault for fault in found), found


@pytest.mark.parametrize("kind", FAULTY_KUBERNETES)
def test_what_a_cluster_takes_and_would_hurt_is_named(kind: str) -> None:
    change, sentence = FAULTY_KUBERNETES[kind]
    documents = described.kubernetes()
    change(documents)
    found = described.faults_of_kubernetes(documents)
    assert found and all(sentence in fault for fault in found), found


# The proxy of compose.yaml --------------------------------------------------------------------------------------------


HERE = {"/etc/portal/pages": f"{ROOT}/deploy/pages", "queue:8080": "127.0.0.1:8080"}
HERE |= {"web1:8000": "127.0.0.1:8001", "web2:8000": "127.0.0.1:8002"}  # names that only the containers know


def made(service: str, source: str, folder: Path) -> str:
    """What the service's own command makes of our file, run by a shell. Whatever it looks for must be found, once."""
    script = described.compose()["services"][service]["command"][2].replace("$$", "$").partition("exec ")[0]
    target = folder / source
    before = (ROOT / "deploy" / source).read_text()
    for place, own in ((f"/etc/portal/{source}", ROOT / "deploy" / source), (rf"/(run|tmp)/{source}", target)):
        script = re.sub(place, str(own), script)
    environment = {"SERVER_NAME": "baoming.example.cn", "PATH": "/usr/bin:/bin"}
    subprocess.run(["sh", "-euc", script], env=environment, check=True)
    for looked_for in re.findall(r"s\|([^|]+)\|", script):
        lines = [
            line for line in before.splitlines() if not line.lstrip().startswith("#") and re.search(looked_for, line)
        ]
        assert lines, f"{source} no longer has {looked_for}"
    return target.read_text()


def test_the_proxy_of_compose_leads_to_the_queue_and_nginx_takes_its_file(tmp_path: Path) -> None:
    text = made("proxy", "nginx.conf", tmp_path)
    assert re.findall(r"(?m)^ *server (\S+);", text) == ["queue:8080"]
    assert (text.count("jnjs.example.cn"), "server_name baoming.example.cn;" in text) == (0, True)
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    temporary = "".join(f"\n    {kind}_temp_path {tmp_path / kind};" for kind in kinds)
    changed = {**HERE, "\nhttp {": f"\nhttp {{{temporary}", "user www-data;": ""}
    own = str(certificate(tmp_path))
    changed |= {"/etc/ssl/portal/certificate.pem": own, "/etc/ssl/portal/key.pem": own}
    program = debian.provide(debian.NGINX)
    command = ["-t", "-p", str(tmp_path), "-e", "stderr", "-g", f"pid {tmp_path}/nginx.pid;", "-c"]
    takes(program, command, text, changed, tmp_path / "own-nginx.conf")


def test_the_queue_of_compose_stands_before_both_portals_and_haproxy_takes_its_file(tmp_path: Path) -> None:
    text = made("queue", "haproxy.cfg", tmp_path)
    assert re.findall(r"(?m)^ *server (\S+ \S+)", text) == ["replica1 web1:8000", "replica2 web2:8000"]
    assert "bind :8080" in text
    takes(debian.provide(debian.HAPROXY), ["-c", "-f"], text, HERE, tmp_path / "own-haproxy.cfg")


def takes(program: str, command: list[str], text: str, changed: dict[str, str], file: Path) -> None:
    for written, own in changed.items():
        text = text.replace(written, own)
    file.write_text(text)
    checked = subprocess.run([program, *command, str(file)], env=debian.surroundings(), capture_output=True, text=True)
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_what_is_said_of_an_upgrade_by_compose_does_take_a_portal_out_and_put_it_back(tmp_path: Path) -> None:
    """The two sed lines of docs/operations/upgrade.md, run on the queue's file."""
    file = tmp_path / "haproxy.cfg"
    file.write_text(made("queue", "haproxy.cfg", tmp_path))
    whole = file.read_text()
    page = (ROOT / "docs/operations/upgrade.md").read_text()
    out, back = re.findall(r"sed -i '([^']+)' /tmp/haproxy.cfg", page)
    for number in ("1", "2"):
        subprocess.run(["sed", "-i", out.replace("$number", number), file], check=True)
        [line] = [line for line in file.read_text().splitlines() if "disabled" in line]
        assert line.strip() == f"server replica{number} web{number}:8000 disabled"
        subprocess.run(["sed", "-i", back.replace("$number", number), file], check=True)
        assert file.read_text() == whole
