"""The demo's secrets, environments and words."""

import json
import stat
from pathlib import Path

import pytest

from competition_portal.variables import VARIABLES, parsers
from scripts import demo
from scripts.demo_environment import environments, keep_secrets


def test_secrets_are_made_once_and_for_the_owner_alone(tmp_path: Path):
    path = tmp_path / "secrets.json"
    (tmp_path / "secrets.draft").write_text("an interrupted run's")
    made = keep_secrets(path)
    assert keep_secrets(path) == made == json.loads(path.read_text())
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [file.name for file in tmp_path.iterdir()] == ["secrets.json"]


def test_the_portal_accepts_the_secrets(tmp_path: Path):
    made = keep_secrets(tmp_path / "secrets.json")
    assert parsers.secret(made["SECRET_KEY"]) == made["SECRET_KEY"]
    assert list(parsers.keyring(made["FIELD_ENCRYPTION_KEYS"])) == ["demo"]
    assert len(parsers.aes_key(made["BLIND_INDEX_KEY"])) == 32


def test_the_two_are_told_about_each_other_and_nothing_of_what_was_set_for_others(tmp_path: Path):
    inherited = {
        "PATH": "/bin",
        "DJANGO_SETTINGS_MODULE": "others.settings",
        **dict.fromkeys(VARIABLES, "set for production"),
    }
    portal, sandbox = environments(tmp_path / "demo", 8000, 8001, inherited)
    secrets = json.loads((tmp_path / "demo" / "secrets.json").read_text())
    common = {
        "PATH": "/bin",
        "NO_PROXY": "127.0.0.1,localhost",
        "no_proxy": "127.0.0.1,localhost",
        "PYTHONUNBUFFERED": "1",
    }
    client_secret = secrets.pop("SANDBOX_CLIENT_SECRET")
    assert sandbox == {
        **common,
        "SANDBOX_ORIGIN": "http://127.0.0.1:8001",
        "SANDBOX_DATA_DIR": str(tmp_path / "demo" / "sandbox"),
        "SANDBOX_CLIENT_ID": "competition-portal",
        "SANDBOX_CLIENT_SECRET": client_secret,
        "PORTAL_ORIGIN": "http://127.0.0.1:8000",
    }
    assert portal == {
        **common,
        **secrets,
        "DEBUG": "false",
        "USE_HTTPS": "false",
        "LOG_FORMAT": "text",
        "ALLOWED_HOSTS": "localhost,127.0.0.1",
        "DATA_DIR": str(tmp_path / "demo"),
        "STATIC_ROOT": str(tmp_path / "demo" / "static"),
        "PORTAL_URL": "http://127.0.0.1:8000",
        "MAIL_FROM": "职业技能竞赛网上报名系统 <noreply@example.cn>",
        "MAIL_FOLDER": str(tmp_path / "demo" / "mail"),
        "SMS_BACKEND": "registrations.sms.ConsoleSms",
        "OIDC_OP_ISSUER": "http://127.0.0.1:8001/o",
        "OIDC_OP_AUTHORIZATION_ENDPOINT": "http://127.0.0.1:8001/o/authorize/",
        "OIDC_OP_TOKEN_ENDPOINT": "http://127.0.0.1:8001/o/token/",
        "OIDC_OP_USER_ENDPOINT": "http://127.0.0.1:8001/o/userinfo/",
        "OIDC_OP_JWKS_ENDPOINT": "http://127.0.0.1:8001/o/.well-known/jwks.json",
        "OIDC_OP_LOGOUT_ENDPOINT": "http://127.0.0.1:8001/o/logout/",
        "OIDC_RP_CLIENT_ID": "competition-portal",
        "OIDC_RP_CLIENT_SECRET": client_secret,
    }


def test_a_table_stands_straight_with_chinese_in_it():
    assert demo.table([("用户名", "姓名", "角色"), ("anna", "ANNA", "报名人员"), ("operator", "马运维", "运维")]) == [
        "  用户名    姓名    角色",
        "  anna      ANNA    报名人员",
        "  operator  马运维  运维",
    ]


@pytest.mark.parametrize(
    ("ports", "expected"), [((8000, 8001), "demo"), ((9000, 8001), "demo"), ((8000, 9001), "demo-9001")]
)
def test_another_issuer_has_another_folder(ports: tuple[int, int], expected: str):
    assert demo.data_dir(ports[1]).name == expected
