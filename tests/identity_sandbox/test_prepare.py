"""Preparing the sandbox: again and again, and with settings that are wrong."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.identity_sandbox.portal import PORTAL, Browser, claims
from tests.sandbox import ROOT, Sandbox


def run(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-W", "error", "-m", "identity_sandbox", *arguments],
        cwd=ROOT,
        env=os.environ | variables,
        capture_output=True,
        text=True,
        timeout=30,
    )


def prepare(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return run("prepare", *arguments, **variables)


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


USAGE = (
    "用法：python -m identity_sandbox prepare，建立数据库、签名密钥、报名系统的客户端和演示账号；可以重复执行；"
    "后面加 --help，可以看到全部选项。"
)
WRONGLY = {
    ("prepare", "--fake"): "没有这样的选项或参数：--fake。执行时加 --help，可以看到全部选项。",
    ("prepare", "demo"): "没有这样的选项或参数：demo。执行时加 --help，可以看到全部选项。",
    ("prepare", "--pythonpath"): "选项 --pythonpath 后面要写一个值。",
    ("prepare", "--traceback=1"): "选项 --traceback 后面不写值。",
    ("prepare", "--no-color", "--force-color"): "--force-color 和 --no-color 不能同时使用。",
    ("prepare", "--verbosity", "9"): "-v/--verbosity 不能写 9。",
    ("prepar",): f"没有命令 prepar。{USAGE}",
}


@pytest.mark.parametrize("written", WRONGLY, ids=" ".join)
def test_used_wrongly_it_says_so_in_one_sentence(tmp_path: Path, written: tuple[str, ...]):
    refused = run(*written, SANDBOX_DATA_DIR=str(tmp_path))
    assert (refused.returncode, refused.stdout, refused.stderr.splitlines()[-1]) == (2, "", WRONGLY[written])
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith("sandbox.sqlite3")] == []


def test_without_a_command_it_says_which_there_is(tmp_path: Path):
    told = run(SANDBOX_DATA_DIR=str(tmp_path))
    assert (told.returncode, told.stdout, told.stderr) == (0, f"{USAGE}\n", "")
