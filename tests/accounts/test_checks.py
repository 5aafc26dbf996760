"""Deployment checks: each setting that would hurt, and silence when all is well."""

import base64
import hmac
import os
import subprocess
import sys
from io import StringIO

import pytest
from django.core.checks import Error
from django.core.checks.registry import registry

from accounts import checks

ADDRESS = "https://id.example.cn/o/authorize"
NEW_KEY = "请用 openssl rand -base64 32 为每一项单独生成，再重新启动。"


@pytest.fixture
def production(settings):
    """Settings as they should be."""
    settings.DEBUG = False
    settings.USE_HTTPS = True
    settings.SECRET_KEY = "a-long-enough-secret-key-of-a-portal-in-production-0123456789"
    settings.BLIND_INDEX_KEY = b"b" * 32
    settings.FIELD_ENCRYPTION_KEYS = {"k2": b"2" * 32, "k1": b"1" * 32}
    for name in checks.ADDRESSES:
        setattr(settings, name, ADDRESS)
    return settings


def complaints():
    return [message for check in checks.CHECKS for message in check(None)]


def test_good_settings_are_silent(production):
    assert complaints() == []


def test_a_platform_without_sign_out_is_no_fault(production):
    production.OIDC_OP_LOGOUT_ENDPOINT = ""
    assert complaints() == []


def test_the_checks_run_only_at_deployment():
    assert set(checks.CHECKS) <= registry.deployment_checks
    assert not set(checks.CHECKS) & registry.registered_checks


def test_debug(production):
    production.DEBUG = True
    assert complaints() == [
        Error(
            "DEBUG 是打开的，出错页面会泄露个人信息和密钥。",
            "请去掉环境变量 DEBUG，或设为 false。",
            id="accounts.E001",
        )
    ]


def test_plain_http(production):
    production.USE_HTTPS = False
    assert complaints() == [
        Error(
            "USE_HTTPS 是关闭的，会话和证件号码会以明文传送。",
            "请把环境变量 USE_HTTPS 设为 true；前面有反向代理时，同时把 TRUST_PROXY 设为 true。",
            id="accounts.E005",
        )
    ]


@pytest.mark.parametrize("name", checks.ADDRESSES)
def test_platform_over_plain_http(production, name):
    setattr(production, name, "http://id.example.cn/o/")
    assert complaints() == [
        Error(
            f"{name} 不是 https 地址，登录信息会以明文传送。",
            "请改为平台的 https:// 地址；平台没有 https 时，请先让平台开通。",
            id="accounts.E004",
        )
    ]


@pytest.mark.parametrize("recode", [bytes.hex, lambda key: base64.b64encode(key).decode()])
def test_development_key(production, recode):
    production.SECRET_KEY = recode(bytes.fromhex(production.DEVELOPMENT_SECRET_KEY))
    assert complaints() == [Error("SECRET_KEY 用的是开发环境的密钥，任何人都知道。", NEW_KEY, id="accounts.E002")]


@pytest.mark.parametrize(
    ("name", "shown"),
    [("BLIND_INDEX_KEY", "BLIND_INDEX_KEY"), ("FIELD_ENCRYPTION_KEYS", "FIELD_ENCRYPTION_KEYS 中的 derived")],
)
def test_keys_that_follow_from_the_secret_key(production, name, shown):
    derived = production.DERIVED_KEYS[name]
    setattr(production, name, {"derived": derived} if name == "FIELD_ENCRYPTION_KEYS" else derived)
    sentence = f"{shown} 没有设置，现在是从 SECRET_KEY 推算的：一旦更换 SECRET_KEY，证件号码就再也读不出来。"
    assert complaints() == [Error(sentence, NEW_KEY, id="accounts.E006")]


@pytest.mark.parametrize(
    ("changes", "first", "second"),
    [
        ({"BLIND_INDEX_KEY": b"2" * 32}, "BLIND_INDEX_KEY", "FIELD_ENCRYPTION_KEYS 中的 k2"),
        ({"SECRET_KEY": (b"b" * 32).hex()}, "SECRET_KEY", "BLIND_INDEX_KEY"),
        ({"SECRET_KEY": base64.b64encode(b"1" * 32).decode()}, "SECRET_KEY", "FIELD_ENCRYPTION_KEYS 中的 k1"),
        (
            {"FIELD_ENCRYPTION_KEYS": {"k2": b"1" * 32, "k1": b"1" * 32}},
            "FIELD_ENCRYPTION_KEYS 中的 k2",
            "FIELD_ENCRYPTION_KEYS 中的 k1",
        ),
    ],
)
def test_one_key_for_two_purposes(production, changes, first, second):
    for name, value in changes.items():
        setattr(production, name, value)
    assert complaints() == [
        Error(f"{first} 与 {second} 是同一个密钥，一个泄露就等于全部泄露。", NEW_KEY, id="accounts.E003")
    ]


def test_no_complaint_repeats_a_key(production):
    secret = bytes.fromhex(production.DEVELOPMENT_SECRET_KEY)
    production.SECRET_KEY = secret.hex()
    production.BLIND_INDEX_KEY = production.FIELD_ENCRYPTION_KEYS["k1"] = secret
    page = StringIO()
    for message in complaints():
        print(message, file=page)
    assert secret.hex() not in page.getvalue()
    assert base64.b64encode(secret).decode() not in page.getvalue()


def test_without_keys_of_their_own_they_follow_from_the_secret_key():
    """What an operator gets who sets SECRET_KEY alone; the portal starts, and `check --deploy` complains."""
    names = ("FIELD_ENCRYPTION_KEYS", "BLIND_INDEX_KEY")
    source = f"from competition_portal import settings; print([getattr(settings, name) for name in {names}])"
    environment = {**os.environ, **dict.fromkeys(names, ""), "SECRET_KEY": "0123456789" * 6, "DEBUG": "false"}
    answer = subprocess.run([sys.executable, "-c", source], env=environment, check=True, capture_output=True, text=True)
    field, index = (hmac.digest(b"0123456789" * 6, name.encode(), "sha256") for name in names)
    assert answer.stdout == f"{[{'derived': field}, index]}\n"
