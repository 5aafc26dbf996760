"""What operators see of it: logs, metrics, what was slow."""

from competition_portal.variables.parsers import one_of, positive, token, up_to
from competition_portal.variables.variable import FOLLOWS, Variable

VARIABLES = {
    "LOG_LEVEL": Variable(
        lambda word: {name: name for name in ("DEBUG", "INFO", "WARNING", "ERROR")}[word.upper()],
        default="INFO",
        cure="写 DEBUG、INFO、WARNING 或 ERROR。",
        meaning="日志级别：DEBUG、INFO、WARNING、ERROR",
        example="`WARNING`",
    ),
    "LOG_FORMAT": Variable(
        one_of("json", "text"),
        default=FOLLOWS,
        cure="写 json（一行一个对象，给日志系统读）或 text（给人读）。",
        meaning="日志格式：json 一行一个对象，text 给人读。见[日志](observe.md#日志)",
        example="`text`",
        usual="json（DEBUG 为 true 时是 text）",
    ),
    "METRICS_TOKEN": Variable(
        token,
        default="",
        cure="写至少 32 个随机的字母和数字，例如 openssl rand -hex 32 的输出；留空就没有 /metrics 这个地址。",
        meaning="读 `/metrics` 要的令牌，至少 32 个字符；不设就没有这个地址。见[指标](observe.md#指标)",
        example="`openssl rand -hex 32` 的输出",
    ),
    "WORKER_METRICS_PORT": Variable(
        up_to(65535),
        default=0,
        cure="写 run_worker 在哪个端口上应答 /metrics，例如 9101；留空就不应答。",
        meaning="`run_worker` 在这个端口上应答 `/metrics`，令牌相同；不设就不应答",
        example="`9101`",
        usual="空",
    ),
    "SLOW_QUERY_MS": Variable(
        positive,
        default=500,
        cure="写多少毫秒以上的数据库查询要在日志里写一行，例如 500。",
        meaning="多少毫秒以上的数据库查询在日志里写一行",
        example="`200`",
    ),
    "SLOW_REQUEST_MS": Variable(
        positive,
        default=2000,
        cure="写多少毫秒以上的请求要在日志里写一行，例如 2000。",
        meaning="多少毫秒以上的请求在日志里写一行",
        example="`1000`",
    ),
}
