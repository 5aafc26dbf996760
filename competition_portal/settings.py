"""The portal's settings, all of them: what differs between machines is read from the environment.

How each variable is read, and what operators are told of it, is declared in competition_portal/variables/.
"""

import hashlib
import hmac
from pathlib import Path

from bootstrap_wrapper import get_bootstrap_dir
from django.core.exceptions import ImproperlyConfigured

from competition_portal.csp_settings import origin_of, policy_of
from competition_portal.database_settings import cache_of, database_of
from competition_portal.environment import needs, read, together
from competition_portal.log_settings import logging_of
from competition_portal.mail_settings import kept_in, sent_through
from competition_portal.storage_settings import in_bucket, in_folder
from competition_portal.variables.parsers import database

BASE_DIR = Path(__file__).resolve().parent.parent

# --- Where and how it runs -------------------------------------------------------------------------------------

DEBUG = read("DEBUG")
# While developing, the secret key has a known default; anywhere else it must be given.
DEVELOPMENT_SECRET_KEY = hashlib.sha256(b"only for development").hexdigest()
SECRET_KEY = read("SECRET_KEY", default=DEVELOPMENT_SECRET_KEY) if DEBUG else read("SECRET_KEY")
ALLOWED_HOSTS = read("ALLOWED_HOSTS")
# A portal that only this machine can reach may speak plain http; any other does so only when told to.
LOOPBACK = {"localhost", "127.0.0.1", "[::1]", "testserver"}
CSRF_TRUSTED_ORIGINS = read("CSRF_TRUSTED_ORIGINS")
USE_HTTPS = read("USE_HTTPS", default=not DEBUG and not set(ALLOWED_HOSTS) <= LOOPBACK)
TRUSTED_PROXIES = read("TRUSTED_PROXIES")

# --- The database, and what all replicas share -----------------------------------------------------------------

DATA_DIR = read("DATA_DIR", default=BASE_DIR / ".var")
DATABASE_POOL_SIZE = read("DATABASE_POOL_SIZE")
DATABASE_POOLER = read("DATABASE_POOLER")
DATABASES = {
    "default": database_of(
        read("DATABASE_URL", default=database(f"sqlite:///{DATA_DIR / 'portal.sqlite3'}")),
        DATABASE_POOL_SIZE,
        DATABASE_POOLER,
    )
}
# Seconds; what they are for is told in competition_portal/migrating.py.
MIGRATION_LOCK_TIMEOUT = read("MIGRATION_LOCK_TIMEOUT")
MIGRATION_STATEMENT_TIMEOUT = read("MIGRATION_STATEMENT_TIMEOUT")
# Counts for limits (accounts/limits.py), which all workers of all replicas must see. Nothing personal is in it.
CACHE_URL = read("CACHE_URL")
CACHES = {"default": cache_of(CACHE_URL)}
# What need not be done before the answer: kept in the database with the change that asks for it, done by a worker.
# The second queue is for what is told to people: a worker of its own can keep it quick while the first is busy.
TASKS = {"default": {"BACKEND": "django_tasks_db.DatabaseBackend", "QUEUES": ["default", "messages"]}}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
REPLICAS = read("REPLICAS")

# --- To be seen: logs, metrics, what was slow ------------------------------------------------------------------

LOG_LEVEL = read("LOG_LEVEL")
LOG_FORMAT = read("LOG_FORMAT", default="text" if DEBUG else "json")
LOGGING = logging_of(LOG_LEVEL, LOG_FORMAT)
# Nobody is sent a report by mail (no ADMINS, no AdminEmailHandler); whoever makes one gets these.
DEFAULT_EXCEPTION_REPORTER_FILTER = "accounts.error_reports.PersonalDataFilter"
DEFAULT_EXCEPTION_REPORTER = "accounts.error_reports.PersonalDataReporter"
METRICS_TOKEN = read("METRICS_TOKEN")
WORKER_METRICS_PORT = read("WORKER_METRICS_PORT")
needs("WORKER_METRICS_PORT", METRICS_TOKEN=METRICS_TOKEN)
SLOW_QUERY_MS = read("SLOW_QUERY_MS")
SLOW_REQUEST_MS = read("SLOW_REQUEST_MS")

# --- Personal data: keys for what is encrypted at rest, and how long it is kept ---------------------------------


def derived_key(purpose: str) -> bytes:
    """32 bytes from SECRET_KEY, so that a portal can be tried out at once. `check --deploy` asks for real ones."""
    return hmac.digest(SECRET_KEY.encode(), purpose.encode(), "sha256")


DERIVED_KEYS = {name: derived_key(name) for name in ("FIELD_ENCRYPTION_KEYS", "BLIND_INDEX_KEY")}

FIELD_ENCRYPTION_KEYS = read("FIELD_ENCRYPTION_KEYS", default={"derived": DERIVED_KEYS["FIELD_ENCRYPTION_KEYS"]})
BLIND_INDEX_KEY = read("BLIND_INDEX_KEY", default=DERIVED_KEYS["BLIND_INDEX_KEY"])
BACKUP_KEYS = read("BACKUP_KEYS")
RETENTION = read("RETENTION_DAYS")  # days, by kind

# --- Photos ------------------------------------------------------------------------------------------------------

# What a profile's portrait must be, and what a new plan asks until its committee says otherwise.
PHOTO_SPEC = read("PHOTO_SPEC")
# Whether faces are looked for, where the detector is installed; the decoder's process reads it (photos/faces.py).
PHOTO_FACES = read("PHOTO_FACES")
PHOTO_DAILY_UPLOADS = read("PHOTO_DAILY_UPLOADS")
PHOTO_DAILY_MEGABYTES = read("PHOTO_DAILY_MEGABYTES")
PHOTO_DELIVERY = read("PHOTO_DELIVERY")
PHOTO_ACCEL_PREFIX = read("PHOTO_ACCEL_PREFIX")

# --- Files: private ones (photos and attachments), static ones, and what is sent to us ---------------------------

S3_ENDPOINT_URL = read("S3_ENDPOINT_URL")
S3_BUCKET = read("S3_BUCKET")
S3_ACCESS_KEY = read("S3_ACCESS_KEY")
S3_SECRET_KEY = read("S3_SECRET_KEY")
S3_REGION = read("S3_REGION")
PRIVATE_FOLDER_SHARED = read("PRIVATE_FOLDER_SHARED")
# Without the address alone, photos would go to the local disk while everybody believes that they do not.
together(S3_ENDPOINT_URL=S3_ENDPOINT_URL, S3_BUCKET=S3_BUCKET, S3_ACCESS_KEY=S3_ACCESS_KEY, S3_SECRET_KEY=S3_SECRET_KEY)
if PHOTO_DELIVERY != "app" and (PHOTO_DELIVERY == "signed") != bool(S3_ENDPOINT_URL):
    raise ImproperlyConfigured(
        "环境变量 PHOTO_DELIVERY 与存放照片的地方不相配。signed 要有对象存储（S3_ENDPOINT_URL），accel 要没有；不确定时写 app。"
    )
STORAGES = {
    # Photos and attachments: private, without a public address. Views deliver them after asking who asks.
    "default": in_bucket(
        S3_ENDPOINT_URL, S3_BUCKET, access_key=S3_ACCESS_KEY, secret_key=S3_SECRET_KEY, region=S3_REGION
    )
    if S3_ENDPOINT_URL
    else in_folder(DATA_DIR / "private"),
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
STATIC_URL = "static/"
STATIC_ROOT = read("STATIC_ROOT", default=BASE_DIR / ".static")
STATICFILES_DIRS = [BASE_DIR / "static", ("bootstrap", get_bootstrap_dir())]
WHITENOISE_USE_FINDERS = DEBUG
# What one request may carry beside its files; a photo has its own limit (photos/uploads.py). The longest form, the
# desk's page of a plan with its occupations and attachments, has eight fields for each of 500 occupations and more.
DATA_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 8000
DATA_UPLOAD_MAX_NUMBER_FILES = 20
FILE_UPLOAD_HANDLERS = [
    "photos.uploads.BoundedUploadHandler",
    "django.core.files.uploadhandler.MemoryFileUploadHandler",
    "django.core.files.uploadhandler.TemporaryFileUploadHandler",
]

# --- The unified identity platform (OpenID Connect) ------------------------------------------------------------

OIDC_OP_ISSUER = read("OIDC_OP_ISSUER")
OIDC_RP_CLIENT_ID = read("OIDC_RP_CLIENT_ID")
OIDC_RP_CLIENT_SECRET = read("OIDC_RP_CLIENT_SECRET")
# Whatever is empty is found by discovery at the first login (accounts/platform.py).
OIDC_OP_AUTHORIZATION_ENDPOINT = read("OIDC_OP_AUTHORIZATION_ENDPOINT")
OIDC_OP_TOKEN_ENDPOINT = read("OIDC_OP_TOKEN_ENDPOINT")
OIDC_OP_USER_ENDPOINT = read("OIDC_OP_USER_ENDPOINT")
OIDC_OP_JWKS_ENDPOINT = read("OIDC_OP_JWKS_ENDPOINT")
OIDC_OP_LOGOUT_ENDPOINT = read("OIDC_OP_LOGOUT_ENDPOINT")
OIDC_RP_SCOPES = read("OIDC_RP_SCOPES")
OIDC_RP_SIGN_ALGO = "RS256"
OIDC_USE_PKCE = True
OIDC_TOKEN_USE_BASIC_AUTH = True
OIDC_TIMEOUT = 3  # seconds for one answer; accounts/oidc.py bounds the whole exchange as well
OIDC_AUTHENTICATION_CALLBACK_URL = "accounts:callback"

# A way in for operators while the platform is away; `check --deploy` reminds of it while it is open.
EMERGENCY_LOGIN = read("EMERGENCY_LOGIN")

# --- Telling people ----------------------------------------------------------------------------------------------

PORTAL_URL = read("PORTAL_URL")
# Left empty: what a person types into the browser, as far as it can be known here.
PORTAL_URL_IS_DERIVED = not PORTAL_URL
PORTAL_URL = PORTAL_URL or f"{'https' if USE_HTTPS else 'http'}://{ALLOWED_HOSTS[0].lstrip('.')}"
MAIL_FROM = read("MAIL_FROM")
MAIL_HOST = read("MAIL_HOST")
MAIL_PORT = read("MAIL_PORT")
MAIL_USER = read("MAIL_USER")
MAIL_PASSWORD = read("MAIL_PASSWORD")
MAIL_SECURITY = read("MAIL_SECURITY")
MAIL_TIMEOUT = read("MAIL_TIMEOUT")
MAIL_FOLDER = read("MAIL_FOLDER")
SMS_BACKEND = read("SMS_BACKEND")
needs("MAIL_HOST", MAIL_FROM=MAIL_FROM)
needs("MAIL_FOLDER", MAIL_FROM=MAIL_FROM)
needs("MAIL_USER", MAIL_PASSWORD=MAIL_PASSWORD)
if MAIL_FROM and bool(MAIL_HOST) == bool(MAIL_FOLDER):
    raise ImproperlyConfigured("设了环境变量 MAIL_FROM，就还要设 MAIL_HOST（发出去）或 MAIL_FOLDER（写成文件）之一。")
MAILERS = {
    "default": kept_in(MAIL_FOLDER)
    if MAIL_FOLDER
    else sent_through(
        MAIL_HOST, MAIL_PORT, user=MAIL_USER, password=MAIL_PASSWORD, security=MAIL_SECURITY, timeout=MAIL_TIMEOUT
    )
}

# --- How long one stays signed in ------------------------------------------------------------------------------

SESSION_IDLE_SECONDS = read("SESSION_IDLE_SECONDS")
SESSION_IDLE_STAFF_SECONDS = read("SESSION_IDLE_STAFF_SECONDS")
SESSION_MAX_SECONDS = read("SESSION_MAX_SECONDS")

# --- Django ----------------------------------------------------------------------------------------------------

INSTALLED_APPS = [
    "competition_portal.apps.PortalConfig",
    "competition_portal.apps.PortalAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.forms",
    "django_tasks_db",
    "accounts",
    "photos",
    "plans",
    "profiles",
    "registrations",
]
MIDDLEWARE = [
    "accounts.origin.OriginMiddleware",
    "competition_portal.request_metrics.RequestMeter",
    "competition_portal.headers.HeadersMiddleware",
    "django.middleware.csp.ContentSecurityPolicyMiddleware",
    "competition_portal.health.HealthMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "competition_portal.inputs.InputMiddleware",
    "competition_portal.errors.NoBareAnswers",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "accounts.sessions.SessionLimits",
    "accounts.refused_access.RefusedAccess",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "accounts.middleware.PrivateCacheMiddleware",
    "accounts.middleware.SignInMiddleware",
    "accounts.middleware.IdentityConfirmationMiddleware",
    "accounts.middleware.NoticeConsentMiddleware",
    "accounts.kept_forms.KeptForms",
    "accounts.once.OncePerForm",
]
ROOT_URLCONF = "competition_portal.urls"
WSGI_APPLICATION = "competition_portal.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "accounts.sessions.for_pages",
                "registrations.context_processors.news",
            ],
            "builtins": ["accounts.templatetags.form_key"],
        },
    }
]
# Fields of forms: docs/adr/0033.
FORM_RENDERER = "django.forms.renderers.TemplatesSetting"

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["accounts.oidc.PlatformBackend"]
if EMERGENCY_LOGIN:
    AUTHENTICATION_BACKENDS.append("accounts.emergency.EmergencyBackend")
# Only for the passwords of emergency accounts.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.ScryptPasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator",
        "OPTIONS": {"user_attributes": ["username"]},
    },
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 15}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
LOGIN_URL = "accounts:login"
LOGIN_REDIRECT_URL = "plans:list"

LANGUAGE_CODE = "zh-hans"
TIME_ZONE = "Asia/Shanghai"
USE_I18N = True
USE_TZ = True

# --- Security --------------------------------------------------------------------------------------------------

PLATFORM_ORIGIN = origin_of(OIDC_OP_LOGOUT_ENDPOINT or OIDC_OP_AUTHORIZATION_ENDPOINT or OIDC_OP_ISSUER)
# a signed address is the object store's own
SECURE_CSP = policy_of(PLATFORM_ORIGIN, [origin_of(S3_ENDPOINT_URL)] if PHOTO_DELIVERY == "signed" else [])
SECURE_SSL_REDIRECT = USE_HTTPS
SECURE_HSTS_SECONDS = 365 * 24 * 3600 if USE_HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = USE_HTTPS
SECURE_HSTS_PRELOAD = USE_HTTPS
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if TRUSTED_PROXIES else None
SECURE_REFERRER_POLICY = "same-origin"
# Who opened us, or whom we open, has no hold on our window. Going to the platform and coming back are plain redirects.
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
USE_X_FORWARDED_HOST = False  # the proxies pass Host on; nobody else may say who we are
X_FRAME_OPTIONS = "DENY"
# __Host-: a browser takes them over https alone, from this host alone, for the whole site. Plain http has no such thing.
COOKIE_PREFIX = "__Host-" if USE_HTTPS else ""
SESSION_ENGINE = "accounts.session_store"
SESSION_COOKIE_NAME = f"{COOKIE_PREFIX}portal_session"
SESSION_COOKIE_SECURE = USE_HTTPS
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_PATH = "/"
# Longer than a session lasts (accounts/sessions.py ends it): whose it was must still be known when a form that lay
# open over night is sent in the morning.
SESSION_COOKIE_AGE = SESSION_MAX_SECONDS + 12 * 3600
CSRF_COOKIE_NAME = f"{COOKIE_PREFIX}portal_csrf"
CSRF_COOKIE_SECURE = USE_HTTPS
CSRF_COOKIE_HTTPONLY = True  # scripts read the token from a form of the page
CSRF_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_PATH = "/"
# In the session and sealed: sentences to the committee name people, and a cookie would carry them about.
MESSAGE_STORAGE = "accounts.sealed_messages.SealedMessages"
CSRF_FAILURE_VIEW = "competition_portal.errors.csrf_failure"
