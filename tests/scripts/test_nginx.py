"""Finding an nginx, and the sentence when there is none and none can be fetched."""

from pathlib import Path

import pytest

from scripts import nginx


def program(path: Path, text: str = "") -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return str(path)


def test_the_named_one_goes_first(tmp_path: Path):
    program(tmp_path / "nginx")
    named = program(tmp_path / "my-nginx")
    assert nginx.find_nginx({"PATH": str(tmp_path), "NGINX": named}, tmp_path) == named


def test_one_that_does_not_start_is_passed_over(tmp_path: Path):
    program(tmp_path / "nginx", "exit 1")
    fetched = program(tmp_path / "fetched" / "usr" / "sbin" / "nginx")
    assert nginx.find_nginx({"PATH": str(tmp_path)}, tmp_path / "fetched") == fetched


def test_what_is_fetched_is_tried(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    answers = [None, "/fetched/nginx"]
    monkeypatch.setattr(nginx, "find_nginx", lambda: answers.pop(0))
    monkeypatch.setattr(nginx.shutil, "which", lambda name: f"/usr/bin/{name}")
    monkeypatch.setattr(nginx, "fetch", lambda: None)
    assert nginx.provide() == "/fetched/nginx"


def test_where_none_can_be_had_it_is_a_sentence(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(nginx, "find_nginx", lambda: None)
    monkeypatch.setattr(nginx.shutil, "which", lambda name: None)
    with pytest.raises(SystemExit) as refusal:
        nginx.provide()
    assert refusal.value.code == nginx.MISSING
