"""The portal's settings, all of them: what differs between machines is read from the environment."""

import hashlib
import hmac
from pathlib import Path
from urllib.parse import urlsplit

from bootstrap_wrapper import get_bootstrap_dir
from django.core.exceptions import ImproperlyConfigured
from django.utils.csp import CSP

from competition_portal import bounded
from competition_portal import environment as env
from competition_portal.log_settings import logging_of
from photos.spec import PhotoSpec
from photos.spec import parse as parse_photo_spec
from photos.uploads import MAX_UPLOAD_BYTES, MEGABYTE

BASE_DIR = Path(__file__).resolve().parent.parent

# --- Where and how it runs -------------------------------------------------------------------------------------

DEBUG = env.read("DEBUG", env.boolean, default=False, cure="写 true 或 false；生产环境必须是 false。")
# While developing, the secret key has a known default; anywhere else it must be given.
DEVELOPMENT_SECRET_KEY = hashlib.sha256(b"only for development").hexdigest()

SECRET_KEY = env.read(
    "SECRET_KEY",
    env.secret,
    default=DEVELOPMENT_SECRET_KEY if DEBUG else env.REQUIRED,
    cure="请设为至少 50 个随机字符，例如 python3 -c 'import secrets; print(secrets.token_urlsafe(50))' 的输出。",
)
ALLOWED_HOSTS = env.read(
    "ALLOWED_HOSTS",
    env.hosts,
    default=["localhost", "127.0.0.1"],
    cure="写本系统的域名，不带 https:// 和端口，多个用英文逗号隔开，例如 jnjs.example.cn。",
)
# A portal that only this machine can reach may speak plain http; any other does so only when told to.
LOOPBACK = {"localhost", "127.0.0.1", "[::1]", "testserver"}
CSRF_TRUSTED_ORIGINS = env.read(
    "CSRF_TRUSTED_ORIGINS", env.origins, default=[], cure="写带 https:// 的来源，多个用英文逗号隔开。"
)
USE_HTTPS = env.read(
    "USE_HTTPS",
    env.boolean,
    default=not DEBUG and not set(ALLOWED_HOSTS) <= LOOPBACK,
    cure="写 true 或 false；只有在本机演示时才可以是 false。",
)
TRUSTED_PROXIES = env.read(
    "TRUSTED_PROXIES",
    env.whole_number,
    default=0,
    cure="写本系统前面有几层自己的反向代理，例如 1；没有写 0。每一层都必须改写 X-Forwarded-Proto、追加 X-Forwarded-For。",
)
DATA_DIR = env.read(
    "DATA_DIR", env.folder, default=BASE_DIR / ".var", cure="写一个可写目录的路径，用来放 SQLite 数据库和照片。"
)
DATABASE = env.read(
    "DATABASE_URL",
    env.database,
    default=env.database(f"sqlite:///{DATA_DIR / 'portal.sqlite3'}"),
    cure="写 postgres://用户:密码@主机:端口/库名，或 sqlite:////绝对路径。",
)
DATABASE_POOL_SIZE = env.read(
    "DATABASE_POOL_SIZE", env.positive, default=8, cure="写每个进程的最大连接数，不少于线程数，例如 8。"
)
# Seconds; what they are for is told in competition_portal/migrating.py.
MIGRATION_LOCK_TIMEOUT = env.read(
    "MIGRATION_LOCK_TIMEOUT", env.up_to(60), default=5, cure="写执行迁移时等表的锁最多几秒，1 到 60，例如 5。"
)
MIGRATION_STATEMENT_TIMEOUT = env.read(
    "MIGRATION_STATEMENT_TIMEOUT", env.up_to(3600), default=60, cure="写迁移的一步最多几秒，1 到 3600，例如 60。"
)
DATABASE_POOLER = env.read(
    "DATABASE_POOLER",
    env.boolean,
    default=False,
    cure="写 true 或 false；DATABASE_URL 指向事务模式的 PgBouncer 时写 true。",
)
CACHE_URL = env.read(
    "CACHE_URL",
    env.cache_url,
    default="",
    cure="写 redis://用户:密码@主机:端口/库号（加密连接写 rediss://）；留空就用数据库里的一张表。",
)
REPLICAS = env.read("REPLICAS", env.positive, default=1, cure="写同时运行几个副本，例如 3；只有一个写 1。")
STATIC_ROOT = env.read(
    "STATIC_ROOT", Path, default=BASE_DIR / ".static", cure="写收集静态文件的目录；不要放在挂载的卷里。"
)
LOG_LEVEL = env.read(
    "LOG_LEVEL",
    lambda word: {name: name for name in ("DEBUG", "INFO", "WARNING", "ERROR")}[word.upper()],
    default="INFO",
    cure="写 DEBUG、INFO、WARNING 或 ERROR。",
)
LOG_FORMAT = env.read(
    "LOG_FORMAT",
    env.one_of("json", "text"),
    default="text" if DEBUG else "json",
    cure="写 json（一行一个对象，给日志系统读）或 text（给人读）。",
)

# --- To be seen ------------------------------------------------------------------------------------------------

METRICS_TOKEN = env.read(
    "METRICS_TOKEN",
    env.token,
    default="",
    cure="写至少 32 个随机的字母和数字，例如 openssl rand -hex 32 的输出；留空就没有 /metrics 这个地址。",
)
WORKER_METRICS_PORT = env.read(
    "WORKER_METRICS_PORT",
    env.up_to(65535),
    default=0,
    cure="写 run_worker 在哪个端口上应答 /metrics，例如 9101；留空就不应答。",
)
env.needs("WORKER_METRICS_PORT", METRICS_TOKEN=METRICS_TOKEN)
SLOW_QUERY_MS = env.read(
    "SLOW_QUERY_MS", env.positive, default=500, cure="写多少毫秒以上的数据库查询要在日志里写一行，例如 500。"
)
SLOW_REQUEST_MS = env.read(
    "SLOW_REQUEST_MS", env.positive, default=2000, cure="写多少毫秒以上的请求要在日志里写一行，例如 2000。"
)

# --- Keys for what is encrypted at rest ------------------------------------------------------------------------


def derived_key(purpose: str) -> bytes:
    """32 bytes from SECRET_KEY, so that a portal can be tried out at once. `check --deploy` asks for real ones."""
    return hmac.digest(SECRET_KEY.encode(), purpose.encode(), "sha256")


DERIVED_KEYS = {name: derived_key(name) for name in ("FIELD_ENCRYPTION_KEYS", "BLIND_INDEX_KEY")}

FIELD_ENCRYPTION_KEYS = env.read(
    "FIELD_ENCRYPTION_KEYS",
    env.keyring,
    default={"derived": DERIVED_KEYS["FIELD_ENCRYPTION_KEYS"]},
    cure="写 编号:密钥，密钥是 32 字节的 base64，例如 k1:$(openssl rand -base64 32)；换密钥时把新的写在最前面。",
)
BLIND_INDEX_KEY = env.read(
    "BLIND_INDEX_KEY",
    env.aes_key,
    default=DERIVED_KEYS["BLIND_INDEX_KEY"],
    cure="写 32 字节的 base64，例如 $(openssl rand -base64 32)；以后不能更换。",
)

BACKUP_KEYS = env.read(
    "BACKUP_KEYS",
    env.keyring,
    default={},
    cure="写 编号:密钥，密钥是 32 字节的 base64，例如 b1:$(openssl rand -base64 32)；不要与别的密钥相同；换密钥时把新的写在最前面。",
)

# --- How long personal data is kept ----------------------------------------------------------------------------

# Days, by kind; what each counts from is told in docs/operations/data.md, and `manage.py purge_expired` does it.
RETENTION_DEFAULTS = {
    "drafts": 180,
    "jobs": 30,
    "closed_plans": 365,
    "uploads": 30,
    "kept_forms": 1,
    "sessions": 1,
    "invitations": 30,
    "consents": 1095,
    "audit": 1095,
    "messages": 365,
    "tasks": 7,
}
RETENTION = env.read(
    "RETENTION_DAYS",
    # Cybersecurity Law, article 21 (3): logs are kept for no less than six months.
    env.retention(RETENTION_DEFAULTS, least={"audit": 184}),
    default=RETENTION_DEFAULTS,
    cure="写 种类:天数，多个用英文逗号隔开，没写的用默认值，例如 drafts:180,audit:1095。"
    f"种类有 {'、'.join(RETENTION_DEFAULTS)}；天数从 1 到 36500，audit 不能少于 184。",
)

# --- Photos ------------------------------------------------------------------------------------------------------

# What a profile's portrait must be, and what a new plan asks until its committee says otherwise.
PHOTO_SPEC = env.read(
    "PHOTO_SPEC",
    parse_photo_spec,
    default=PhotoSpec(),
    cure="写 名称:值，多个用英文逗号隔开，没写的用默认值，例如 width:295,height:413,max_kilobytes:200,background:white。"
    "名称有 width、height、dpi、source_width、source_height、min_kilobytes、max_kilobytes、background、note；"
    "background 是 white、blue、red 或 any。",
)
# Whether faces are looked for, where the detector is installed; the decoder's process reads it (photos/faces.py).
PHOTO_FACES = env.read(
    "PHOTO_FACES", env.one_of("on", "off"), default="on", cure="写 on 或 off；装了人脸检测的依赖时才有作用。"
)
PHOTO_DAILY_UPLOADS = env.read(
    "PHOTO_DAILY_UPLOADS", env.positive, default=60, cure="写每个人 24 小时内最多上传多少张照片，例如 60。"
)
PHOTO_DAILY_MEGABYTES = env.read(
    "PHOTO_DAILY_MEGABYTES",
    env.at_least(MAX_UPLOAD_BYTES // MEGABYTE),
    default=300,
    cure="写每个人 24 小时内最多上传多少 MB 照片，例如 300；一张照片最多 20 MB，所以不能小于 20。",
)
PHOTO_DELIVERY = env.read(
    "PHOTO_DELIVERY",
    env.one_of("app", "accel", "signed"),
    default="app",
    cure="写 app（由本系统送出）、accel（由 nginx 从共用的目录送出）或 signed（浏览器用一分钟有效的地址到对象存储取）。",
)
PHOTO_ACCEL_PREFIX = env.read(
    "PHOTO_ACCEL_PREFIX",
    env.path_prefix,
    default="/protected/",
    cure="写 nginx 里标了 internal 的 location，前后都带 /，例如 /protected/。",
)

# --- Where private files are: photos and attachments -------------------------------------------------------------

S3_ENDPOINT_URL = env.read(
    "S3_ENDPOINT_URL",
    env.endpoint,
    default="",
    cure="写对象存储的地址，不带用户名和密码，例如 https://s3.example.cn；留空就把照片和附件放在 DATA_DIR 的 private 目录里。",
)
S3_BUCKET = env.read(
    "S3_BUCKET", env.bucket, default="", cure="写对象存储里专给本系统用的桶的名称，3 到 63 个字母、数字、点和连字符。"
)
S3_ACCESS_KEY = env.read("S3_ACCESS_KEY", env.word, default="", cure="写只能使用这个桶的访问密钥编号（access key）。")
S3_SECRET_KEY = env.read("S3_SECRET_KEY", env.word, default="", cure="写与 S3_ACCESS_KEY 配对的密钥（secret key）。")
S3_REGION = env.read(
    "S3_REGION", env.word, default="us-east-1", cure="写对象存储的区域，例如 cn-north-1；没有区域的就不要设。"
)
PRIVATE_FOLDER_SHARED = env.read(
    "PRIVATE_FOLDER_SHARED",
    env.boolean,
    default=False,
    cure="写 true 或 false；全部副本的 private 目录是同一个网络目录时才是 true。",
)
# Without the address alone, photos would go to the local disk while everybody believes that they do not.
env.together(
    S3_ENDPOINT_URL=S3_ENDPOINT_URL, S3_BUCKET=S3_BUCKET, S3_ACCESS_KEY=S3_ACCESS_KEY, S3_SECRET_KEY=S3_SECRET_KEY
)
if PHOTO_DELIVERY != "app" and (PHOTO_DELIVERY == "signed") != bool(S3_ENDPOINT_URL):
    raise ImproperlyConfigured(
        "环境变量 PHOTO_DELIVERY 与存放照片的地方不相配。signed 要有对象存储（S3_ENDPOINT_URL），accel 要没有；不确定时写 app。"
    )

# --- The unified identity platform (OpenID Connect) ------------------------------------------------------------

OIDC_OP_ISSUER = env.read("OIDC_OP_ISSUER", env.url, cure="写统一身份认证平台的 issuer，例如 https://id.example.cn。")
OIDC_RP_CLIENT_ID = env.read("OIDC_RP_CLIENT_ID", env.text, cure="写平台分配给本系统的 client_id。")
OIDC_RP_CLIENT_SECRET = env.read("OIDC_RP_CLIENT_SECRET", env.text, cure="写平台分配给本系统的 client_secret。")
# Whatever is empty is found by discovery at the first login (accounts/platform.py).
DISCOVERED = "；留空就从 issuer 的 /.well-known/openid-configuration 查到。"
OIDC_OP_AUTHORIZATION_ENDPOINT = env.read(
    "OIDC_OP_AUTHORIZATION_ENDPOINT", env.url, default="", cure=f"写平台的 authorization_endpoint 地址{DISCOVERED}"
)
OIDC_OP_TOKEN_ENDPOINT = env.read(
    "OIDC_OP_TOKEN_ENDPOINT", env.url, default="", cure=f"写平台的 token_endpoint 地址{DISCOVERED}"
)
OIDC_OP_USER_ENDPOINT = env.read(
    "OIDC_OP_USER_ENDPOINT", env.url, default="", cure=f"写平台的 userinfo_endpoint 地址{DISCOVERED}"
)
OIDC_OP_JWKS_ENDPOINT = env.read(
    "OIDC_OP_JWKS_ENDPOINT", env.url, default="", cure=f"写平台的 jwks_uri 地址{DISCOVERED}"
)
OIDC_OP_LOGOUT_ENDPOINT = env.read(
    "OIDC_OP_LOGOUT_ENDPOINT",
    env.url,
    default="",
    cure="写平台的 end_session_endpoint 地址；平台没有就留空，退出时只退出本系统。",
)
OIDC_RP_SCOPES = env.read(
    "OIDC_RP_SCOPES", env.scopes, default="openid profile", cure="写平台要求的 scope，用空格隔开，必须含 openid。"
)
OIDC_RP_SIGN_ALGO = "RS256"
OIDC_USE_PKCE = True
OIDC_TOKEN_USE_BASIC_AUTH = True
OIDC_TIMEOUT = 3  # seconds for one answer; accounts/oidc.py bounds the whole exchange as well
OIDC_AUTHENTICATION_CALLBACK_URL = "accounts:callback"

# A way in for operators while the platform is away; `check --deploy` reminds of it while it is open.
EMERGENCY_LOGIN = env.read(
    "EMERGENCY_LOGIN", env.boolean, default=False, cure="写 true 或 false；只在平台不能用、需要应急账户时设为 true。"
)

# --- Telling people ----------------------------------------------------------------------------------------------

PORTAL_URL = env.read(
    "PORTAL_URL",
    env.url,
    default="",
    cure="写本系统的地址，带 https://，写在邮件的链接里，例如 https://jnjs.example.cn；留空就由 ALLOWED_HOSTS 的第一个域名得出。",
)
# Left empty: what a person types into the browser, as far as it can be known here.
PORTAL_URL_IS_DERIVED = not PORTAL_URL
PORTAL_URL = PORTAL_URL or f"{'https' if USE_HTTPS else 'http'}://{ALLOWED_HOSTS[0].lstrip('.')}"
MAIL_FROM = env.read(
    "MAIL_FROM",
    env.sender,
    default="",
    cure="写发件人，例如 noreply@example.cn，或 职业技能竞赛 <noreply@example.cn>；留空就不发邮件，消息只在系统内显示。",
)
MAIL_HOST = env.read(
    "MAIL_HOST", env.text, default="", cure="写邮件服务器（SMTP）的主机名或地址，例如 smtp.example.cn。"
)
MAIL_PORT = env.read("MAIL_PORT", env.up_to(65535), default=587, cure="写邮件服务器的端口，例如 587、465 或 25。")
MAIL_USER = env.read("MAIL_USER", env.text, default="", cure="写邮件服务器的用户名；不要求登录的留空。")
MAIL_PASSWORD = env.read("MAIL_PASSWORD", env.text, default="", cure="写与 MAIL_USER 配对的密码或授权码。")
MAIL_SECURITY = env.read(
    "MAIL_SECURITY",
    env.one_of("starttls", "tls", "none"),
    default="starttls",
    cure="写 starttls（一般是 587 端口）、tls（一般是 465 端口）或 none（不加密，只能用于本机的邮件服务器）。",
)
MAIL_TIMEOUT = env.read(
    "MAIL_TIMEOUT", env.up_to(10), default=10, cure="写连接邮件服务器和发一封信各最多等几秒，从 1 到 10。"
)
MAIL_FOLDER = env.read(
    "MAIL_FOLDER", Path, default="", cure="写一个目录：邮件不发出去，写成文件放在里面；只用于试用和演示。"
)
SMS_BACKEND = env.read(
    "SMS_BACKEND",
    env.dotted_path,
    default="",
    cure="写短信后端的类，例如 registrations.sms.ConsoleSms（只显示，不发出）；留空就不发短信。",
)
env.needs("MAIL_HOST", MAIL_FROM=MAIL_FROM)
env.needs("MAIL_FOLDER", MAIL_FROM=MAIL_FROM)
env.needs("MAIL_USER", MAIL_PASSWORD=MAIL_PASSWORD)
if MAIL_FROM and bool(MAIL_HOST) == bool(MAIL_FOLDER):
    raise ImproperlyConfigured("设了环境变量 MAIL_FROM，就还要设 MAIL_HOST（发出去）或 MAIL_FOLDER（写成文件）之一。")
if MAIL_FOLDER:
    MAILERS = {
        "default": {
            "BACKEND": "django.core.mail.backends.filebased.EmailBackend",
            "OPTIONS": {"file_path": str(MAIL_FOLDER)},
        }
    }
else:
    MAILERS = {
        "default": {
            "BACKEND": "registrations.smtp.BoundedBackend",
            "OPTIONS": {
                "host": MAIL_HOST,
                "port": MAIL_PORT,
                "username": MAIL_USER,
                "password": MAIL_PASSWORD,
                "use_tls": MAIL_SECURITY == "starttls",
                "use_ssl": MAIL_SECURITY == "tls",
                "timeout": MAIL_TIMEOUT,
            },
        }
    }

# --- How long one stays signed in ------------------------------------------------------------------------------

SESSION_IDLE_SECONDS = env.read(
    "SESSION_IDLE_SECONDS", env.positive, default=1800, cure="写多少秒没有操作就自动退出，例如 1800（30 分钟）。"
)
SESSION_IDLE_STAFF_SECONDS = env.read(
    "SESSION_IDLE_STAFF_SECONDS",
    env.positive,
    default=900,
    cure="写运营、审计和组委会人员多少秒没有操作就自动退出，例如 900（15 分钟）。",
)
SESSION_MAX_SECONDS = env.read(
    "SESSION_MAX_SECONDS", env.positive, default=43200, cure="写登录以后最长多少秒必须重新登录，例如 43200（12 小时）。"
)

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
    "crispy_forms",
    "crispy_bootstrap5",
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
CRISPY_ALLOWED_TEMPLATE_PACKS = "bootstrap5"
CRISPY_TEMPLATE_PACK = "bootstrap5"

if DATABASE["ENGINE"] == "django.db.backends.sqlite3":
    try:
        env.folder(Path(DATABASE["NAME"]).parent)
    except OSError:
        raise ImproperlyConfigured(
            "SQLite 数据库所在的目录不能写入。请把 DATA_DIR 或 DATABASE_URL 换成可写的路径。"
        ) from None
    # secure_delete: what was deleted is overwritten, not only given up; an erasure is one in the file as well.
    # IMMEDIATE: a transaction that will write waits at its start instead of failing in its middle.
    DATABASE["OPTIONS"] = DATABASE.get("OPTIONS", {}) | {
        "transaction_mode": "IMMEDIATE",
        "timeout": 10,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA secure_delete=ON;",
    }
else:
    DATABASE["OPTIONS"] = DATABASE.get("OPTIONS", {}) | {
        # How long a request waits for a connection, and for a database that says nothing: competition_portal/bounded.py.
        "pool": bounded.pool(DATABASE_POOL_SIZE),
        "connect_timeout": bounded.CONNECT_SECONDS,
        # A server that vanished without a goodbye is noticed in seconds, instead of after the quarter of an hour of TCP.
        "tcp_user_timeout": 10_000,
        "keepalives_idle": 10,
        "keepalives_interval": 5,
        "keepalives_count": 3,
    }
    if not DATABASE_POOLER:  # it refuses them, and its sessions are not ours
        DATABASE["OPTIONS"]["options"] = bounded.session(DATABASE["OPTIONS"].get("options", ""))
    # Behind a pooler the next statement may meet another connection, which knows no cursor of the one before.
    DATABASE["DISABLE_SERVER_SIDE_CURSORS"] = DATABASE_POOLER
    DATABASE["CONN_MAX_AGE"] = 0
    DATABASE["CONN_HEALTH_CHECKS"] = True
DATABASES = {"default": DATABASE}
# Counts for limits (accounts/limits.py), which all workers of all replicas must see. Nothing personal is in it.
if CACHE_URL:
    CACHES = {
        "default": {
            "BACKEND": "django.core.cache.backends.redis.RedisCache",
            "LOCATION": CACHE_URL,
            "KEY_PREFIX": "portal",
            "OPTIONS": {"socket_connect_timeout": 1, "socket_timeout": 1},
        }
    }
else:
    CACHES = {
        "default": {
            "BACKEND": "django.core.cache.backends.db.DatabaseCache",
            "LOCATION": "shared_cache",  # made by `migrate` (accounts/apps.py)
            # Beyond this many rows the expired ones go; a count that is alive must not.
            "OPTIONS": {"MAX_ENTRIES": 100_000},
        }
    }
# What need not be done before the answer: kept in the database with the change that asks for it, done by a worker.
# The second queue is for what is told to people: a worker of its own can keep it quick while the first is busy.
TASKS = {"default": {"BACKEND": "django_tasks_db.DatabaseBackend", "QUEUES": ["default", "messages"]}}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

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

STATIC_URL = "static/"
STATICFILES_DIRS = [BASE_DIR / "static", ("bootstrap", get_bootstrap_dir())]
STORAGES = {
    # Photos and attachments: private, without a public address. Views deliver them after asking who asks.
    "default": {
        "BACKEND": "photos.object_store.ObjectStore",
        "OPTIONS": {
            "endpoint": S3_ENDPOINT_URL,
            "bucket": S3_BUCKET,
            "access_key": S3_ACCESS_KEY,
            "secret_key": S3_SECRET_KEY,
            "region": S3_REGION,
        },
    }
    if S3_ENDPOINT_URL
    else {"BACKEND": "photos.storages.PrivateFolder", "OPTIONS": {"location": DATA_DIR / "private"}},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
WHITENOISE_USE_FINDERS = DEBUG
# What one request may carry beside its files; a photo has its own limit (photos/uploads.py). The longest form, the
# desk's page of a plan with its occupations and attachments, has some hundred fields.
DATA_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 1000
DATA_UPLOAD_MAX_NUMBER_FILES = 20
FILE_UPLOAD_HANDLERS = [
    "photos.uploads.BoundedUploadHandler",
    "django.core.files.uploadhandler.MemoryFileUploadHandler",
    "django.core.files.uploadhandler.TemporaryFileUploadHandler",
]

# --- Security --------------------------------------------------------------------------------------------------


def origin_of(address: str) -> str:
    return "{0.scheme}://{0.netloc}".format(urlsplit(address))


PLATFORM_ORIGIN = origin_of(OIDC_OP_LOGOUT_ENDPOINT or OIDC_OP_AUTHORIZATION_ENDPOINT or OIDC_OP_ISSUER)
CSP_REPORT_PATH = "/csp-report/"  # competition_portal/csp_reports.py
CSP_REPORT_GROUP = "csp"
SECURE_CSP = {
    "default-src": [CSP.SELF],
    "script-src": [CSP.SELF],
    "style-src": [CSP.SELF],
    # data: for the icons in Bootstrap's style sheet; blob: for the photo that is shown before it is sent
    # a signed address is the object store's own
    "img-src": [CSP.SELF, "data:", "blob:", *([origin_of(S3_ENDPOINT_URL)] if PHOTO_DELIVERY == "signed" else [])],
    "object-src": [CSP.NONE],
    "base-uri": [CSP.NONE],
    "frame-ancestors": [CSP.NONE],
    # signing out posts here and is sent on to the platform
    "form-action": [CSP.SELF, PLATFORM_ORIGIN],
    # the older way to report and the newer one: browsers that know the second ignore the first
    "report-uri": [CSP_REPORT_PATH],
    "report-to": [CSP_REPORT_GROUP],
}
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

# --- Logs ------------------------------------------------------------------------------------------------------

LOGGING = logging_of(LOG_LEVEL, LOG_FORMAT)
# Nobody is sent a report by mail (no ADMINS, no AdminEmailHandler); whoever makes one gets these.
DEFAULT_EXCEPTION_REPORTER_FILTER = "accounts.error_reports.PersonalDataFilter"
DEFAULT_EXCEPTION_REPORTER = "accounts.error_reports.PersonalDataReporter"
