"""What a person's browser does on the way to the fake platform and back, and what the person reads."""

from django.test import Client
from django.urls import reverse

from accounts.models import User

UNREACHABLE = "统一身份认证平台暂时没有回应，您没有登录。请过一会儿重新登录；报名信息不受影响。"
UNTRUSTED = "统一身份认证平台返回的登录结果无法通过核对，您没有登录。请重新登录；如果反复出现，请联系平台客服。"
EXPIRED = "这次登录已经失效：可能等待太久、按了后退键，或在别的窗口里登录过。请重新登录。"
REFUSED = "您在统一身份认证平台取消了登录，或没有同意提供信息。需要时请重新登录。"


def leave(client, provider, code="", **query):
    """Press 个人登录 and do what the browser does at the platform; the state that it comes back with."""
    response = client.get(reverse("accounts:login", query=query or None))
    assert response.headers["Location"].startswith(f"{provider.issuer}/authorize/?")
    return provider.authorise(response.headers["Location"], code)


def come_back(client, **query):
    return client.get(reverse("accounts:callback"), query)


def sign_in(client, provider, **query):
    return come_back(client, state=leave(client, provider, **query), code="a-code")


def signed_in_user(client: Client) -> User | None:
    key = client.session.get("_auth_user_id")
    return User.objects.get(pk=key) if key else None


def assert_failed(response, sentence, *, status=400, user=None):
    """The page for every failure: what happened and what to do; and nobody else is signed in than before."""
    page = response.content.decode()
    way_on = reverse("plans:list") if user else reverse("accounts:login")
    assert (response.status_code, sentence in page) == (status, True)
    assert f'<a class="btn btn-primary" href="{way_on}">{"进入报名系统" if user else "重新登录"}</a>' in page
    assert signed_in_user(response.client) == user
