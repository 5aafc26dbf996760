"""Finding a Chromium, and the sentence when there is none and none can be installed."""

from pathlib import Path

import pytest

from scripts import browser


@pytest.fixture
def programs(tmp_path: Path) -> Path:
    for name in ("chromium-browser", "google-chrome", "my-chromium"):
        (tmp_path / name).write_text("#!/bin/sh\n")
        (tmp_path / name).chmod(0o755)
    return tmp_path


def test_the_named_one_goes_first(programs: Path):
    environment = {"PATH": str(programs), "CHROMIUM": str(programs / "my-chromium")}
    assert browser.find_chromium(environment) == str(programs / "my-chromium")


def test_one_that_does_not_start_is_passed_over(programs: Path):
    (programs / "chromium-browser").write_text("#!/bin/sh\necho install it with snap >&2\nexit 1\n")
    assert browser.find_chromium({"PATH": str(programs)}) == str(programs / "google-chrome")


def test_none_is_none(tmp_path: Path):
    assert browser.find_chromium({"PATH": str(tmp_path), "CHROMIUM": "/nowhere/chromium"}) is None


def test_where_none_can_be_had_it_is_a_sentence(monkeypatch: pytest.MonkeyPatch):
    for name, answer in (("find_chromium", None), ("has_chinese_font", True), ("may_install_packages", False)):
        monkeypatch.setattr(browser, name, lambda answer=answer: answer)
    monkeypatch.setattr(browser, "playwright_has_one", lambda: False)
    monkeypatch.setattr(browser.subprocess, "run", lambda *command, **options: None)
    with pytest.raises(SystemExit) as refusal:
        browser.provide()
    assert refusal.value.code == browser.MISSING
