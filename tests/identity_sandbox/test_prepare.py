"""Preparing the sandbox: again and again, and with settings that are wrong."""

import os
import re
import subprocess
import sys
from pathlib import Path

from tests.identity_sandbox.portal import PORTAL, Browser, claims
from tests.sandbox import ROOT, Sandbox


def prepare(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-W", "error", "-m", "identity_sandbox", "prepare", *arguments],
        cwd=ROOT,
        env=os.environ | variables,
        capture_output=True,
        text=True,
        timeout=30,
    )


def test_prepared_again_everything_is_as_it_was(sandbox: Sandbox, data_dir: Path, browser: Browser):
    secrets = {name: (data_dir / name).read_bytes() for name in ("secret-key", "signing-key.pem")}
    again = prepare(
        SANDBOX_ORIGIN=sandbox.origin,
        SANDBOX_DATA_DIR=str(data_dir),
        SANDBOX_CLIENT_SECRET=sandbox.client_secret,
        PORTAL_ORIGIN=PORTAL,
    )
    said = f"演示用身份认证平台已就绪：{sandbox.origin}（12 个演示账号）\n"
    assert (again.returncode, again.stdout, again.stderr) == (0, said, "")
    assert {name: (data_dir / name).read_bytes() for name in secrets} == secrets
    assert {(data_dir / name).stat().st_mode & 0o777 for name in secrets} == {0o600}
    assert claims(browser.sign_in("zhangwei")) == {"sub": "demo-zhangwei"}


def test_a_wrong_origin_is_a_sentence(tmp_path: Path):
    refused = prepare(PORTAL_ORIGIN="portal.test", SANDBOX_DATA_DIR=str(tmp_path))
    sentence = "环境变量 PORTAL_ORIGIN 的值不正确。请写协议、主机和端口，例如 http://127.0.0.1:8000。"
    assert (refused.returncode, refused.stdout) == (1, "")
    assert refused.stderr == f"演示用身份认证平台的设置有误，没有启动：{sentence}\n"


def test_help_is_chinese(tmp_path: Path):
    told = prepare("--help", SANDBOX_DATA_DIR=str(tmp_path))
    assert (told.returncode, told.stderr, told.stdout.startswith("用法：python -m identity_sandbox prepare")) == (
        0,
        "",
        True,
    )
    typed = re.findall(
        r"python -m identity_sandbox prepare|(?<![-\w])-{1,2}[a-z-]+|PYTHONPATH|Python|Django", told.stdout
    )
    assert set(re.findall(r"[A-Za-z]+", told.stdout)) <= set(re.findall(r"[A-Za-z]+", " ".join(typed)))
    options = told.stdout.partition("选项")[2].split("\n  -")[1:]
    assert [option for option in options if not re.search("[\u4e00-\u9fff]", option)] == []
