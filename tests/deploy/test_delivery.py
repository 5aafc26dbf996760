"""Photos as operators have them delivered: by nginx from the folder, by a store from its bucket, to a real browser."""

import re
import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import pytest
import requests
from playwright.sync_api import Page, expect

from scripts import debian
from tests.browser.applicant import Applicant
from tests.browser.conftest import watch
from tests.browser.pictures import drawn_photo
from tests.certificates import certificate
from tests.deploy import sites
from tests.photos import object_stores
from tests.photos.object_stores import rclone
from tests.waiting import until

# All of them by name, or pytest would do those with a browser first, and build the fixture of the module twice.
pytestmark = [pytest.mark.browser, pytest.mark.usefixtures("browser_name")]

COOKIE = "portal_session"
PRIVATE = {"Cache-Control": "private, no-store", "X-Content-Type-Options": "nosniff"}
PRIVATE |= {"Content-Disposition": "inline", "Cross-Origin-Resource-Policy": "same-origin"}


def session(owner: str, site: sites.Portal, cookie: str, trusted: Path | None = None) -> requests.Session:
    """A client that is signed in; it keeps to what it is asked and follows nothing."""
    client = requests.Session()
    client.trust_env = False
    client.verify = str(trusted) if trusted else True
    client.headers["Cookie"] = f"{cookie}={site.keys[owner]}"
    return client


def told(answer: requests.Response, *names: str) -> dict[str, str]:
    return {name: answer.headers.get(name, "") for name in (*PRIVATE, *names)}


def row(site: sites.Portal) -> tuple[str, str]:
    """Address and file name of the one portrait that there is."""
    with sqlite3.connect(site.folder / "portal.sqlite3") as database:
        [(number, name)] = database.execute("SELECT id, file FROM photos_portrait").fetchall()
    database.close()
    return f"/photos/portraits/{UUID(number)}/", name


def photographed(new_context, origin: str, cookie: str, key: str) -> Page:
    """A page on which its owner sees the portrait that was uploaded, judged by the decoder and cropped just now."""
    complaints: list[str] = []
    context = new_context(base_url=origin, ignore_https_errors=True)
    watch(context, complaints)
    secure = origin.startswith("https")
    context.add_cookies([{"name": cookie, "value": key, "url": origin, "secure": secure}])
    page = context.new_page()
    page.goto("/profile/photo/")
    applicant = Applicant(page)
    applicant.upload({"name": "自拍.jpg", "mimeType": "image/jpeg", "buffer": drawn_photo()})
    applicant.crop()
    applicant.sees_portrait()
    assert complaints == []
    return page


# --- By nginx ---------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def trusted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return certificate(tmp_path_factory.mktemp("certificate"))


@pytest.fixture(scope="module")
def behind_nginx(tmp_path_factory: pytest.TempPathFactory, trusted: Path) -> Iterator[tuple[str, sites.Portal]]:
    try:
        program = debian.provide(debian.NGINX)
    except SystemExit as missing:
        pytest.fail(str(missing))
    production = {"USE_HTTPS": "true", "TRUSTED_PROXIES": "1", "PHOTO_DELIVERY": "accel"}
    folder = tmp_path_factory.mktemp("accel")
    with sites.portal(folder, **production) as site, sites.nginx(program, site, trusted) as origin:
        yield origin, site


def test_nginx_delivers_what_the_portal_lets_through_and_nothing_else(new_context, behind_nginx, trusted) -> None:
    origin, site = behind_nginx
    cookie = f"__Host-{COOKIE}"
    photographed(new_context, origin, cookie, site.keys["王晓明"])
    address, name = row(site)
    owner, stranger = (session(person, site, cookie, trusted) for person in ("王晓明", "李芳"))

    answer = owner.get(origin + address)
    assert (answer.status_code, answer.content) == (200, (site.folder / "private" / name).read_bytes())
    assert told(answer, "Content-Type", "Server", "ETag", "Strict-Transport-Security", "X-Accel-Redirect") == {
        **PRIVATE,
        "Content-Type": "image/jpeg",
        "Server": "nginx",
        "ETag": "",
        "Strict-Transport-Security": "max-age=31536000; includeSubDomains; preload",
        "X-Accel-Redirect": "",
    }
    # The portal itself gave no byte of it away: nginx took the file.
    beside = requests.get(
        site.origin + address,
        headers={"Cookie": f"{cookie}={site.keys['王晓明']}", "X-Forwarded-Proto": "https"},
        timeout=10,
    )
    assert (beside.content, beside.headers["X-Accel-Redirect"]) == (b"", f"/protected/{name}")

    refused = stranger.get(origin + address)
    assert (refused.status_code, "<h1>没有找到这个页面</h1>" in refused.text) == (404, True)
    anonymous = requests.get(origin + address, verify=str(trusted), allow_redirects=False, timeout=10)
    assert (anonymous.status_code, anonymous.headers["Location"].split("?")[0]) == (302, "/accounts/login/")
    for who in (owner, stranger):
        for path in (f"/protected/{name}", f"/protected/./{name}", f"/%70rotected/{name}", f"/private/{name}"):
            assert (path, who.get(origin + path).status_code) == (path, 404)


def test_nginx_says_in_chinese_what_it_does_not_let_through(behind_nginx, trusted) -> None:
    origin, site = behind_nginx
    owner = session("王晓明", site, f"__Host-{COOKIE}", trusted)
    large = owner.post(f"{origin}/profile/photo/", data=b"x" * (22 * 1024 * 1024))
    assert (large.status_code, large.headers["Content-Type"]) == (413, "text/html; charset=utf-8")
    assert "照片最多 20 MB，请把照片缩小，再返回上一页重新上传。" in large.text
    assert large.headers["Cache-Control"] == "private, no-store"
    # It looks as the queue's own pages do.
    queue = (sites.DEPLOY / "pages" / "busy.html").read_text()
    assert re.findall("<style>.*?</style>|<header>.*?</header>", large.text) == re.findall(
        "<style>.*?</style>|<header>.*?</header>", queue
    )


def test_nginx_leads_to_its_own_name_alone(behind_nginx) -> None:
    _, site = behind_nginx
    plain = re.findall(r"listen 127\.0\.0\.1:(\d+);", (site.folder / "nginx.conf").read_text())[0]
    answer = requests.get(
        f"http://127.0.0.1:{plain}/plans/?page=2",
        headers={"Host": "evil.example"}, allow_redirects=False, timeout=10,
    )  # fmt: skip
    assert (answer.status_code, answer.headers["Location"]) == (301, "https://jnjs.example.cn/plans/?page=2")


def test_nginx_tells_nobody_what_is_counted(behind_nginx, trusted) -> None:
    """Not even whether there is a token; what else begins alike is the portal's to answer."""
    origin, _ = behind_nginx
    answers = [requests.get(origin + path, verify=str(trusted), timeout=10) for path in ("/metrics", "/metrics/")]
    assert [(answer.status_code, "<h1>" in answer.text) for answer in answers] == [(404, False), (404, True)]


def test_nginx_writes_down_no_query(behind_nginx, trusted) -> None:
    origin, site = behind_nginx
    session("王晓明", site, f"__Host-{COOKIE}", trusted).get(f"{origin}/plans/?q=secret-word")
    until(lambda: '"GET /plans/" 200' in (site.folder / "nginx-access.log").read_text())
    assert "secret-word" not in (site.folder / "nginx-access.log").read_text()


def test_nginx_writes_down_no_query_of_what_fails(behind_nginx, trusted, tmp_path) -> None:
    """The line of an error has the whole request: the code of a login, while its replica is being restarted."""
    _, site = behind_nginx
    (tmp_path / "private").mkdir()
    with sites.nginx(
        debian.provide(debian.NGINX), replace(site, origin="http://127.0.0.1:9", folder=tmp_path), trusted
    ) as origin:
        failed = requests.get(f"{origin}/accounts/callback/?code=secret-word", verify=str(trusted), timeout=10)
        assert (failed.status_code, "系统暂时不可用" in failed.text) == (502, True)
        until(lambda: '"GET /accounts/callback/" 502' in (tmp_path / "nginx-access.log").read_text())
    written = "".join(log.read_text() for log in tmp_path.glob("nginx*.log"))
    assert "secret-word" not in written


def test_nginx_writes_down_no_invitation(behind_nginx, trusted) -> None:
    """Whoever reads the link may join a committee: the portal's own lines leave it out, and this one as well."""
    origin, site = behind_nginx
    session("王晓明", site, f"__Host-{COOKIE}", trusted).get(f"{origin}/plans/invitation/invite_0123456789abcdefghij/")
    until(lambda: '"GET /plans/invitation/***" 404' in (site.folder / "nginx-access.log").read_text(), patience=10)
    assert "0123456789abcdefghij" not in (site.folder / "nginx-access.log").read_text()


# --- By the store -----------------------------------------------------------------------------------------------------


def test_the_store_delivers_by_addresses_that_the_portal_signs(new_context, tmp_path: Path) -> None:
    (tmp_path / "store").mkdir()
    with rclone(tmp_path / "store") as store:
        described = {
            "S3_ENDPOINT_URL": store,
            "S3_BUCKET": object_stores.BUCKET,
            "S3_ACCESS_KEY": object_stores.ACCESS_KEY,
            "S3_SECRET_KEY": object_stores.SECRET_KEY,
        }
        with sites.portal(tmp_path / "portal", PHOTO_DELIVERY="signed", **described) as site:
            page = photographed(new_context, site.origin, COOKIE, site.keys["王晓明"])
            seen: list[str] = []
            page.on("response", lambda answer: answer.url.startswith(store) and seen.append(answer.url))
            page.reload()
            Applicant(page).sees_portrait()
            address, name = row(site)
            assert [url.split("?")[0] for url in seen] == [f"{store}/{object_stores.BUCKET}/{name}"]

            owner, stranger = (session(person, site, COOKIE) for person in ("王晓明", "李芳"))
            sent_on = owner.get(site.origin + address, allow_redirects=False)
            assert (sent_on.status_code, sent_on.content, told(sent_on)) == (302, b"", PRIVATE)
            assert "X-Amz-Expires=60&" in sent_on.headers["Location"]
            picture = requests.get(sent_on.headers["Location"], timeout=10)
            assert picture.content == (tmp_path / "store" / object_stores.BUCKET / name).read_bytes()
            kept = {"Content-Type": "image/jpeg", "Cache-Control": "private, no-store", "Content-Disposition": "inline"}
            assert {said: picture.headers[said] for said in kept} == kept
            unsigned = requests.get(sent_on.headers["Location"].split("?")[0], timeout=10)
            assert unsigned.status_code in {400, 403}
            assert stranger.get(site.origin + address).status_code == 404
            assert not (site.folder / "private").exists()
            expect(page.locator("img.portrait")).to_be_visible()
