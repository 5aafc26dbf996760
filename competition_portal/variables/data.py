"""The database, the cache and the folders, and how many share them."""

from pathlib import Path

from competition_portal.variables.parsers import boolean, cache_url, database, folder, positive, up_to
from competition_portal.variables.variable import FOLLOWS, Variable

VARIABLES = {
    "DATA_DIR": Variable(
        folder,
        default=FOLLOWS,
        cure="写一个可写目录的路径，用来放 SQLite 数据库和照片。",
        meaning="可写的目录：照片、附件、SQLite 数据库",
        example="`/srv/portal/data`",
        usual="代码目录下的 .var",
    ),
    "DATABASE_URL": Variable(
        database,
        default=FOLLOWS,
        cure="写 postgres://用户:密码@主机:端口/库名，或 sqlite:////绝对路径。",
        meaning="数据库：PostgreSQL 或 SQLite",
        example="`postgres://portal:密码@db:5432/portal`",
        usual="DATA_DIR 里的 portal.sqlite3",
    ),
    "DATABASE_POOL_SIZE": Variable(
        positive,
        default=8,
        cure="写每个进程的最大连接数，不少于线程数，例如 8。",
        meaning="每个进程的最大连接数，不少于线程数；只对 PostgreSQL 有用",
        example="`8`",
    ),
    "MIGRATION_LOCK_TIMEOUT": Variable(
        up_to(60),
        default=5,
        cure="写执行迁移时等表的锁最多几秒，1 到 60，例如 5。",
        meaning="`migrate` 等表的锁最多几秒，1 到 60：拿不到就放手，稍后再试，见[升级](upgrade.md#拿不到锁)",
        example="`5`",
    ),
    "MIGRATION_STATEMENT_TIMEOUT": Variable(
        up_to(3600),
        default=60,
        cure="写迁移的一步最多几秒，1 到 3600，例如 60。",
        meaning="锁着表的迁移，一步最多几秒，1 到 3600；建索引、分批改数据不受限制",
        example="`120`",
    ),
    "DATABASE_POOLER": Variable(
        boolean,
        default=False,
        cure="写 true 或 false；DATABASE_URL 指向事务模式的 PgBouncer 时写 true。",
        meaning="`DATABASE_URL` 指向事务模式的 PgBouncer；直接连 PostgreSQL 写 false。见[扩容](scaling.md)",
        example="`true`",
    ),
    "CACHE_URL": Variable(
        cache_url,
        default="",
        cure="写 redis://用户:密码@主机:端口/库号（加密连接写 rediss://）；留空就用数据库里的一张表。",
        meaning="各副本共用的缓存，用来计算限制次数：Redis 的地址；空的就用数据库里的一张表（`migrate` 时自动建立）",
        example="`rediss://:密码@redis:6379/0`",
    ),
    "REPLICAS": Variable(
        positive,
        default=1,
        cure="写同时运行几个副本，例如 3；只有一个写 1。",
        meaning="同时运行几个副本，只用来检查设置是否合适",
        example="`3`",
    ),
    "STATIC_ROOT": Variable(
        Path,
        default=FOLLOWS,
        cure="写收集静态文件的目录；不要放在挂载的卷里。",
        meaning="`collectstatic` 收集静态文件的目录；镜像里已经收好，不要设，也不要把卷挂在上面",
        example="`/srv/portal/static`",
        usual="代码目录下的 .static",
    ),
}
