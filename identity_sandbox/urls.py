"""Every address of the sandbox: its own pages, and the provider's endpoints under /o/."""

from django.urls import include, path
from oauth2_provider import views as provider

from identity_sandbox import protocol, scanning, views

endpoints = [
    path(".well-known/openid-configuration", provider.ConnectDiscoveryInfoView.as_view(), name="discovery"),
    path(".well-known/jwks.json", provider.JwksInfoView.as_view(), name="jwks-info"),
    path("authorize/", protocol.Authorize.as_view(), name="authorize"),
    path("token/", provider.TokenView.as_view(), name="token"),
    path("userinfo/", provider.UserInfoView.as_view(), name="user-info"),
    path("logout/", provider.RPInitiatedLogoutView.as_view(), name="rp-initiated-logout"),
]
urlpatterns = [
    path("", views.front, name="front"),
    path("login/", views.sign_in, name="login"),
    path("login/scan/", scanning.scan, name="scan"),
    path("login/scan/state/", scanning.state, name="scan_state"),
    path("login/scan/finish/", scanning.finish, name="scan_finish"),
    path("scan/<str:token>/", scanning.phone, name="phone"),
    path("register/", views.register, name="register"),
    path("cancel/", protocol.Cancel.as_view(), name="cancel"),
    path("sign-out/", views.sign_out, name="sign_out"),
    path("o/", include((endpoints, "oauth2_provider"))),
]
