"""`manage.py doctor`: a line for each dependency, and for each fault a line that says what to do, in bounded time."""

import re
import time
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from io import StringIO
from threading import Event

import pytest
from django.conf import settings as portal
from django.core.cache.backends.db import DatabaseCache
from django.core.checks import Error, Warning
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.management import CommandError, call_command
from django.db import OperationalError, connection
from django.db.migrations.recorder import MigrationRecorder

from competition_portal import dependencies, doctor
from competition_portal.pulse import Pulse
from photos.storages import PrivateFolder
from tests.accounts.provider import Answer, Provider, json_answer, running_provider
from tests.photos import object_stores
from tests.smtp_server import MailServer

pytestmark = pytest.mark.django_db(transaction=True)

DATABASE = {"sqlite": "SQLite，N 毫秒。", "postgresql": "PostgreSQL，N 毫秒，时钟相差 N 秒。"}
WELL = [
    "正常  设置：没有错误，2 处提醒（见 check --deploy）。",
    f"正常  数据库：{DATABASE[connection.vendor]}",
    "正常  迁移：N 项都已执行。",
    "正常  照片和附件：本机目录，能写、能读、能删除。",
    "正常  缓存：数据库里的一张表，能写、能读。",
    "正常  统一身份认证平台：地址和公钥都能读到，平台没有告诉我们它的时间，时钟没有核对。",
    "正常  邮件：没有设 MAIL_FROM，不发邮件，消息只在系统内显示。",
    "正常  后台工作进程：1 个在运行。",
]


@pytest.fixture(autouse=True)
def all_well(monkeypatch, settings):
    """A platform, a worker, and settings as in production: of the tests' own, the checks would have much to say."""
    found = [Warning("a"), Warning("b")]
    monkeypatch.setattr(doctor.checks, "run_checks", lambda **options: found)
    with running_provider() as provider, Pulse("worker-1", "*"):
        for name, value in provider.settings().items():
            setattr(settings, name, value)
        yield provider, found


@pytest.fixture
def provider(all_well) -> Provider:
    return all_well[0]


def run():
    """Its lines without what is measured, and the last word: what it said in the end or why it ended with 1."""
    out = StringIO()
    try:
        call_command("doctor", stdout=out)
    except CommandError as problem:
        assert problem.returncode == 1
        return [measured(line) for line in out.getvalue().splitlines()], str(problem)
    *lines, last = out.getvalue().splitlines()
    return [measured(line) for line in lines], last


def measured(line):
    head, colon, rest = line.partition("：")
    if head in {"正常  数据库", "正常  迁移"}:
        rest = re.sub(r"\d+(\.\d+)?", "N", rest)
    return head + colon + rest


def ill(*lines):
    """All is well but for these, which stand in the place of their names."""
    named = {line.partition("：")[0][4:]: line for line in lines}
    wrong = sum(line.startswith("出错") for line in lines)
    expected = [named.get(line.partition("：")[0][4:], line) for line in WELL]
    return expected, f"{wrong} 处出错，请按上面的说明处理，再执行一次。"


def away(*args, **kwargs):
    raise OperationalError("connection to 10.1.2.3 as portal with secret-detail failed")


# All is well ------------------------------------------------------------------------------------------------------------


def test_a_line_for_each():
    before = list(default_storage.walk("uploads"))
    assert run() == (WELL, "全部正常。")
    assert (before, list(default_storage.walk("uploads"))) == ([], [])


# Faults -----------------------------------------------------------------------------------------------------------------


def test_settings(all_well):
    all_well[1][:] = [
        Error("DEBUG 是打开的。", "请去掉\n环境变量 DEBUG。", id="x.E001"),
        Warning("a"),
        Error("乙。", id="x.E002"),
    ]
    lines, last = run()
    assert (lines[:2], lines[2:], last) == (
        ["出错  设置：DEBUG 是打开的。请去掉 环境变量 DEBUG。（x.E001）", "出错  设置：乙。（x.E002）"],
        WELL[1:],
        "2 处出错，请按上面的说明处理，再执行一次。",
    )


def test_a_silenced_check_is_not_told(all_well, settings):
    settings.SILENCED_SYSTEM_CHECKS = ["x.E001"]
    all_well[1].append(Error("甲", id="x.E001"))
    assert run() == (WELL, "全部正常。")


def test_a_database_that_refuses(monkeypatch):
    monkeypatch.setattr(dependencies, "ask_database", away)
    assert run() == ill(
        "出错  数据库：不能用（OperationalError）。请检查 DATABASE_URL、数据库是否在运行、网络是否通。",
        "未查  迁移：要先处理好“数据库”。",
        "未查  缓存：要先处理好“迁移”。",
        "未查  后台工作进程：要先处理好“迁移”。",
    )


def test_a_database_that_does_not_answer(monkeypatch):
    end = Event()
    short = [
        doctor.Check(c.name, c.look, c.cure, 0.2 if c.name == "数据库" else c.seconds, c.needs) for c in doctor.CHECKS
    ]
    monkeypatch.setattr(doctor, "CHECKS", short)
    monkeypatch.setattr(dependencies, "ask_database", lambda: end.wait(30))
    answer = run()
    end.set()
    assert answer[0][1] == "出错  数据库：0.2 秒内没有回应。请检查 DATABASE_URL、数据库是否在运行、网络是否通。"


@pytest.mark.skipif(connection.vendor != "postgresql", reason="a database of its own machine has no clock of its own")
@pytest.mark.parametrize(("seconds", "said"), [(95, "快 95 秒"), (-95, "慢 95 秒")])
def test_the_clock_of_the_database(monkeypatch, seconds, said):
    """This machine's is moved: the database's own cannot be."""
    now = time.time
    monkeypatch.setattr(doctor.time, "time", lambda: now() - seconds)
    lines, _ = run()
    assert lines[1] == f"出错  数据库：数据库的时钟比本机{said}，截止时间和后台任务会判断错。{doctor.NTP}"


def test_a_migration_that_is_not_done():
    row = MigrationRecorder.Migration.objects.filter(app="registrations").last()
    row.delete()
    try:
        answer = run()
    finally:
        row.save(force_insert=True)
    assert answer == ill(
        f"出错  迁移：有 1 项没有执行，第一项是 registrations.{row.name}。请执行 python manage.py migrate。",
        "未查  缓存：要先处理好“迁移”。",
        "未查  后台工作进程：要先处理好“迁移”。",
    )


STORAGE_CURE = "请检查目录能不能写、磁盘满没满；用对象存储的，检查 S3_ 开头的设置。"


def test_a_full_disk(monkeypatch):
    def full(*args):
        raise OSError(28, "No space left on device", "/srv/secret-detail")

    monkeypatch.setattr(PrivateFolder, "_save", full)
    assert run() == ill(f"出错  照片和附件：不能用（OSError）。{STORAGE_CURE}")


def test_a_disk_that_gives_back_something_else(monkeypatch):
    monkeypatch.setattr(PrivateFolder, "_open", lambda *args: ContentFile(b"something else"))
    assert run() == ill("出错  照片和附件：写进去的文件读出来不一样。请检查磁盘或对象存储，先不要让人上传照片。")
    assert list(default_storage.walk("uploads")) == []


def test_an_object_store(settings, tmp_path):
    with object_stores.rclone(tmp_path) as endpoint:
        settings.STORAGES = {**settings.STORAGES, "default": object_stores.options(endpoint)}
        settings.S3_ENDPOINT_URL = endpoint
        assert run()[0][3] == "正常  照片和附件：对象存储，能写、能读、能删除。"
        settings.STORAGES = {**settings.STORAGES, "default": object_stores.options(endpoint, secret_key="wrong")}
        lines, _ = run()
    assert lines[3] == f"出错  照片和附件：不能用（OSError）。{STORAGE_CURE}"


def test_a_cache_that_is_away(monkeypatch):
    monkeypatch.setattr(DatabaseCache, "set", away)
    assert run() == ill("出错  缓存：不能用（OperationalError）。请检查 CACHE_URL 和 Redis。")


def test_a_cache_that_forgets(monkeypatch):
    monkeypatch.setattr(DatabaseCache, "get", lambda *args, **kwargs: None)
    assert run() == ill("出错  缓存：写进去的读不出来，限制次数会失灵。请检查 Redis 的内存上限和淘汰策略。")


def dated(seconds):
    moment = datetime.now(UTC) + timedelta(seconds=seconds)
    return {"headers": f"Date: {format_datetime(moment, usegmt=True)}\r\n"}


@pytest.mark.parametrize(("seconds", "said"), [(200, "快"), (-200, "慢")])
def test_the_clock_of_the_platform(provider, seconds, said):
    provider.keys_answer = json_answer({"keys": provider.keys}, **dated(seconds))
    (line,) = [line for line in run()[0] if "统一身份认证平台" in line]
    head, _, tail = line.partition(said)
    assert head == "出错  统一身份认证平台：平台的时钟比本机"
    assert tail.partition(" 秒")[2] == f"，相差 120 秒以上就没有人能登录。{doctor.NTP}"
    assert 195 <= int(tail.split()[0]) <= 205


def test_a_platform_that_tells_the_time(provider):
    provider.keys_answer = json_answer({"keys": provider.keys}, **dated(0))
    (line,) = [line for line in run()[0] if "统一身份认证平台" in line]
    assert line.rstrip("0123456789 秒。") == "正常  统一身份认证平台：地址和公钥都能读到，时钟相差"


LOGIN = f"没有人能登录。{doctor.PLATFORM_CURE}"


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (Answer(status=503), f"平台连不上、太慢或出错（ConnectionError），{LOGIN}"),
        (Answer(b"<html>", content_type="text/html"), f"平台的回答不合规范（content type），{LOGIN}"),
        (json_answer({"keys": []}), "平台没有公布签名用的公钥，没有人能登录。请联系平台。"),
    ],
)
def test_a_platform_that_is_not_well(provider, answer, says):
    provider.keys_answer = answer
    assert run() == ill(f"出错  统一身份认证平台：{says}")


def test_the_document_of_another_issuer(provider, settings):
    for name, value in provider.discovered().items():
        setattr(settings, name, value)
    provider.document = {"issuer": "https://elsewhere.example"}
    assert run() == ill(f"出错  统一身份认证平台：平台的回答不合规范（discovery is another issuer's），{LOGIN}")


@contextmanager
def mailing(settings, **server):
    with MailServer(**server) as mail_server:
        options = {"host": "127.0.0.1", "port": mail_server.port, "timeout": 2}
        settings.MAILERS = {"default": {"BACKEND": "registrations.smtp.BoundedBackend", "OPTIONS": options}}
        settings.MAIL_FROM = "noreply@example.cn"
        yield mail_server


MAIL = f"邮件服务器连不上或不让登录（{{}}）。{doctor.MAIL_CURE}"


def test_a_mail_server(settings):
    with mailing(settings) as server:
        assert (run()[0][6], server.taken) == ("正常  邮件：邮件服务器有回应。", [])


@pytest.mark.parametrize(
    ("server", "code"),
    [({"greeting": "554 secret-detail, go away"}, "smtp 554"), ({"drip": True}, "SMTPServerDisconnected")],
)
def test_a_mail_server_that_does_not_let_us_in(settings, server, code):
    with mailing(settings, **server):
        assert run() == ill(f"出错  邮件：{MAIL.format(code)}")


def test_a_mail_server_that_is_not_there(settings):
    with mailing(settings):
        pass
    assert run() == ill(f"出错  邮件：{MAIL.format('ConnectionRefusedError')}")


def test_mail_in_a_folder(settings, tmp_path):
    settings.MAIL_FROM, settings.MAIL_FOLDER = "noreply@example.cn", tmp_path / "mail"
    assert run()[0][6] == "正常  邮件：写成文件，不发出去（MAIL_FOLDER）。"
    assert list((tmp_path / "mail").iterdir()) == []


def test_no_worker(monkeypatch):
    monkeypatch.setattr(dependencies, "living", lambda seconds: set())
    assert run() == ill(f"出错  后台工作进程：没有一个在运行。{doctor.START_WORKER}")


def test_nothing_that_is_secret_is_told(monkeypatch, provider, settings):
    """Everything fails at once, each with a secret in its mouth."""
    monkeypatch.setattr(dependencies, "ask_database", away)
    monkeypatch.setattr(PrivateFolder, "_save", away)
    monkeypatch.setattr(DatabaseCache, "set", away)
    provider.keys_answer = Answer(b"secret-detail", content_type="secret-detail/x")
    with mailing(settings, greeting="554 secret-detail"):
        text = "".join("".join(part) for part in run())
    secrets = ("secret-detail", portal.SECRET_KEY, portal.OIDC_RP_CLIENT_SECRET, "10.1.2.3")
    assert [secret for secret in secrets if secret in text] == []


def test_it_says_what_it_does_in_chinese(capsys):
    with pytest.raises(SystemExit):
        call_command("doctor", "--help")
    assert "退出码：0没有出错的；1有出错的" in "".join(capsys.readouterr().out.split())
