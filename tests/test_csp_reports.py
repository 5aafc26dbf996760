"""Reports of what the policy blocked: one short line, whatever is sent, and never a failure of ours."""

import json
import logging

import pytest
from django.test import Client

from accounts.models import AuditEntry
from competition_portal import csp_reports
from tests.test_headers import assert_headers

OLD, NEW = "application/csp-report", "application/reports+json"
SECRET = "110105199003071015"


@pytest.fixture
def said(caplog):
    """What the log says of reports."""
    caplog.set_level(logging.DEBUG, csp_reports.logger.name)
    return lambda: [entry.getMessage() for entry in caplog.records if entry.name == csp_reports.logger.name]


def send(content, content_type=OLD, **how):
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    client = Client(enforce_csrf_checks=True, raise_request_exception=True)
    response = client.post("/csp-report/", body, content_type, **how)
    assert_headers(response)
    assert response.content == b""
    return response.status_code


def old(blocked, directive="script-src-elem"):
    return {
        "csp-report": {
            "document-uri": f"https://testserver/profile/?q={SECRET}",
            "referrer": f"https://testserver/?q={SECRET}",
            "violated-directive": directive,
            "effective-directive": directive,
            "original-policy": "default-src 'self'",
            "blocked-uri": blocked,
            "script-sample": SECRET,
            "source-file": f"https://testserver/{SECRET}",
        }
    }


def new(blocked, directive="script-src-elem", kind="csp-violation"):
    body = {"documentURL": f"https://testserver/?{SECRET}", "effectiveDirective": directive, "blockedURL": blocked}
    return {"type": kind, "age": 1, "url": f"https://testserver/?{SECRET}", "body": {**body, "sample": SECRET}}


@pytest.mark.parametrize(
    ("blocked", "shown"),
    [
        (f"https://user:{SECRET}@evil.example/x.js?q={SECRET}#{SECRET}", "https://evil.example"),
        ("http://[2001:db8::1]:8000/x", "http://[2001:db8::1]:8000"),
        ("inline", "inline"),
        ("eval", "eval"),
        ("", "nothing"),
        (f"data:text/html,{SECRET}", "data"),
        ("https://evil.example\n2026 forged line/", "something"),
        ("https://[", "something"),
        (f"https://{'a' * 200}.example/", "something"),
        (SECRET, "something"),
    ],
)
def test_one_short_line_for_each_report(db, said, blocked, shown):
    assert send(old(blocked)) == 204
    assert send([new(blocked)], NEW) == 204
    assert said() == [f"csp: script-src-elem blocked {shown}"] * 2


def test_what_is_not_about_the_policy_is_left_out(db, said):
    assert send([new("inline", kind="deprecation"), new("eval")], NEW) == 204
    assert said() == ["csp: script-src-elem blocked eval"]
    assert send([], NEW) == 204


def test_an_older_browser_names_the_directive_with_its_values(db, said):
    report = old("inline", "style-src 'self'")
    del report["csp-report"]["effective-directive"]
    assert send(report) == 204
    assert said() == ["csp: style-src blocked inline"]


def test_many_reports_at_once_are_five_lines(db, said):
    assert send([new("inline")] * 20, NEW) == 204
    assert len(said()) == csp_reports.MOST_LINES


GARBAGE = [
    b" ",
    b"\x00\xff\xfe",
    b"{",
    b"[" * 8000,
    b'{"a":' * 1500,
    b"null",
    b"1e999",
    b'"text"',
    b"[]",
    b"{}",
    b'{"csp-report": null}',
    b'{"csp-report": []}',
    b'{"csp-report": {}}',
    b'{"csp-report": {"effective-directive": 1, "blocked-uri": "x"}}',
    b'{"csp-report": {"effective-directive": "a b\\nc", "blocked-uri": null}}',
    b'{"csp-report": {"effective-directive": "<script>", "blocked-uri": "inline"}}',
    json.dumps({"csp-report": {"effective-directive": "a" * 41, "blocked-uri": "inline"}}).encode(),
]


@pytest.mark.parametrize("body", GARBAGE)
def test_garbage_is_refused(db, said, body):
    assert send(body) == 400
    assert said() == []


@pytest.mark.parametrize(
    "body", [b"{}x", b'{"type": "csp-violation"}', b"[1]", b"[null]", b'[{"type": "csp-violation"}]', b"[[]]"]
)
def test_garbage_in_the_newer_form_is_refused(db, said, body):
    assert send(body, NEW) == 400
    assert said() == []


@pytest.mark.parametrize("kind", ["application/json", "text/plain", "", "multipart/form-data; boundary=x", "a" * 500])
def test_another_content_type_is_refused(db, said, kind):
    assert send(old("inline"), kind) == 415
    assert said() == []


def test_what_is_too_large_is_not_read(db, said):
    assert send(b" " * (csp_reports.MOST_BYTES + 1)) == 413
    assert send(b" " * (3 * 1024 * 1024)) == 413
    assert said() == []


def test_reports_are_few(db, said, monkeypatch):
    monkeypatch.setattr(csp_reports, "PER_ADDRESS", {"times": 2, "seconds": 60})
    monkeypatch.setattr(csp_reports, "IN_ALL", {"times": 3, "seconds": 60})
    found = [send(old("inline"), REMOTE_ADDR=f"192.0.2.{last}") for last in (1, 1, 1, 2, 3)]
    assert found == [204, 204, 429, 204, 429]
    assert len(said()) == 3
    assert AuditEntry.objects.count() == 0
