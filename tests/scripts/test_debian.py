"""Finding the servers around the portal, and the sentence when there is none and none can be fetched."""

import os
from pathlib import Path

import pytest

from scripts import debian
from scripts.debian import HAPROXY, NGINX, PGBOUNCER, REDIS


def program(path: Path, text: str = "") -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return str(path)


def test_the_named_one_goes_first(tmp_path: Path):
    program(tmp_path / "redis-server")
    named = program(tmp_path / "my-redis")
    assert debian.find(REDIS, {"PATH": str(tmp_path), "REDIS_SERVER": named}, tmp_path) == named


def test_one_that_does_not_start_is_passed_over(tmp_path: Path):
    program(tmp_path / "nginx", "exit 1")
    fetched = program(tmp_path / "fetched" / "usr" / "sbin" / "nginx")
    assert debian.find(NGINX, {"PATH": str(tmp_path)}, tmp_path / "fetched") == fetched


def test_each_is_asked_for_its_version_in_its_own_way(tmp_path: Path):
    fussy = program(tmp_path / "pgbouncer", '[ "$1" = "--version" ]')
    assert debian.find(PGBOUNCER, {"PATH": str(tmp_path)}, tmp_path / "nothing") == fussy


def test_a_fetched_one_finds_its_libraries(tmp_path: Path):
    libraries = tmp_path / "usr" / "lib" / "x86_64-linux-gnu"
    libraries.mkdir(parents=True)
    fetched = program(
        tmp_path / "usr" / "sbin" / "haproxy", f'case "$LD_LIBRARY_PATH" in *{libraries}) ;; *) exit 1; esac'
    )
    assert debian.find(HAPROXY, {"PATH": "/nothing"}, tmp_path) in {
        fetched,
        *(f"{place}/haproxy" for place in ("/usr/sbin", "/usr/local/sbin")),
    }
    assert (
        debian.surroundings({"LD_LIBRARY_PATH": "/own"}, tmp_path)["LD_LIBRARY_PATH"] == f"/own{os.pathsep}{libraries}"
    )


def test_what_is_fetched_is_tried(monkeypatch: pytest.MonkeyPatch):
    answers = [None, "/fetched/nginx"]
    fetched = []
    monkeypatch.setattr(debian, "find", lambda server: answers.pop(0))
    monkeypatch.setattr(debian.shutil, "which", lambda name: f"/usr/bin/{name}")
    monkeypatch.setattr(debian, "fetch", fetched.append)
    assert (debian.provide(NGINX), fetched) == ("/fetched/nginx", [NGINX])


def test_where_none_can_be_had_it_is_a_sentence(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(debian, "find", lambda server: None)
    monkeypatch.setattr(debian.shutil, "which", lambda name: None)
    with pytest.raises(SystemExit) as refusal:
        debian.provide(REDIS)
    assert refusal.value.code == (
        "没有找到 redis-server，也没能取到。请先安装 redis-server（或用环境变量 REDIS_SERVER 写明它的路径），再运行一次。"
    )
