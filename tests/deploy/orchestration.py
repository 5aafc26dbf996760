"""What deploy/compose.yaml and deploy/kubernetes/ must say beyond their schemas: a sentence for each thing that is wrong."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from django.core.management import get_commands

ROOT = Path(__file__).resolve().parent.parent.parent
COMPOSE = ROOT / "deploy" / "compose.yaml"
KUBERNETES = sorted((ROOT / "deploy" / "kubernetes").glob("*.yaml"))
EXAMPLES = ROOT / "deploy" / "environment"
VARIABLES = set(
    re.findall(r"^\| `([A-Z0-9_]+)` \|", (ROOT / "docs/operations/configuration.md").read_text(), re.MULTILINE)
)
TIMED = {"publish_due", "send_reminders", "purge_expired", "sweep_photos"}
PORTAL = "competition-portal:"


def compose() -> dict[str, Any]:
    return yaml.safe_load(COMPOSE.read_text())


def kubernetes() -> list[dict[str, Any]]:
    return [document for path in KUBERNETES for document in yaml.safe_load_all(path.read_text())]


def unpinned(where: str, image: str) -> Iterator[str]:
    name, _, tag = image.replace("${PORTAL_VERSION:?}", "0").rpartition(":")
    if not name or tag == "latest" or not re.search(r"\d", tag):
        yield f"{where}: the image {image} is not of a fixed version"


def unknown_command(where: str, command: list[str]) -> Iterator[str]:
    if command[:2] == ["python", "manage.py"] and (len(command) < 3 or command[2] not in get_commands()):
        yield f"{where}: there is no command {' '.join(command[2:])}"


def unknown_variables(where: str, names: set[str]) -> Iterator[str]:
    yield from (f"{where}: the portal reads no {name}" for name in sorted(names - VARIABLES))


def variables_of(example: str) -> set[str]:
    return set(re.findall(r"^([A-Z0-9_]+)=", (EXAMPLES / f"{example}.env.example").read_text(), re.MULTILINE))


# Compose --------------------------------------------------------------------------------------------------------------


def faults_of_compose(document: dict[str, Any]) -> list[str]:
    found: list[str] = []
    services = document["services"]
    for name, service in services.items():
        found += unpinned(name, service.get("image", ""))
        found += hardened(name, service)
        if service.get("image", "").startswith(PORTAL):
            found += unknown_command(name, service.get("command", []))
            found += unknown_variables(name, set(service["environment"]) | variables_of("portal"))
            if "healthcheck" not in service:
                found.append(f"{name}: the image's own health check is for web servers alone")
        elif service.get("restart") != "no" and "healthcheck" not in service:
            found.append(f"{name}: nothing asks whether it is well")
        for needed in service.get("depends_on", {}):
            if needed not in services:
                found.append(f"{name}: there is no {needed}")
        if set(service) & {"ports"} and name != "proxy":
            found.append(f"{name}: is open to the world")
    asked = [name for name, service in services.items() if "/readyz" in str(service.get("healthcheck", ""))]
    if asked != ["web1", "web2"]:
        found.append("web1 and web2 are asked for /readyz")
    commands = {service["command"][2] for service in services.values() if service.get("profiles") == ["timed"]}
    found += [f"nothing runs {name}" for name in sorted(TIMED - commands)]
    return found


def hardened(name: str, service: dict[str, Any]) -> Iterator[str]:
    wanted = {"read_only": True, "cap_drop": ["ALL"], "security_opt": ["no-new-privileges:true"]}
    for key, value in wanted.items():
        if service.get(key) != value:
            yield f"{name}: {key} is not {value}"
    if service.get("image", "").startswith(PORTAL) and service.get("user") != "10001:10001":
        yield f"{name}: runs as somebody else than the image's user"
    if any(re.search(r"(PASSWORD|SECRET|KEY)", variable) for variable in service.get("environment", {})):
        yield f"{name}: a secret is in the file itself"


# Kubernetes -----------------------------------------------------------------------------------------------------------


def pods(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    if document["kind"] == "CronJob":
        document = document["spec"]["jobTemplate"]
    if "template" in document.get("spec", {}):
        yield document["spec"]["template"]["spec"]


def faults_of_kubernetes(documents: list[dict[str, Any]]) -> list[str]:
    found: list[str] = []
    commands: set[str] = set()
    known = {(document["kind"], document["metadata"]["name"]) for document in documents}
    for document in documents:
        where = f"{document['kind']} {document['metadata']['name']}"
        if document["kind"] in {"ConfigMap", "Secret"}:
            found += unknown_variables(where, set(document.get("data", {})) | set(document.get("stringData", {})))
        for pod in pods(document):
            found += restricted(where, pod)
            for container in pod["containers"]:
                found += unpinned(where, container["image"])
                found += unknown_command(where, container.get("command", []))
                if document["kind"] == "CronJob":
                    commands.add(container["command"][2])
                for source in container["envFrom"]:
                    [(kind, reference)] = source.items()
                    kind = {"configMapRef": "ConfigMap", "secretRef": "Secret"}[kind]
                    if (kind, reference["name"]) not in known:
                        found.append(f"{where}: there is no {kind} {reference['name']}")
        if where == "Deployment portal-web":
            found += probed(where, document["spec"])
    found += pooled(documents)
    found += [f"nothing runs {name}" for name in sorted(TIMED - commands)]
    wanted = {
        "Deployment",
        "Service",
        "PodDisruptionBudget",
        "HorizontalPodAutoscaler",
        "Job",
        "CronJob",
        "NetworkPolicy",
    }
    found += [f"there is no {kind}" for kind in sorted(wanted - {kind for kind, _ in known})]
    return found


def restricted(where: str, pod: dict[str, Any]) -> Iterator[str]:
    """The pod security standard of that name, and a root that is read-only."""
    of_pod = pod.get("securityContext", {})
    if not of_pod.get("runAsNonRoot") or of_pod.get("seccompProfile") != {"type": "RuntimeDefault"}:
        yield f"{where}: the pod may run as root, or without a seccomp profile"
    if pod.get("automountServiceAccountToken") is not False:
        yield f"{where}: the pod holds a key to the cluster"
    for container in pod["containers"]:
        wanted = {"allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]}}
        if container.get("securityContext") != wanted:
            yield f"{where}: the container may become more than it is"
        mounted = {mount["mountPath"] for mount in container.get("volumeMounts", [])}
        if mounted != {"/tmp", "/srv/portal/data"}:
            yield f"{where}: what the portal writes to is not exactly /tmp and DATA_DIR"
        if "memory" not in container.get("resources", {}).get("limits", {}):
            yield f"{where}: nothing bounds its memory"


def pooled(documents: list[dict[str, Any]]) -> Iterator[str]:
    """Behind a pooler a cursor of the server's is not there for the next statement: the portal must know."""
    told = {
        (document["kind"], document["metadata"]["name"]): document.get("data", {}) | document.get("stringData", {})
        for document in documents
        if document["kind"] in {"ConfigMap", "Secret"}
    }
    behind = ":6432/" in told["Secret", "portal"]["DATABASE_URL"]
    if behind != (told["ConfigMap", "portal"].get("DATABASE_POOLER") == "true"):
        yield "DATABASE_POOLER does not say what DATABASE_URL leads to"
    if ":6432/" in told["Secret", "portal-migrate"]["DATABASE_URL"]:
        yield "migrate goes through the pooler"


def probed(where: str, spec: dict[str, Any]) -> Iterator[str]:
    pod = spec["template"]["spec"]
    [container] = pod["containers"]
    wanted = {"startupProbe": "/healthz", "livenessProbe": "/healthz", "readinessProbe": "/readyz"}
    for probe, path in wanted.items():
        if container.get(probe, {}).get("httpGet") != {"path": path, "port": "http"}:
            yield f"{where}: {probe} does not ask for {path}"
    if spec["strategy"].get("rollingUpdate", {}).get("maxUnavailable") != 0:
        yield f"{where}: an upgrade begins by taking one away"
    drained = int(container.get("lifecycle", {}).get("preStop", {}).get("exec", {}).get("command", ["", "0"])[1])
    from gunicorn.config import Config

    graceful = graceful_timeout() or Config().graceful_timeout
    if drained < 5 or pod.get("terminationGracePeriodSeconds", 30) < drained + graceful:
        yield f"{where}: it is killed before it has been drained and has finished"


def graceful_timeout() -> int | None:
    found = re.search(r"^graceful_timeout = (\d+)$", (ROOT / "deploy/gunicorn.conf.py").read_text(), re.MULTILINE)
    return int(found[1]) if found else None
