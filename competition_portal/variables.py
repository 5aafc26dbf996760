"""What operators are told of each environment variable; docs/operations/configuration.md is written out of it.

`python -m scripts.configuration` writes the page, and a test compares both directions with what the settings read.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Explanation:
    """Markdown, one line each. `default` is empty where the settings' own default can stand as it is."""

    meaning: str
    example: str
    default: str = ""


# In the order in which the settings read them.
VARIABLES = {
    "DEBUG": Explanation(
        "开发模式；生产环境必须是 false",
        "`false`",
    ),
    "SECRET_KEY": Explanation(
        "签名用的密钥，至少 50 个随机字符",
        "`python3 -c 'import secrets; print(secrets.token_urlsafe(50))'` 的输出",
        "必填（DEBUG 为 true 时有公开的默认值）",
    ),
    "ALLOWED_HOSTS": Explanation(
        "本系统的域名，多个用英文逗号隔开",
        "`jnjs.example.cn`",
    ),
    "CSRF_TRUSTED_ORIGINS": Explanation(
        "可以提交表单的其他来源，带 https://",
        "`https://jnjs.example.cn`",
    ),
    "USE_HTTPS": Explanation(
        "强制 HTTPS：跳转、HSTS、安全 cookie",
        "`true`",
        "除 DEBUG 和只在本机访问的以外都是 true",
    ),
    "TRUSTED_PROXIES": Explanation(
        "前面有几层自己的反向代理：相信它们改写的 X-Forwarded-Proto 和追加的 X-Forwarded-For，操作记录和限制次数都按这样得出的来源地址",
        "`1`",
    ),
    "DATA_DIR": Explanation(
        "可写的目录：照片、附件、SQLite 数据库",
        "`/srv/portal/data`",
        "代码目录下的 .var",
    ),
    "DATABASE_URL": Explanation(
        "数据库：PostgreSQL 或 SQLite",
        "`postgres://portal:密码@db:5432/portal`",
        "DATA_DIR 里的 portal.sqlite3",
    ),
    "DATABASE_POOL_SIZE": Explanation(
        "每个进程的最大连接数，不少于线程数；只对 PostgreSQL 有用",
        "`8`",
    ),
    "MIGRATION_LOCK_TIMEOUT": Explanation(
        "`migrate` 等表的锁最多几秒，1 到 60：拿不到就放手，稍后再试，见[升级](upgrade.md#拿不到锁)",
        "`5`",
    ),
    "MIGRATION_STATEMENT_TIMEOUT": Explanation(
        "锁着表的迁移，一步最多几秒，1 到 3600；建索引、分批改数据不受限制",
        "`120`",
    ),
    "DATABASE_POOLER": Explanation(
        "`DATABASE_URL` 指向事务模式的 PgBouncer；直接连 PostgreSQL 写 false。见[扩容](scaling.md)",
        "`true`",
    ),
    "CACHE_URL": Explanation(
        "各副本共用的缓存，用来计算限制次数：Redis 的地址；空的就用数据库里的一张表（`migrate` 时自动建立）",
        "`rediss://:密码@redis:6379/0`",
    ),
    "REPLICAS": Explanation(
        "同时运行几个副本，只用来检查设置是否合适",
        "`3`",
    ),
    "STATIC_ROOT": Explanation(
        "`collectstatic` 收集静态文件的目录；镜像里已经收好，不要设，也不要把卷挂在上面",
        "`/srv/portal/static`",
        "代码目录下的 .static",
    ),
    "LOG_LEVEL": Explanation(
        "日志级别：DEBUG、INFO、WARNING、ERROR",
        "`WARNING`",
    ),
    "LOG_FORMAT": Explanation(
        "日志格式：json 一行一个对象，text 给人读。见[日志](observe.md#日志)",
        "`text`",
        "json（DEBUG 为 true 时是 text）",
    ),
    "METRICS_TOKEN": Explanation(
        "读 `/metrics` 要的令牌，至少 32 个字符；不设就没有这个地址。见[指标](observe.md#指标)",
        "`openssl rand -hex 32` 的输出",
    ),
    "WORKER_METRICS_PORT": Explanation(
        "`run_worker` 在这个端口上应答 `/metrics`，令牌相同；0 不应答",
        "`9101`",
    ),
    "SLOW_QUERY_MS": Explanation(
        "多少毫秒以上的数据库查询在日志里写一行",
        "`200`",
    ),
    "SLOW_REQUEST_MS": Explanation(
        "多少毫秒以上的请求在日志里写一行",
        "`1000`",
    ),
    "FIELD_ENCRYPTION_KEYS": Explanation(
        "加密证件号码的密钥，编号:密钥，多把用逗号隔开，第一把用来加密",
        "`k1:` 加 `openssl rand -base64 32` 的输出",
        "从 SECRET_KEY 推算，生产环境必须单独设置",
    ),
    "BLIND_INDEX_KEY": Explanation(
        "认出重复证件用的密钥，以后不能更换",
        "`openssl rand -base64 32` 的输出",
        "从 SECRET_KEY 推算，生产环境必须单独设置",
    ),
    "BACKUP_KEYS": Explanation(
        "加密备份的密钥，编号:密钥，多把用逗号隔开，第一把用来加密；只有 `backup` 和 `restore` 用它，见[备份和恢复](backup.md)",
        "`b1:` 加 `openssl rand -base64 32` 的输出",
    ),
    "RETENTION_DAYS": Explanation(
        "各类数据保存多少天，种类:天数，多个用逗号隔开，没写的用默认值；各类的含义见[保存期限](data.md#保存期限)",
        "`drafts:90,closed_plans:730`",
    ),
    "PHOTO_SPEC": Explanation(
        "个人基本信息里的证件照的要求，也是新建竞赛计划的初始要求；像素、dpi、KB，裁切框至少多大，背景 white、blue、red、any",
        "`width:413,height:626,min_kilobytes:20,background:blue`",
        "295×413 像素，300 dpi，最多 200 KB，白色",
    ),
    "PHOTO_FACES": Explanation(
        "裁切页是否找人脸：on、off；没有装人脸检测的依赖时不起作用，见[说明](photos.md#解码进程和人脸)",
        "`off`",
    ),
    "PHOTO_DAILY_UPLOADS": Explanation(
        "每个人 24 小时内最多上传多少张照片",
        "`60`",
    ),
    "PHOTO_DAILY_MEGABYTES": Explanation(
        "每个人 24 小时内最多上传多少 MB 照片，不能小于一张照片的上限 20",
        "`300`",
    ),
    "PHOTO_DELIVERY": Explanation(
        "照片怎样送到浏览器：app、accel、signed，见[怎样送到浏览器](photos.md#怎样送到浏览器)",
        "`accel`",
    ),
    "PHOTO_ACCEL_PREFIX": Explanation(
        "nginx 里标了 internal 的 location；只在 accel 时用",
        "`/protected/`",
    ),
    "S3_ENDPOINT_URL": Explanation(
        "对象存储的地址，不带用户名和密码；与下面三项一起设，或都不设；空的就把照片和附件放在 DATA_DIR 的 private 目录里",
        "`https://s3.example.cn`",
    ),
    "S3_BUCKET": Explanation(
        "专给本系统用的桶，3 到 63 个字母、数字、点和连字符",
        "`competition-portal`",
    ),
    "S3_ACCESS_KEY": Explanation(
        "访问密钥的编号，只能使用这个桶",
        "（存储管理员给的）",
    ),
    "S3_SECRET_KEY": Explanation(
        "访问密钥",
        "（存储管理员给的）",
    ),
    "S3_REGION": Explanation(
        "对象存储的区域；没有区域的不用设",
        "`cn-north-1`",
    ),
    "PRIVATE_FOLDER_SHARED": Explanation(
        "各副本的 private 目录是不是同一个网络目录；只用来检查设置是否合适",
        "`false`",
    ),
    "OIDC_OP_ISSUER": Explanation(
        "统一身份认证平台的 issuer；账户属于它，以后不能更换",
        "`https://id.example.cn`",
        "",
    ),
    "OIDC_RP_CLIENT_ID": Explanation(
        "平台分配给本系统的 client_id",
        "`competition-portal`",
        "",
    ),
    "OIDC_RP_CLIENT_SECRET": Explanation(
        "平台分配给本系统的 client_secret",
        "（平台给的）",
        "",
    ),
    "OIDC_OP_AUTHORIZATION_ENDPOINT": Explanation(
        "平台的 authorization_endpoint",
        "`https://id.example.cn/authorize`",
    ),
    "OIDC_OP_TOKEN_ENDPOINT": Explanation(
        "平台的 token_endpoint",
        "`https://id.example.cn/token`",
    ),
    "OIDC_OP_USER_ENDPOINT": Explanation(
        "平台的 userinfo_endpoint",
        "`https://id.example.cn/userinfo`",
    ),
    "OIDC_OP_JWKS_ENDPOINT": Explanation(
        "平台的 jwks_uri",
        "`https://id.example.cn/jwks`",
    ),
    "OIDC_OP_LOGOUT_ENDPOINT": Explanation(
        "平台的 end_session_endpoint；没有就只退出本系统；上面四项都写了时不会另去查找",
        "`https://id.example.cn/logout`",
    ),
    "OIDC_RP_SCOPES": Explanation(
        "平台要求的 scope，空格隔开，必须含 openid",
        "`openid profile`",
    ),
    "EMERGENCY_LOGIN": Explanation(
        "打开应急登录（`/accounts/emergency/`），见[应急登录](accounts.md#应急登录)",
        "`false`",
    ),
    "PORTAL_URL": Explanation(
        "本系统的地址，写在邮件的链接里",
        "`https://jnjs.example.cn`",
    ),
    "MAIL_FROM": Explanation(
        "邮件的发件人；设了它才发邮件，见[告诉报名人员](worker.md#告诉报名人员)",
        "`noreply@example.cn`",
    ),
    "MAIL_HOST": Explanation(
        "邮件服务器（SMTP）",
        "`smtp.example.cn`",
    ),
    "MAIL_PORT": Explanation(
        "邮件服务器的端口",
        "`465`",
    ),
    "MAIL_USER": Explanation(
        "邮件服务器的用户名；不要求登录的留空",
        "`noreply@example.cn`",
    ),
    "MAIL_PASSWORD": Explanation(
        "与上一项配对的密码或授权码；设了上一项就必须设",
        "（邮件管理员给的）",
    ),
    "MAIL_SECURITY": Explanation(
        "怎样加密：starttls、tls、none",
        "`tls`",
    ),
    "MAIL_TIMEOUT": Explanation(
        "连接邮件服务器和发一封信各最多等几秒，1 到 10",
        "`5`",
    ),
    "MAIL_FOLDER": Explanation(
        "试用和演示：邮件不发出去，写成文件放在这个目录里",
        "`/tmp/mail`",
    ),
    "SMS_BACKEND": Explanation(
        "短信后端的类，见[告诉报名人员](worker.md#告诉报名人员)",
        "`our_gateway.Sms`",
    ),
    "SESSION_IDLE_SECONDS": Explanation(
        "报名人员多少秒没有操作就自动退出；到时前两分钟提醒",
        "`1800`",
    ),
    "SESSION_IDLE_STAFF_SECONDS": Explanation(
        "运营、审计、超级管理员和组委会成员多少秒没有操作就自动退出",
        "`900`",
    ),
    "SESSION_MAX_SECONDS": Explanation(
        "登录以后不管有没有操作，最长多少秒必须重新登录",
        "`43200`",
    ),
}
NAMES = tuple(VARIABLES)
