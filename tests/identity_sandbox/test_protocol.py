"""The code flow as the portal sees it: tokens, claims, refusals, signing out."""

import time
from urllib.parse import urlencode

import requests

from tests.identity_sandbox.portal import PORTAL, SIGNED_OUT, Browser, claims, redeem, userinfo, verified
from tests.sandbox import Sandbox


def test_discovery_names_what_the_portal_is_told(sandbox: Sandbox):
    found = requests.get(f"{sandbox.issuer}/.well-known/openid-configuration", timeout=5).json()
    told = sandbox.portal_settings()
    assert {
        "OIDC_OP_ISSUER": found["issuer"],
        "OIDC_OP_AUTHORIZATION_ENDPOINT": found["authorization_endpoint"],
        "OIDC_OP_TOKEN_ENDPOINT": found["token_endpoint"],
        "OIDC_OP_USER_ENDPOINT": found["userinfo_endpoint"],
        "OIDC_OP_JWKS_ENDPOINT": found["jwks_uri"],
        "OIDC_OP_LOGOUT_ENDPOINT": found["end_session_endpoint"],
        "OIDC_RP_CLIENT_ID": "competition-portal",
        "OIDC_RP_CLIENT_SECRET": sandbox.client_secret,
    } == told


def test_a_verified_person_signs_in(browser: Browser, sandbox: Sandbox):
    before = int(time.time())
    browser.sign_in("wangxiaoming")
    answer = browser.answer
    code = answer.pop("code")
    assert answer == {"state": "the-state", "iss": sandbox.issuer}

    tokens = redeem(sandbox, code).json()
    assert sorted(tokens) == ["access_token", "expires_in", "id_token", "refresh_token", "scope", "token_type"]
    told = verified(sandbox, tokens["id_token"])
    assert before <= told["iat"] and before <= told["auth_time"] and told["exp"] - told["iat"] == 600
    assert {name: told[name] for name in told if name not in {"iat", "exp", "auth_time", "jti", "at_hash"}} == {
        "iss": sandbox.issuer,
        "aud": sandbox.client_id,
        "sub": "demo-wangxiaoming",
        "nonce": "the-nonce",
    }
    assert userinfo(sandbox, tokens["access_token"]) == {
        "sub": "demo-wangxiaoming",
        "name": "王晓明",
        "id_type": "resident_id",
        "id_number": "11010519900307101X",
        "phone_number": "13800001001",
        "phone_number_verified": True,
    }


def test_a_code_is_good_once(browser: Browser, sandbox: Sandbox):
    code = browser.sign_in("lifang").answer["code"]
    answers = [redeem(sandbox, code), redeem(sandbox, code)]
    assert [answer.status_code for answer in answers] == [200, 400]
    assert answers[1].json()["error"] == "invalid_grant"


def test_a_bare_account_gives_only_its_subject(browser: Browser):
    assert claims(browser.sign_in("zhangwei")) == {"sub": "demo-zhangwei"}


def test_a_passport(browser: Browser):
    assert claims(browser.sign_in("anna")) == {
        "sub": "demo-anna",
        "name": "ANNA MUELLER",
        "id_type": "passport",
        "id_number": "C01X00T47",
        "phone_number": "13800001006",
        "phone_number_verified": True,
    }


def test_without_the_scope_profile_nothing_but_the_subject(browser: Browser):
    browser.arrive(scope="openid").press("登录", username="lifang", password="demo-2026")
    assert claims(browser) == {"sub": "demo-lifang"}


def test_signed_in_once_the_next_time_goes_straight_through(browser: Browser):
    browser.sign_in("lifang")
    assert claims(browser.arrive()) == claims(browser.arrive())


def test_a_wrong_client_secret_is_refused(browser: Browser, sandbox: Sandbox):
    answer = redeem(sandbox, browser.sign_in("lifang").answer["code"], secret="wrong")
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")


def test_a_wrong_code_verifier_is_refused(browser: Browser, sandbox: Sandbox):
    answer = redeem(sandbox, browser.sign_in("lifang").answer["code"], code_verifier="another-" * 6)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")


def test_an_unknown_way_back_is_refused_before_the_password_is_asked(browser: Browser):
    for change in ({"redirect_uri": "http://elsewhere.test/"}, {"client_id": "unknown"}):
        browser.arrive(**change)
        assert (browser.status, browser.page.heading, browser.path) == (400, "不能登录", "/o/authorize/")


def test_without_pkce_the_portal_is_told_no(browser: Browser):
    browser.arrive(code_challenge=None, code_challenge_method=None)
    answer = browser.answer
    assert (answer["error"], answer["state"]) == ("invalid_request", "the-state")


def test_plain_pkce_is_refused(browser: Browser):
    browser.arrive(code_challenge_method="plain").press("登录", username="lifang", password="demo-2026")
    assert browser.answer["error"] == "invalid_request"


def test_prompt_none_says_that_nobody_is_signed_in(browser: Browser):
    assert browser.arrive(prompt="none").answer == {"error": "login_required", "state": "the-state"}
    browser.sign_in("lifang")
    assert claims(browser.arrive(prompt="none"))["sub"] == "demo-lifang"


def test_prompt_login_asks_again(browser: Browser):
    browser.sign_in("lifang")
    browser.arrive(prompt="login")
    assert (browser.path, browser.page.heading) == ("/login/", "登录")
    assert claims(browser.press("登录", username="chenjing", password="demo-2026"))["sub"] == "demo-chenjing"


def test_cancel_comes_back_to_the_portal_as_a_refusal(browser: Browser):
    browser.arrive().click("取消并返回")
    answer = browser.answer
    assert (answer["error"], answer["state"], "code" in answer) == ("access_denied", "the-state", False)


def test_cancel_goes_nowhere_on_a_strangers_word(browser: Browser):
    browser.open(f"/cancel/?{urlencode({'client_id': 'competition-portal', 'redirect_uri': 'http://elsewhere.test/'})}")
    assert (browser.status, browser.page.heading) == (400, "不能登录")


def sign_out(browser: Browser, **query: str) -> Browser:
    return browser.open(f"{browser.sandbox.issuer}/logout/?{urlencode(query)}")


def test_signing_out_comes_back_and_the_password_is_asked_again(browser: Browser, sandbox: Sandbox):
    id_token = redeem(sandbox, browser.sign_in("lifang").answer["code"]).json()["id_token"]
    sign_out(browser, id_token_hint=id_token, post_logout_redirect_uri=SIGNED_OUT, state="bye")
    assert browser.url == f"{SIGNED_OUT}?state=bye"
    assert (browser.arrive().path, browser.page.heading) == ("/login/", "登录")


def test_signing_out_twice_is_no_mistake(browser: Browser, sandbox: Sandbox):
    id_token = redeem(sandbox, browser.sign_in("lifang").answer["code"]).json()["id_token"]
    for _ in range(2):
        sign_out(browser, id_token_hint=id_token, post_logout_redirect_uri=SIGNED_OUT)
        assert browser.url == SIGNED_OUT


def test_signing_out_without_a_hint_asks(browser: Browser, sandbox: Sandbox):
    browser.sign_in("lifang")
    sign_out(browser, client_id=sandbox.client_id, post_logout_redirect_uri=SIGNED_OUT)
    assert (browser.status, browser.page.heading) == (200, "退出登录")
    assert browser.press("退出登录", allow="true").url == SIGNED_OUT
    assert browser.arrive().path == "/login/"


def test_signing_out_to_a_strange_address_is_refused_and_leaves_a_way(browser: Browser, sandbox: Sandbox):
    id_token = redeem(sandbox, browser.sign_in("lifang").answer["code"]).json()["id_token"]
    sign_out(browser, id_token_hint=id_token, post_logout_redirect_uri="http://elsewhere.test/")
    assert (browser.status, browser.page.heading) == (400, "退出登录")
    assert browser.press("退出登录").path == "/"
    assert browser.arrive().path == "/login/"


def test_a_forms_answer_may_go_on_to_the_portal_and_nowhere_else(sandbox: Sandbox):
    policy = requests.get(f"{sandbox.origin}/login/", timeout=5).headers["Content-Security-Policy"]
    assert policy == (
        "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; "
        f"frame-ancestors 'none'; form-action 'self' {PORTAL}"
    )


def test_cookies_have_names_of_their_own(browser: Browser):
    browser.sign_in("lifang")
    assert sorted(browser.http.cookies.keys()) == ["sandbox_csrf", "sandbox_session"]
