"""Deployment checks: each setting that would hurt, and silence when all is well."""

import base64
import hmac
import os
import re
import secrets
import subprocess
import sys
from hashlib import sha256
from io import StringIO
from pathlib import Path

import pytest
from django.core.checks import Error, Info, Warning
from django.core.checks.registry import registry
from django.core.management.utils import get_random_secret_key

from accounts.checks import CHECKS, key_strength, platform, sessions
from scripts.lint import production as production_environment

ROOT = Path(__file__).resolve().parent.parent.parent
ADDRESS = "https://id.example.cn/o/authorize"
NEW_KEY = "请用 openssl rand -base64 32 为每一项单独生成，再重新启动。"


def random_key(name):
    """32 bytes that look drawn at random, and are the same each time."""
    return sha256(name.encode()).digest()


@pytest.fixture
def production(settings):
    """Settings as they should be."""
    settings.DEBUG = False
    settings.USE_HTTPS = True
    settings.SECRET_KEY = "a-long-enough-secret-key-of-a-portal-in-production-0123456789"
    settings.BLIND_INDEX_KEY = random_key("b")
    settings.FIELD_ENCRYPTION_KEYS = {"k2": random_key("2"), "k1": random_key("1")}
    settings.ALLOWED_HOSTS = ["jnjs.example.cn"]
    settings.TRUSTED_PROXIES = 1
    for name in platform.ADDRESSES:
        setattr(settings, name, ADDRESS)
    return settings


def complaints():
    return [message for check in CHECKS for message in check(None)]


def test_good_settings_are_silent(production):
    assert complaints() == []


def test_a_platform_without_sign_out_is_no_fault(production):
    production.OIDC_OP_LOGOUT_ENDPOINT = ""
    assert complaints() == []


def test_the_checks_run_only_at_deployment():
    assert set(CHECKS) <= registry.deployment_checks
    assert not set(CHECKS) & registry.registered_checks


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
            "请把环境变量 USE_HTTPS 设为 true；前面有反向代理时，同时把 TRUSTED_PROXIES 设为反向代理的层数。",
            id="accounts.E005",
        )
    ]


@pytest.mark.parametrize("name", platform.ADDRESSES)
def test_platform_over_plain_http(production, name):
    setattr(production, name, "http://id.example.cn/o/")
    assert complaints() == [
        Error(
            f"{name} 不是 https 地址，登录信息会以明文传送。",
            "请改为平台的 https:// 地址；平台没有 https 时，请先让平台开通。",
            id="accounts.E004",
        )
    ]


@pytest.mark.parametrize("name", [name for name in platform.ADDRESSES if name != "OIDC_OP_ISSUER"])
def test_an_address_that_is_found_by_discovery_is_no_fault(production, name):
    setattr(production, name, "")
    assert complaints() == []


def test_everything_by_discovery_over_plain_http(production):
    for name in platform.ADDRESSES:
        setattr(production, name, "")
    production.OIDC_OP_ISSUER = "http://id.example.cn"
    assert [(message.id, "OIDC_OP_ISSUER" in message.msg) for message in complaints()] == [("accounts.E004", True)]


@pytest.mark.parametrize("issuer", ["https://id.example.cn/?tenant=city", "https://id.example.cn/#a"])
def test_an_issuer_that_is_none(production, issuer):
    production.OIDC_OP_ISSUER = issuer
    assert complaints() == [
        Error(
            "OIDC_OP_ISSUER 里有 ? 或 #，不是 issuer：平台的地址查不到，登录结果也不能通过核对。",
            "请照平台 /.well-known/openid-configuration 里的 issuer 填写，一个字符都不要差。",
            id="accounts.E020",
        )
    ]


@pytest.mark.parametrize(
    ("name", "most"),
    [("SESSION_IDLE_SECONDS", 1800), ("SESSION_IDLE_STAFF_SECONDS", 900), ("SESSION_MAX_SECONDS", 43200)],
)
def test_sessions_that_last_longer_than_promised(production, name, most):
    setattr(production, name, most + 1)
    assert sessions.check_sessions(None) == [
        Warning(
            f"{name} 是 {most + 1} 秒，比承诺的 {most} 秒长：离开的人迟迟不会自动退出。",
            f"请去掉环境变量 {name}，或改成不大于 {most} 的数。",
            id="accounts.W002",
        )
    ]
    setattr(production, name, most)
    assert sessions.check_sessions(None) == []


def test_an_open_emergency_login_is_told_but_no_fault(production):
    production.EMERGENCY_LOGIN = True
    assert complaints() == [
        Info(
            "EMERGENCY_LOGIN 是打开的，应急账户可以用密码在 /accounts/emergency/ 登录。",
            "平台恢复后，请去掉环境变量 EMERGENCY_LOGIN 并重新启动；用密码登录的会话随即失效。",
            id="accounts.I001",
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
        ({"BLIND_INDEX_KEY": random_key("2")}, "BLIND_INDEX_KEY", "FIELD_ENCRYPTION_KEYS 中的 k2"),
        ({"SECRET_KEY": (random_key("b")).hex()}, "SECRET_KEY", "BLIND_INDEX_KEY"),
        ({"SECRET_KEY": base64.b64encode(random_key("1")).decode()}, "SECRET_KEY", "FIELD_ENCRYPTION_KEYS 中的 k1"),
        (
            {"FIELD_ENCRYPTION_KEYS": {"k2": random_key("1"), "k1": random_key("1")}},
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


def weak(name, reason):
    return Error(f"{name} 太容易猜到：{reason}。", NEW_KEY, id="accounts.E012")


READABLE = b"Our portal's key of 32 characte!"


@pytest.mark.parametrize(
    ("key", "reason"),
    [
        (bytes(32), "是同一段内容重复而成的"),
        (bytes(range(16)) * 2, "是同一段内容重复而成的"),
        (bytes(range(32)), "是按顺序排列的"),
        (bytes(range(255, 223, -1)), "是按顺序排列的"),
        (bytes(range(3, 22)) + bytes([3] * 13), "用到的字节太少"),
        (READABLE, "是一段可以读的文字，不是随机数"),
    ],
)
def test_a_key_that_can_be_guessed(production, key, reason):
    production.BLIND_INDEX_KEY = key
    assert complaints() == [weak("BLIND_INDEX_KEY", reason)]
    production.BLIND_INDEX_KEY = random_key("b")
    production.FIELD_ENCRYPTION_KEYS = {"k3": key}
    assert complaints() == [weak("FIELD_ENCRYPTION_KEYS 中的 k3", reason)]


@pytest.mark.parametrize(
    ("key", "reason"),
    [
        ("0123456789" * 6, "是同一段内容重复而成的"),
        ("ab" * 30, "是同一段内容重复而成的"),
        ("a" * 49 + "bcdefghijk", "太短，或用到的字符太少、太有规律"),
        ("".join(letter * 5 for letter in "abcdefghijklm"), "太短，或用到的字符太少、太有规律"),
        ("0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ", "太短，或用到的字符太少、太有规律"),
        ("Tq3-short-but-random-8fK2", "太短，或用到的字符太少、太有规律"),
    ],
)
def test_a_secret_key_that_can_be_guessed(production, key, reason):
    production.SECRET_KEY = key
    assert complaints() == [weak("SECRET_KEY", reason)]


def test_keys_drawn_at_random_are_no_weak_ones():
    drawn = [*(os.urandom(32) for _ in range(2000)), *(secrets.token_urlsafe(50) for _ in range(500))]
    drawn += [get_random_secret_key() for _ in range(500)]
    assert {key_strength.weakness(key) for key in [*drawn, secrets.token_hex(32)]} == {""}


def sandbox(sign):
    return Error(
        f"{sign}，像是演示用的统一身份认证平台，任何人都能用它登录成任何人。",
        "请改为正式平台的地址，并去掉 identity_sandbox。",
        id="accounts.E013",
    )


def test_the_sandbox_in_production(production):
    production.INSTALLED_APPS = [*production.INSTALLED_APPS, "identity_sandbox"]
    assert complaints() == [sandbox("identity_sandbox 在 INSTALLED_APPS 里")]


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1:8001", "127.9.9.9", "[::1]", "id.localhost"])
def test_a_platform_on_this_machine(production, host):
    production.OIDC_OP_ISSUER = f"https://{host}/o"
    assert complaints() == [sandbox("OIDC_OP_ISSUER 指向本机")]


@pytest.mark.parametrize("host", ["*", ".", ".cn"])
def test_any_host(production, host):
    production.ALLOWED_HOSTS = ["jnjs.example.cn", host]
    assert complaints() == [
        Error(
            f"ALLOWED_HOSTS 里的 {host} 等于不限制域名，别人可以用自己的域名冒充本系统。",
            "请只写本系统自己的域名，例如 jnjs.example.cn。",
            id="accounts.E014",
        )
    ]


def test_a_whole_domain_of_ours_is_no_fault(production):
    production.ALLOWED_HOSTS = [".jnjs.example.cn"]
    assert complaints() == []


@pytest.mark.parametrize("origin", ["https://*", "https://*.example.cn", "http://jnjs.example.cn"])
def test_forms_from_anywhere(production, origin):
    production.CSRF_TRUSTED_ORIGINS = ["https://jnjs.example.cn", origin]
    assert complaints() == [
        Error(
            f"CSRF_TRUSTED_ORIGINS 里的 {origin} 不是确定的 https 来源，别的网站可以替用户提交表单。",
            "请只写带 https:// 的完整来源；没有别的来源就留空。",
            id="accounts.E015",
        )
    ]


def test_several_replicas_on_one_file(production, monkeypatch):
    monkeypatch.setitem(production.DATABASES["default"], "ENGINE", "django.db.backends.sqlite3")
    production.REPLICAS, production.PRIVATE_FOLDER_SHARED = 3, True
    assert complaints() == [
        Error(
            "REPLICAS 是 3，数据库却是 SQLite：多个副本不能共用一个 SQLite 文件。",
            "请把 DATABASE_URL 设为 PostgreSQL，或只运行一个副本并把 REPLICAS 设为 1。",
            id="accounts.E016",
        )
    ]
    monkeypatch.setitem(production.DATABASES["default"], "ENGINE", "django.db.backends.postgresql")
    assert complaints() == []


@pytest.mark.parametrize("backend", ["locmem.LocMemCache", "dummy.DummyCache", "filebased.FileBasedCache"])
def test_a_cache_of_each_process(production, backend):
    production.CACHES = {"default": {"BACKEND": f"django.core.cache.backends.{backend}"}}
    assert complaints() == [
        Error(
            "缓存不是各个进程共用的，限制次数会各算各的。",
            "请把 CACHE_URL 设为 Redis 的地址，或留空以使用数据库里的表。",
            id="accounts.E017",
        )
    ]


def test_https_without_a_proxy(production):
    production.TRUSTED_PROXIES = 0
    assert complaints() == [
        Warning(
            "USE_HTTPS 是打开的，TRUSTED_PROXIES 却是 0：如果 HTTPS 由前面的反向代理处理，每个页面都会不停跳转，"
            "限制次数也会把所有人算成同一个地址。",
            "请把 TRUSTED_PROXIES 设为自己的反向代理的层数，例如 1；应用服务器自己处理 HTTPS 时，可以忽略这一条。",
            id="accounts.W001",
        )
    ]


# As an operator runs it ---------------------------------------------------------------------------------------------


def deploy_check(tmp_path, **changes):
    environment = {name: value for name, value in os.environ.items() if name in {"PATH", "HOME", "LANG"}}
    command = [sys.executable, "-W", "error", "manage.py", "check", "--deploy", "--fail-level", "WARNING"]
    environment |= production_environment(tmp_path) | changes
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


def test_the_deployment_check_is_clean_in_production(tmp_path):
    answer = deploy_check(tmp_path)
    assert (answer.returncode, answer.stderr) == (0, "")
    assert answer.stdout == "System check identified no issues (0 silenced).\n"


def test_the_deployment_check_names_what_is_wrong(tmp_path):
    answer = deploy_check(
        tmp_path, ALLOWED_HOSTS="*", TRUSTED_PROXIES="0", REPLICAS="2", BLIND_INDEX_KEY="A" * 43 + "="
    )
    assert answer.returncode == 1
    named = set(re.findall(r"\((\w+\.\w+)\)", answer.stderr))
    assert named == {"accounts.E012", "accounts.E014", "accounts.E016", "accounts.W001", "accounts.W004"}


def test_replicas_whose_photos_are_on_one_disk(production):
    production.REPLICAS = 3

    def found():
        return [
            message for message in complaints() if message.id != "accounts.E016"
        ]  # the tests' database may be SQLite

    assert found() == [
        Warning(
            "REPLICAS 是 3，照片和附件却放在本机目录里：别的副本看不到。",
            "请设 S3_ENDPOINT_URL 改用对象存储；各副本的 private 目录确实是同一个网络目录时，把 PRIVATE_FOLDER_SHARED 设为 true。",
            id="accounts.W004",
        )
    ]
    production.PRIVATE_FOLDER_SHARED = True
    assert found() == []
    production.PRIVATE_FOLDER_SHARED = False
    production.S3_ENDPOINT_URL = "https://s3.example.cn"
    assert found() == []


def test_photos_over_plain_http(production):
    production.S3_ENDPOINT_URL = "http://s3.example.cn"
    assert complaints() == [
        Warning(
            "S3_ENDPOINT_URL 不是 https 地址，照片会以明文传送。",
            "请改为对象存储的 https:// 地址；对象存储就在本机、不经过网络时，可以忽略这一条。",
            id="accounts.W003",
        )
    ]


def test_photos_that_no_browser_would_show(production):
    production.S3_ENDPOINT_URL, production.PHOTO_DELIVERY = "http://s3.example.cn", "signed"
    assert complaints() == [
        Error(
            "PHOTO_DELIVERY 是 signed，S3_ENDPOINT_URL 却不是 https 地址：浏览器不会在 https 的页面里显示 http 的照片。",
            "请改为对象存储的 https:// 地址，或把 PHOTO_DELIVERY 设为 app。",
            id="accounts.E021",
        )
    ]
    production.S3_ENDPOINT_URL = "https://s3.example.cn"
    assert complaints() == []
