"""deploy/prometheus: what the alarms ask is measured, and for each of them the operators have a page."""

import re
from pathlib import Path

import pytest
import yaml
from django.conf import settings
from django.test import Client
from django.urls import get_resolver
from prometheus_client.parser import text_string_to_metric_families

from accounts.metrics import REGISTRY
from competition_portal import exposition, metrics, state_metrics
from competition_portal.worker import PortalWorker
from registrations.messages import Channel, DeliveryState
from tests.test_access_matrix import addresses

ROOT = Path(settings.BASE_DIR)
RULES = yaml.safe_load((ROOT / "deploy/prometheus/alerts.yml").read_text())
ALERTS = [rule for group in RULES["groups"] for rule in group["rules"]]
INCIDENTS = (ROOT / "docs/operations/incidents.md").read_text()
SECTIONS = dict(re.findall(r"^## (\w+)\n(.*?)(?=^## |\Z)", INCIDENTS, re.MULTILINE | re.DOTALL))
OBSERVE = (ROOT / "docs/operations/observe.md").read_text()
WORDS = re.compile(r"\bportal_\w+")
# What a metric's samples are called beside itself (OpenMetrics 1.0): of a histogram.
SUFFIX = re.compile(r"_(bucket|count|sum)$")


@pytest.fixture
def answered(db, monkeypatch):
    """Every name with its type, as an answer of the portal and one of a worker have them."""
    Client().get("/healthz")  # the middleware is there with the first request
    monkeypatch.setattr(metrics, "STATE", metrics.Question(state_metrics.ask, 0))
    monkeypatch.setattr(metrics.health, "ask_all", lambda: {"database": "ok"})
    families = {family.name: family.type for family in state_metrics.ask()}
    for text in (exposition.counted().decode(), metrics.asked().decode()):
        families |= {family.name: family.type for family in text_string_to_metric_families(text)}
    return {f"{name}_total" if kind == "counter" else name: kind for name, kind in families.items()}


def asked_by(expression: str) -> set[str]:
    return set(WORDS.findall(expression))


def test_there_are_alarms_and_each_is_whole():
    assert len(ALERTS) == len({rule["alert"] for rule in ALERTS}) >= 15
    for rule in ALERTS:
        assert re.fullmatch(r"Portal[A-Z]\w+", rule["alert"])
        assert set(rule) - {"for"} == {"alert", "expr", "labels", "annotations"}
        assert rule["labels"]["severity"] in {"critical", "warning", "info"}
        assert re.search("[一-鿿]", rule["annotations"]["summary"])
        assert re.fullmatch(r"\d+[smh]", rule.get("for", "1m"))
        assert rule["expr"].count("(") == rule["expr"].count(")")


@pytest.mark.parametrize("rule", ALERTS, ids=lambda rule: rule["alert"])
def test_what_an_alarm_asks_is_measured(answered, rule):
    """A histogram has its three parts, anything else none: a rule with a wrong name never rings."""
    asked = asked_by(rule["expr"])
    assert asked or "up{" in rule["expr"]
    for name in asked:
        if name not in answered:
            assert answered.get(SUFFIX.sub("", name)) == "histogram", name


@pytest.mark.parametrize("rule", ALERTS, ids=lambda rule: rule["alert"])
def test_the_words_that_an_alarm_compares_with_are_the_ones_that_are_said(rule):
    said = {
        "dependency": {"database", "migrations", "worker", "cache", "storage"},
        "state": {*state_metrics.TASK_STATES.values(), *DeliveryState.values},
        "channel": set(Channel.values),
        "view": {name for name, _ in addresses(get_resolver())} | {"static", "unmatched"},
        "status": {"2xx", "3xx", "4xx", "5xx"},
        "chore": {chore.name for chore in PortalWorker().chores},
    }
    for label, _, words in re.findall(r"(\w+)(=~|!~|=|!=)\"([^\"]*)\"", rule["expr"]):
        assert set(words.split("|")) <= said.get(label, set(words.split("|"))), (label, words)
    labels = {"outcome", "kind", "job", *said}
    assert set(re.findall(r"(\w+)(?:=~|!~|=|!=)\"", rule["expr"])) <= labels


def test_each_alarm_has_its_page_with_the_first_three_things_to_do():
    assert list(SECTIONS) == [rule["alert"] for rule in ALERTS]
    for name, text in SECTIONS.items():
        assert re.findall(r"^(\d)\. ", text, re.MULTILINE) == ["1", "2", "3"], name
        assert re.match(r"\n[^\n\d].{10,}", text), name  # what it means, before what to do


def test_what_the_pages_name_is_there(answered):
    for name in asked_by(INCIDENTS) | asked_by(OBSERVE):
        assert name in answered or SUFFIX.sub("", name) in answered, name
    told = set(re.findall(r"`(portal_\w+)", OBSERVE))
    assert set(answered) - told == set(), "the table of metrics is not whole"
    for named in re.findall(r"按 (Portal\w+) ", INCIDENTS):
        assert named in SECTIONS


def test_every_metric_of_the_registry_says_what_it_is():
    for family in REGISTRY.collect():
        assert family.name.startswith("portal_")
        assert len(family.documentation) > 15
        for sample in family.samples:
            assert set(sample.labels) <= {"view", "method", "status", "kind", "outcome", "job", "task", "chore", "le"}


def test_prometheus_is_told_where_to_look():
    config = yaml.safe_load((ROOT / "deploy/prometheus/prometheus.yml").read_text())
    assert config["rule_files"] == ["alerts.yml"]
    jobs = {job["job_name"]: job for job in config["scrape_configs"]}
    assert set(jobs) == {"portal", "portal-worker"}
    for job in jobs.values():
        assert (job["metrics_path"], job["authorization"]["type"]) == ("/metrics", "Bearer")
        assert job["static_configs"][0]["targets"]
    assert 'up{job="portal"}' in ALERTS[0]["expr"]
