"""The sandbox's settings: what differs between machines is read from the environment."""

import os
from pathlib import Path
from urllib.parse import urlsplit

import bootstrap_wrapper
from django.core.exceptions import ImproperlyConfigured
from django.utils.csp import CSP

from identity_sandbox import keys

BASE_DIR = Path(__file__).resolve().parent.parent


def origin(name: str, default: str) -> str:
    """An origin (scheme, host, port, no path) from the environment."""
    value = os.environ.get(name, "").strip().rstrip("/") or default
    parts = urlsplit(value)
    if parts.scheme not in {"http", "https"} or not parts.netloc or value != f"{parts.scheme}://{parts.netloc}":
        raise ImproperlyConfigured(f"环境变量 {name} 的值不正确。请写协议、主机和端口，例如 {default}。")
    return value


SANDBOX_ORIGIN = origin("SANDBOX_ORIGIN", "http://127.0.0.1:8001")
PORTAL_ORIGIN = origin("PORTAL_ORIGIN", "http://127.0.0.1:8000")
DATA_DIR = Path(os.environ.get("SANDBOX_DATA_DIR", "").strip() or BASE_DIR / ".var" / "sandbox")
CLIENT_ID = os.environ.get("SANDBOX_CLIENT_ID", "").strip() or "competition-portal"
CLIENT_SECRET = os.environ.get("SANDBOX_CLIENT_SECRET", "").strip() or "only-for-the-demo-not-a-secret"

DEBUG = False
SECRET_KEY = keys.secret_key(DATA_DIR)
ALLOWED_HOSTS = [urlsplit(SANDBOX_ORIGIN).hostname or "", "localhost", "127.0.0.1"]
USE_HTTPS = SANDBOX_ORIGIN.startswith("https://")

INSTALLED_APPS = [
    "identity_sandbox",  # before oauth2_provider: our templates replace its own
    "oauth2_provider",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.csp.ContentSecurityPolicyMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
ROOT_URLCONF = "identity_sandbox.urls"
WSGI_APPLICATION = "identity_sandbox.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "identity_sandbox.views.places",
            ],
        },
    }
]
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": DATA_DIR / "sandbox.sqlite3",
        # IMMEDIATE: a transaction that will write waits at its start instead of failing in its middle.
        "OPTIONS": {"transaction_mode": "IMMEDIATE", "timeout": 10},
    }
}

AUTH_USER_MODEL = "identity_sandbox.Account"
LOGIN_URL = "login"
PASSWORD_HASHERS = ["identity_sandbox.hashers.QuickScryptHasher"]

LANGUAGE_CODE = "zh-hans"
TIME_ZONE = "Asia/Shanghai"
USE_TZ = True

STATIC_URL = "static/"
STATICFILES_DIRS = [("bootstrap", bootstrap_wrapper.get_bootstrap_dir() / "css")]
STATICFILES_FINDERS = [
    "django.contrib.staticfiles.finders.FileSystemFinder",
    "django.contrib.staticfiles.finders.AppDirectoriesFinder",
]
WHITENOISE_USE_FINDERS = True  # no collectstatic: straight from the packages, under gunicorn too

# --- The provider ----------------------------------------------------------------------------------------------

OAUTH2_PROVIDER = {
    "OIDC_ENABLED": True,
    "OIDC_ISS_ENDPOINT": f"{SANDBOX_ORIGIN}/o",
    "OIDC_RSA_PRIVATE_KEY": keys.signing_key(DATA_DIR),
    "OIDC_RESPONSE_TYPES_SUPPORTED": ["code"],
    "OAUTH2_VALIDATOR_CLASS": "identity_sandbox.claims.PlatformValidator",
    "SCOPES": {"openid": "登录", "profile": "姓名、证件和手机号码"},
    "DEFAULT_SCOPES": ["openid"],
    "PKCE_REQUIRED": True,
    "ACCESS_TOKEN_EXPIRE_SECONDS": 600,
    "ID_TOKEN_EXPIRE_SECONDS": 600,
    "OIDC_RP_INITIATED_LOGOUT_ENABLED": True,
    "OIDC_RP_INITIATED_LOGOUT_ALWAYS_PROMPT": False,
    # Signing out on one device must leave the ID token of another usable as its id_token_hint.
    "OIDC_RP_INITIATED_LOGOUT_DELETE_TOKENS": False,
    # What RFC 9700 advises; the defaults of django-oauth-toolkit 4.
    "COMPLIANT_BCP_RFC9700_IMPLICIT_GRANT": True,
    "COMPLIANT_BCP_RFC9700_PASSWORD_GRANT": True,
    "COMPLIANT_BCP_RFC9700_PKCE_METHOD": True,
    "COMPLIANT_BCP_RFC9700_ACCESS_TOKEN_TRANSPORT": True,
    "COMPLIANT_BCP_RFC9700_AUTHZ_RESPONSE_ISS": True,
    "COMPLIANT_BCP_RFC9700_TOKEN_STORAGE": True,
}

# --- Security --------------------------------------------------------------------------------------------------

SECURE_CSP = {
    "default-src": [CSP.SELF],
    "img-src": [CSP.SELF, "data:"],  # data: for the icons in Bootstrap's style sheet
    "object-src": [CSP.NONE],
    "base-uri": [CSP.NONE],
    "frame-ancestors": [CSP.NONE],
    # signing in posts here and is sent on to the portal
    "form-action": [CSP.SELF, PORTAL_ORIGIN],
}
SECURE_REFERRER_POLICY = "same-origin"
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if USE_HTTPS else None
X_FRAME_OPTIONS = "DENY"
# Names of its own: cookies do not tell ports apart, and the portal may be on the same host.
SESSION_COOKIE_NAME = "sandbox_session"
SESSION_COOKIE_AGE = 2 * 3600
SESSION_COOKIE_SECURE = USE_HTTPS
CSRF_COOKIE_NAME = "sandbox_csrf"
CSRF_COOKIE_SECURE = USE_HTTPS
CSRF_FAILURE_VIEW = "identity_sandbox.views.csrf_failure"

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname} {name} {message}", "style": "{"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": "WARNING"},
    "loggers": {"django": {"handlers": ["stderr"], "level": "WARNING", "propagate": False}},
}
