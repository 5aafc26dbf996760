"""Settings come from the environment, and a wrong value is refused at the start with its cure, never with the value."""

import base64
import os
import re
import runpy
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.utils.csp import CSP

from competition_portal import bounded, environment
from competition_portal.variables import VARIABLES
from competition_portal.variables.variable import FOLLOWS, REQUIRED
from photos.spec import PhotoSpec
from tests.environment import DEFAULTS

ROOT = Path(__file__).resolve().parent.parent
SETTINGS = str(ROOT / "competition_portal" / "settings.py")
KEY = base64.b64encode(b"k" * 32).decode()
SECRET = "0123456789" * 6
POSTGRES = "postgres://portal:pass-word@db.example.cn:5433/portal?sslmode=require"


@pytest.fixture
def read(monkeypatch, tmp_path):
    """`read(NAME=value, …)` is the settings under these variables and no other; None takes one away."""
    base = {name: value for name, value in DEFAULTS.items() if name.startswith("OIDC_")}
    base |= {"SECRET_KEY": SECRET, "DATA_DIR": str(tmp_path / "data")}

    def settings(**variables):
        kept = {name: value for name, value in (base | variables).items() if value is not None}
        monkeypatch.setattr(os, "environ", kept)
        return runpy.run_path(SETTINGS)

    return settings


WRONG = [
    ("DEBUG", "perhaps"),
    ("SECRET_KEY", "too-short"),
    ("SECRET_KEY", "a" * 60),
    ("SECRET_KEY", "django-insecure-" + SECRET),
    ("ALLOWED_HOSTS", "https://jnjs.example.cn"),
    ("ALLOWED_HOSTS", "jnjs.example.cn:8000"),
    ("ALLOWED_HOSTS", ","),
    ("CSRF_TRUSTED_ORIGINS", "jnjs.example.cn"),
    ("USE_HTTPS", "2"),
    ("TRUSTED_PROXIES", "always"),
    ("DATA_DIR", "/proc/nowhere"),
    ("DATABASE_URL", "mysql://portal:pass-word@db/portal"),
    ("DATABASE_URL", "postgres://portal:pass-word@db:port/portal"),
    ("DATABASE_URL", "nonsense-with-pass-word"),
    ("DATABASE_POOL_SIZE", "0"),
    ("DATABASE_POOL_SIZE", "-1"),
    ("DATABASE_POOL_SIZE", "٣"),
    ("DATABASE_POOL_SIZE", "many"),
    ("MIGRATION_LOCK_TIMEOUT", "0"),
    ("MIGRATION_LOCK_TIMEOUT", "61"),
    ("MIGRATION_STATEMENT_TIMEOUT", "1m"),
    ("DATABASE_POOLER", "pgbouncer"),
    ("CACHE_URL", "memcached://cache:11211"),
    ("CACHE_URL", "locmem://"),
    ("CACHE_URL", "redis:///0"),
    ("CACHE_URL", "redis://cache:port/0"),
    ("REPLICAS", "0"),
    ("REPLICAS", "some"),
    ("LOG_LEVEL", "LOUD"),
    ("LOG_FORMAT", "xml"),
    ("METRICS_TOKEN", "short"),
    ("METRICS_TOKEN", "a" * 64),
    ("METRICS_TOKEN", "with a blank " + "0123456789abcdef" * 4),
    ("WORKER_METRICS_PORT", "65536"),
    ("SLOW_QUERY_MS", "0"),
    ("SLOW_REQUEST_MS", "2s"),
    ("FIELD_ENCRYPTION_KEYS", KEY),
    ("FIELD_ENCRYPTION_KEYS", "k1:c2hvcnQ="),
    ("FIELD_ENCRYPTION_KEYS", f"k1:{KEY},k1:{KEY}"),
    ("FIELD_ENCRYPTION_KEYS", f"k-1:{KEY}"),
    ("FIELD_ENCRYPTION_KEYS", ","),
    ("BLIND_INDEX_KEY", "not base64!"),
    ("BLIND_INDEX_KEY", "c2hvcnQ="),
    ("RETENTION_DAYS", "drafts"),
    ("RETENTION_DAYS", "drafts:0"),
    ("RETENTION_DAYS", "drafts:-5"),
    ("RETENTION_DAYS", "drafts:30.5"),
    ("RETENTION_DAYS", "drafts:36501"),
    ("RETENTION_DAYS", "drafts:30,drafts:40"),
    ("RETENTION_DAYS", "everything:30"),
    ("RETENTION_DAYS", "audit:183"),
    ("RETENTION_DAYS", ","),
    ("PHOTO_SPEC", "width"),
    ("PHOTO_SPEC", "width:wide"),
    ("PHOTO_SPEC", "width:1"),
    ("PHOTO_SPEC", "width:413,height:295"),
    ("PHOTO_SPEC", "width:295,width:413"),
    ("PHOTO_SPEC", "depth:3"),
    ("PHOTO_SPEC", "background:green"),
    ("PHOTO_SPEC", "min_kilobytes:200,max_kilobytes:200"),
    ("PHOTO_DAILY_UPLOADS", "0"),
    ("PHOTO_DAILY_UPLOADS", "many"),
    ("PHOTO_DAILY_MEGABYTES", "19"),
    ("PHOTO_DAILY_MEGABYTES", "300 MB"),
    ("PHOTO_DELIVERY", "nginx"),
    ("PHOTO_ACCEL_PREFIX", "protected"),
    ("PHOTO_ACCEL_PREFIX", "/protected"),
    ("PHOTO_ACCEL_PREFIX", "/"),
    ("PHOTO_ACCEL_PREFIX", "//"),
    ("PHOTO_ACCEL_PREFIX", "/protected/../"),
    ("PHOTO_ACCEL_PREFIX", "/pro tected/"),
    ("PHOTO_ACCEL_PREFIX", "/pro%20tected/"),
    ("S3_ENDPOINT_URL", "s3.example.cn"),
    ("S3_ENDPOINT_URL", "file:///srv/photos"),
    ("S3_ENDPOINT_URL", "https://key:pass-word@s3.example.cn"),
    ("S3_ENDPOINT_URL", "https://s3.example.cn/?bucket=photos"),
    ("S3_ENDPOINT_URL", "https://s3.example.cn:port"),
    ("S3_ENDPOINT_URL", "https://s3.example.cn; script-src *"),
    ("S3_BUCKET", "competition/portal"),
    ("S3_BUCKET", "s3"),
    ("S3_BUCKET", "照片"),
    ("S3_ACCESS_KEY", "two words"),
    ("S3_SECRET_KEY", "密码"),
    ("S3_REGION", "cn north 1"),
    ("PRIVATE_FOLDER_SHARED", "perhaps"),
    ("OIDC_OP_ISSUER", "id.example.cn"),
    ("OIDC_OP_AUTHORIZATION_ENDPOINT", "javascript:alert(1)"),
    ("OIDC_OP_TOKEN_ENDPOINT", "https://"),
    ("OIDC_OP_USER_ENDPOINT", "ftp://id.example.cn/"),
    ("OIDC_OP_JWKS_ENDPOINT", "//id.example.cn"),
    ("OIDC_OP_LOGOUT_ENDPOINT", "logout"),
    ("OIDC_RP_SCOPES", "profile"),
    ("SESSION_IDLE_SECONDS", "0"),
    ("SESSION_IDLE_STAFF_SECONDS", "15m"),
    ("SESSION_MAX_SECONDS", "-1"),
    ("EMERGENCY_LOGIN", "perhaps"),
    ("PORTAL_URL", "jnjs.example.cn"),
    ("MAIL_FROM", "nobody"),
    ("MAIL_FROM", "竞赛\x1b <noreply@example.cn>"),
    ("MAIL_PORT", "65536"),
    ("MAIL_SECURITY", "ssl3"),
    ("MAIL_TIMEOUT", "11"),
    ("MAIL_TIMEOUT", "0"),
    ("SMS_BACKEND", "ConsoleSms"),
    ("SMS_BACKEND", "registrations.sms."),
]


@pytest.mark.parametrize(("name", "value"), WRONG)
def test_a_wrong_value_is_refused_with_its_cure(read, name, value):
    with pytest.raises(ImproperlyConfigured) as refusal:
        read(**{name: value})
    cure = VARIABLES[name].cure
    assert str(refusal.value) == f"环境变量 {name} 的值不正确。{cure}"
    assert cure.endswith("。")


@pytest.mark.parametrize(
    "name",
    [
        "SECRET_KEY",
        "OIDC_OP_ISSUER",
        "OIDC_RP_CLIENT_ID",
        "OIDC_RP_CLIENT_SECRET",
    ],
)
@pytest.mark.parametrize("value", [None, "", "  "])
def test_what_is_missing_is_named_with_its_cure(read, name, value):
    with pytest.raises(ImproperlyConfigured) as refusal:
        read(**{name: value})
    assert str(refusal.value) == f"缺少环境变量 {name}。{VARIABLES[name].cure}"


def test_no_wrong_value_is_repeated_where_the_portal_is_started():
    """A traceback goes to a log that many can read, and a secret may stand in the wrong variable."""
    wrong = {"DATABASE_URL": "postgres://portal:pass-word@db:port/portal"}
    variables = {**os.environ, "SECRET_KEY": SECRET, **wrong, "DJANGO_SETTINGS_MODULE": "competition_portal.settings"}
    command = [sys.executable, "-c", "import competition_portal.wsgi"]
    answer = subprocess.run(command, cwd=ROOT, env=variables, capture_output=True, text=True, check=False)
    assert answer.returncode == 1
    assert "环境变量 DATABASE_URL 的值不正确。写 postgres://用户:密码@主机:端口/库名" in answer.stderr
    assert [word for word in ("pass-word", "KeyError", "ValueError") if word in answer.stderr + answer.stdout] == []


def test_a_database_file_where_nothing_can_be_written(read):
    with pytest.raises(ImproperlyConfigured) as refusal:
        read(DATABASE_URL="sqlite:////proc/nowhere/portal.sqlite3")
    assert str(refusal.value) == "SQLite 数据库所在的目录不能写入。请把 DATA_DIR 或 DATABASE_URL 换成可写的路径。"


def test_sqlite_waits_at_the_start_of_a_transaction(read, tmp_path):
    settings = read()
    database = settings["DATABASES"]["default"]
    assert (database["ENGINE"], database["NAME"]) == (
        "django.db.backends.sqlite3",
        str(tmp_path / "data" / "portal.sqlite3"),
    )
    assert database["OPTIONS"] == {
        "transaction_mode": "IMMEDIATE",
        "timeout": 10,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA secure_delete=ON;",
    }
    assert (tmp_path / "data").is_dir()


def test_postgresql_is_asked_through_a_pool(read):
    database = read(DATABASE_URL=POSTGRES, DATABASE_POOL_SIZE="12")["DATABASES"]["default"]
    assert database["OPTIONS"] == {
        "sslmode": "require",
        "pool": bounded.pool(12),
        "connect_timeout": 2,
        "tcp_user_timeout": 10_000,
        "keepalives_idle": 10,
        "keepalives_interval": 5,
        "keepalives_count": 3,
        # The same from the other side: what the server does when it is the portal that has vanished.
        "options": "-c tcp_keepalives_idle=10 -c tcp_keepalives_interval=5 -c tcp_keepalives_count=3",
    }
    # A pool asks for connections that Django does not keep on its own.
    assert (database["HOST"], database["PORT"], database["CONN_MAX_AGE"], database["CONN_HEALTH_CHECKS"]) == (
        "db.example.cn",
        5433,
        0,
        True,
    )


def test_behind_a_pooler_no_cursor_outlives_its_statement(read):
    direct, pooled = (
        read(DATABASE_URL=POSTGRES, **told)["DATABASES"]["default"] for told in ({}, {"DATABASE_POOLER": "true"})
    )
    assert (direct["DISABLE_SERVER_SIDE_CURSORS"], pooled["DISABLE_SERVER_SIDE_CURSORS"]) == (False, True)
    # Nor does it take settings for a session: its sessions are everybody's.
    assert pooled["OPTIONS"] == {name: value for name, value in direct["OPTIONS"].items() if name != "options"}


def test_what_the_server_is_told_of_a_session_the_operator_may_tell_otherwise(read):
    own = f"{POSTGRES}&options=-c%20idle_in_transaction_session_timeout%3D60s"
    options = read(DATABASE_URL=own, SERVER_SOFTWARE="gunicorn/23")["DATABASES"]["default"]["OPTIONS"]["options"]
    told = [f"idle_in_transaction_session_timeout={seconds}s" for seconds in (10, 60)]
    assert options.split(" -c ")[-2:] == told  # PostgreSQL takes the last


def test_replicas_share_a_cache_in_the_database_or_in_redis(read):
    shared = read()["CACHES"]["default"]
    assert (shared["BACKEND"], shared["LOCATION"]) == ("django.core.cache.backends.db.DatabaseCache", "shared_cache")
    redis = read(CACHE_URL="rediss://:pass-word@cache.example.cn:6380/1")["CACHES"]["default"]
    assert redis == {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": "rediss://:pass-word@cache.example.cn:6380/1",
        "KEY_PREFIX": "portal",
        "OPTIONS": {"socket_connect_timeout": 1, "socket_timeout": 1},
    }


def test_static_files_lie_beside_the_code_and_not_where_a_volume_hides_them(read, tmp_path):
    assert read()["STATIC_ROOT"] == ROOT / ".static"
    assert read(STATIC_ROOT=str(tmp_path))["STATIC_ROOT"] == tmp_path


CAREFUL = (
    *("SECURE_SSL_REDIRECT", "SESSION_COOKIE_SECURE", "CSRF_COOKIE_SECURE"),
    *("SECURE_HSTS_INCLUDE_SUBDOMAINS", "SECURE_HSTS_PRELOAD"),
)


@pytest.mark.parametrize(
    ("variables", "https"),
    [
        ({"ALLOWED_HOSTS": "jnjs.example.cn"}, True),
        ({"ALLOWED_HOSTS": "jnjs.example.cn", "USE_HTTPS": "false"}, False),
        ({"ALLOWED_HOSTS": "jnjs.example.cn,localhost"}, True),
        ({"ALLOWED_HOSTS": "localhost"}, False),
        ({"DEBUG": "true"}, False),
        ({"DEBUG": "true", "USE_HTTPS": "yes"}, True),
    ],
)
def test_https_is_on_where_others_can_reach_the_portal(read, variables, https):
    settings = read(**variables)
    assert {name: settings[name] for name in CAREFUL} == dict.fromkeys(CAREFUL, https)
    assert settings["SECURE_HSTS_SECONDS"] == (365 * 24 * 3600 if https else 0)


COOKIES = ("NAME", "SECURE", "HTTPONLY", "SAMESITE", "PATH", "DOMAIN")


@pytest.mark.parametrize(("https", "prefix"), [("true", "__Host-"), ("false", "")])
def test_cookies_belong_to_this_host_alone(read, https, prefix):
    """RFC 6265bis, 4.1.3.2: __Host- asks for Secure, Path=/ and no Domain."""
    settings = read(USE_HTTPS=https)
    found = {kind: [settings.get(f"{kind}_COOKIE_{name}") for name in COOKIES] for kind in ("SESSION", "CSRF")}
    assert found == {
        "SESSION": [f"{prefix}portal_session", https == "true", True, "Lax", "/", None],
        "CSRF": [f"{prefix}portal_csrf", https == "true", True, "Lax", "/", None],
    }
    assert settings["MESSAGE_STORAGE"] == "accounts.sealed_messages.SealedMessages"


def test_how_long_one_stays_signed_in(read):
    names = ("SESSION_IDLE_SECONDS", "SESSION_IDLE_STAFF_SECONDS", "SESSION_MAX_SECONDS", "SESSION_COOKIE_AGE")
    assert [read()[name] for name in names] == [30 * 60, 15 * 60, 12 * 3600, 24 * 3600]
    assert read(SESSION_IDLE_SECONDS="60")["SESSION_IDLE_SECONDS"] == 60


def test_what_differs_while_developing(read):
    settings = read(DEBUG="true", SECRET_KEY=None)
    assert settings["SECRET_KEY"] == settings["DEVELOPMENT_SECRET_KEY"]
    assert (settings["DEBUG"], settings["WHITENOISE_USE_FINDERS"], read()["DEBUG"]) == (True, True, False)


def test_a_proxy_is_believed_only_when_told_to(read):
    assert read()["SECURE_PROXY_SSL_HEADER"] is None
    assert read(TRUSTED_PROXIES="2")["SECURE_PROXY_SSL_HEADER"] == ("HTTP_X_FORWARDED_PROTO", "https")


def test_keys_in_the_order_given(read):
    other = base64.b64encode(b"o" * 32).decode()
    settings = read(FIELD_ENCRYPTION_KEYS=f" k2:{other}, k1:{KEY} ", BLIND_INDEX_KEY=KEY)
    assert list(settings["FIELD_ENCRYPTION_KEYS"].items()) == [("k2", b"o" * 32), ("k1", b"k" * 32)]
    assert settings["BLIND_INDEX_KEY"] == b"k" * 32


def test_the_content_security_policy_leaves_nothing_open(read):
    policy = read(OIDC_OP_LOGOUT_ENDPOINT="https://id.example.cn/o/logout/")["SECURE_CSP"]
    assert policy == {
        "default-src": [CSP.SELF],
        "script-src": [CSP.SELF],
        "style-src": [CSP.SELF],
        "img-src": [CSP.SELF, "data:", "blob:"],
        "object-src": [CSP.NONE],
        "base-uri": [CSP.NONE],
        "frame-ancestors": [CSP.NONE],
        "form-action": [CSP.SELF, "https://id.example.cn"],
        "report-uri": ["/csp-report/"],
        "report-to": ["csp"],
    }
    assert "unsafe" not in str(policy)


def test_signing_out_may_end_where_the_platform_has_no_sign_out(read):
    settings = read(OIDC_OP_LOGOUT_ENDPOINT="", OIDC_OP_AUTHORIZATION_ENDPOINT="https://login.example.cn/authorize")
    assert settings["SECURE_CSP"]["form-action"] == [CSP.SELF, "https://login.example.cn"]


STORE = {
    "S3_ENDPOINT_URL": "https://s3.example.cn:9000/tenant",
    "S3_BUCKET": "competition-portal",
    "S3_ACCESS_KEY": "portal",
    "S3_SECRET_KEY": "only/for+tests=",
}


@pytest.mark.parametrize("missing", STORE)
def test_an_object_store_that_is_half_described(read, missing):
    """Without its address alone, photos would silently go to the local disk."""
    with pytest.raises(ImproperlyConfigured) as refusal:
        read(**{**STORE, missing: " "})
    given = "、".join(name for name in STORE if name != missing)
    assert str(refusal.value) == f"设了 {given}，就还要设 {missing}。{VARIABLES[missing].cure}"


def test_where_private_files_are(read, tmp_path):
    assert read()["STORAGES"]["default"] == {
        "BACKEND": "photos.storages.PrivateFolder",
        "OPTIONS": {"location": tmp_path / "data" / "private"},
    }
    assert read(**STORE, S3_REGION="cn-north-1")["STORAGES"]["default"] == {
        "BACKEND": "photos.object_store.ObjectStore",
        "OPTIONS": {
            "endpoint": "https://s3.example.cn:9000/tenant",
            "bucket": "competition-portal",
            "access_key": "portal",
            "secret_key": "only/for+tests=",
            "region": "cn-north-1",
        },
    }


MISMATCH = "环境变量 PHOTO_DELIVERY 与存放照片的地方不相配。signed 要有对象存储（S3_ENDPOINT_URL），accel 要没有；不确定时写 app。"


@pytest.mark.parametrize(("way", "store"), [("signed", {}), ("accel", STORE)], ids=["signed", "accel"])
def test_a_delivery_that_does_not_fit_the_storage(read, way, store):
    with pytest.raises(ImproperlyConfigured) as refusal:
        read(PHOTO_DELIVERY=way, **store)
    assert str(refusal.value) == MISMATCH


@pytest.mark.parametrize(
    ("way", "store", "origins"),
    [
        ("APP", {}, []),
        ("app", STORE, []),
        ("accel", {}, []),
        ("signed", STORE, ["https://s3.example.cn:9000"]),
    ],
)
def test_pictures_come_from_the_store_only_where_it_delivers(read, way, store, origins):
    settings = read(PHOTO_DELIVERY=way, **store)
    assert settings["PHOTO_DELIVERY"] == way.lower()
    assert settings["SECURE_CSP"]["img-src"] == [CSP.SELF, "data:", "blob:", *origins]


def test_what_one_person_may_send_in_a_day(read):
    names = ["PHOTO_DAILY_UPLOADS", "PHOTO_DAILY_MEGABYTES", "PHOTO_ACCEL_PREFIX", "PRIVATE_FOLDER_SHARED"]
    assert [read()[name] for name in names] == [60, 300, "/protected/", False]
    given = dict(zip(names, ["1", "20", "/inside/photos.d/", "true"], strict=True))
    assert [read(**given)[name] for name in names] == [1, 20, "/inside/photos.d/", True]


def test_what_photos_must_be(read):
    assert read()["PHOTO_SPEC"] == PhotoSpec()
    told = read(PHOTO_SPEC=" width: 413, height:626,min_kilobytes:20,background:blue,note:免冠 ")["PHOTO_SPEC"]
    assert told == PhotoSpec(width=413, height=626, min_kilobytes=20, background="blue", note="免冠")


def test_how_long_data_is_kept(read):
    kinds = ["drafts", "jobs", "closed_plans", "uploads", "kept_forms", "sessions", "invitations", "consents", "audit"]
    kinds += ["messages", "tasks"]
    days = [180, 30, 365, 30, 1, 1, 30, 1095, 1095, 365, 7]
    assert list(read()["RETENTION"].items()) == list(zip(kinds, days, strict=True))
    given = read(RETENTION_DAYS=" audit: 184 ,drafts:90")["RETENTION"]
    days[0], days[8] = 90, 184
    assert list(given.items()) == list(zip(kinds, days, strict=True))


ENDPOINTS = [f"OIDC_OP_{name}_ENDPOINT" for name in ("AUTHORIZATION", "TOKEN", "USER", "JWKS", "LOGOUT")]


def test_addresses_that_are_not_said_are_found_at_the_issuer(read):
    settings = read(OIDC_OP_ISSUER="https://id.example.cn/realms/city", **dict.fromkeys(ENDPOINTS))
    assert [settings[name] for name in ENDPOINTS] == [""] * 5
    assert settings["PLATFORM_ORIGIN"] == "https://id.example.cn"
    assert settings["SECURE_CSP"]["form-action"] == [CSP.SELF, "https://id.example.cn"]


@pytest.mark.parametrize(
    ("value", "backends"), [(None, []), ("false", []), ("true", ["accounts.emergency.EmergencyBackend"])]
)
def test_passwords_work_only_in_an_emergency(read, value, backends):
    settings = read(EMERGENCY_LOGIN=value)
    assert settings["AUTHENTICATION_BACKENDS"] == ["accounts.oidc.PlatformBackend", *backends]


def test_how_the_portal_speaks_and_signs_in(read):
    settings = read()
    names = ["LANGUAGE_CODE", "TIME_ZONE", "USE_TZ", "OIDC_RP_SIGN_ALGO", "OIDC_USE_PKCE", "X_FRAME_OPTIONS"]
    assert [settings[name] for name in names] == ["zh-hans", "Asia/Shanghai", True, "RS256", True, "DENY"]
    assert settings["AUTHENTICATION_BACKENDS"] == ["accounts.oidc.PlatformBackend"]


def test_every_variable_is_in_the_operators_table(read, monkeypatch):
    asked = []
    real = environment.read
    monkeypatch.setattr(environment, "read", lambda name, **given: asked.append(name) or real(name, **given))
    read()
    page = (ROOT / "docs" / "operations" / "configuration.md").read_text()
    named = re.findall(r"^\|\s*`([A-Z0-9_]+)`\s*\|", page, re.MULTILINE)
    assert sorted(named) == sorted(asked)


def test_what_follows_from_other_variables_has_been_worked_out(read):
    """FOLLOWS and REQUIRED are for whoever declares a variable; no setting is one of them."""
    assert [name for name, value in read().items() if value is FOLLOWS or value is REQUIRED] == []


def mailer(settings):
    """What the backend is told, and which one it is."""
    (only,) = settings["MAILERS"].values()
    return only["BACKEND"].rsplit(".", 2)[-2:], only["OPTIONS"]


def test_mail_goes_out_encrypted_and_in_bounded_time(read):
    given = {"MAIL_FROM": "竞赛 <noreply@example.cn>", "MAIL_HOST": "smtp.example.cn"}
    options = {
        "host": "smtp.example.cn",
        "port": 587,
        "username": "",
        "password": "",
        "use_tls": True,
        "use_ssl": False,
    }
    assert mailer(read(**given)) == (["smtp", "BoundedBackend"], options | {"timeout": 10})
    other = given | {"MAIL_PORT": "465", "MAIL_SECURITY": "tls", "MAIL_USER": "portal", "MAIL_PASSWORD": "secret"}
    changed = {"port": 465, "username": "portal", "password": "secret", "use_tls": False, "use_ssl": True, "timeout": 3}
    assert mailer(read(**other, MAIL_TIMEOUT="3")) == (["smtp", "BoundedBackend"], options | changed)


def test_mail_can_be_kept_in_a_folder_or_left_alone(read, tmp_path):
    kept = read(MAIL_FROM="noreply@example.cn", MAIL_FOLDER=str(tmp_path))
    assert mailer(kept) == (["filebased", "EmailBackend"], {"file_path": str(tmp_path)})
    alone = read()
    assert (alone["MAIL_FROM"], alone["SMS_BACKEND"]) == ("", "")


@pytest.mark.parametrize(
    "given",
    [
        {"MAIL_HOST": "smtp.example.cn"},
        {"MAIL_FOLDER": "mail"},
        {"MAIL_FROM": "noreply@example.cn"},
        {"MAIL_FROM": "noreply@example.cn", "MAIL_HOST": "smtp.example.cn", "MAIL_FOLDER": "mail"},
        {"MAIL_FROM": "noreply@example.cn", "MAIL_HOST": "smtp.example.cn", "MAIL_USER": "portal"},
    ],
)
def test_half_of_what_mail_needs_is_refused(read, given):
    with pytest.raises(ImproperlyConfigured, match="就还要设"):
        read(**given)


@pytest.mark.parametrize(
    ("given", "address"),
    [
        ({"PORTAL_URL": "https://jnjs.example.cn/"}, "https://jnjs.example.cn/"),
        ({"ALLOWED_HOSTS": "jnjs.example.cn,other.example.cn"}, "https://jnjs.example.cn"),
        ({"ALLOWED_HOSTS": ".example.cn", "USE_HTTPS": "false"}, "http://example.cn"),
    ],
)
def test_links_in_mail_lead_to_the_portal(read, given, address):
    assert read(**given)["PORTAL_URL"] == address
