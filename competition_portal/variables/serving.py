"""Where the portal runs, and for whom."""

from competition_portal.variables.parsers import boolean, hosts, origins, secret, whole_number
from competition_portal.variables.variable import FOLLOWS, Variable

VARIABLES = {
    "DEBUG": Variable(
        boolean,
        default=False,
        cure="写 true 或 false；生产环境必须是 false。",
        meaning="开发模式；生产环境必须是 false",
        example="`false`",
    ),
    "SECRET_KEY": Variable(
        secret,
        cure="请设为至少 50 个随机字符，例如 python3 -c 'import secrets; print(secrets.token_urlsafe(50))' 的输出。",
        meaning="签名用的密钥，至少 50 个随机字符",
        example="`python3 -c 'import secrets; print(secrets.token_urlsafe(50))'` 的输出",
        usual="必填（DEBUG 为 true 时有公开的默认值）",
    ),
    "ALLOWED_HOSTS": Variable(
        hosts,
        default=["localhost", "127.0.0.1"],
        cure="写本系统的域名，不带 https:// 和端口，多个用英文逗号隔开，例如 jnjs.example.cn。",
        meaning="本系统的域名，多个用英文逗号隔开",
        example="`jnjs.example.cn`",
    ),
    "CSRF_TRUSTED_ORIGINS": Variable(
        origins,
        default=[],
        cure="写带 https:// 的来源，多个用英文逗号隔开。",
        meaning="可以提交表单的其他来源，带 https://",
        example="`https://jnjs.example.cn`",
    ),
    "USE_HTTPS": Variable(
        boolean,
        default=FOLLOWS,
        cure="写 true 或 false；只有在本机演示时才可以是 false。",
        meaning="强制 HTTPS：跳转、HSTS、安全 cookie",
        example="`true`",
        usual="除 DEBUG 和只在本机访问的以外都是 true",
    ),
    "TRUSTED_PROXIES": Variable(
        whole_number,
        default=0,
        cure="写本系统前面有几层自己的反向代理，例如 1；没有写 0。每一层都必须改写 X-Forwarded-Proto、追加 X-Forwarded-For。",
        meaning="前面有几层自己的反向代理：相信它们改写的 X-Forwarded-Proto 和追加的 X-Forwarded-For，操作记录和限制次数都按这样得出的来源地址",
        example="`1`",
    ),
}
