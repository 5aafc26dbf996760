"""Addresses under /accounts/."""

from django.urls import path

from accounts import emergency_views, rights, session_views, views

app_name = "accounts"
urlpatterns = [
    path("login/", views.LoginView.as_view(), name="login"),
    path("callback/", views.CallbackView.as_view(), name="callback"),
    path("welcome/", views.welcome, name="welcome"),
    path("identity/", views.confirm_identity, name="identity"),
    path("logout/", views.logout, name="logout"),
    path("emergency/", emergency_views.sign_in, name="emergency"),
    path("signed-out/", views.signed_out, name="signed_out"),
    path("privacy/", rights.privacy, name="privacy"),
    path("consent/", rights.consent, name="consent"),
    path("my-data/", rights.my_data, name="my_data"),
    path("my-data/download/", rights.download, name="download"),
    path("my-data/end-sessions/", rights.end_other_sessions, name="end_sessions"),
    path("close/", rights.close, name="close"),
    path("closed/", rights.closed, name="closed"),
    path("session/", session_views.remaining, name="session"),
    path("session/stay/", session_views.stay, name="stay"),
    path("session/keep/", session_views.keep, name="keep"),
    path("session/over/", session_views.session_over, name="session_over"),
]
