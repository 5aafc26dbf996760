"""How long one stays signed in."""

from competition_portal.variables.parsers import positive
from competition_portal.variables.variable import Variable

VARIABLES = {
    "SESSION_IDLE_SECONDS": Variable(
        positive,
        default=1800,
        cure="写多少秒没有操作就自动退出，例如 1800（30 分钟）。",
        meaning="报名人员多少秒没有操作就自动退出；到时前两分钟提醒",
        example="`1800`",
    ),
    "SESSION_IDLE_STAFF_SECONDS": Variable(
        positive,
        default=900,
        cure="写运营、审计和组委会人员多少秒没有操作就自动退出，例如 900（15 分钟）。",
        meaning="运营、审计、超级管理员和组委会成员多少秒没有操作就自动退出",
        example="`900`",
    ),
    "SESSION_MAX_SECONDS": Variable(
        positive,
        default=43200,
        cure="写登录以后最长多少秒必须重新登录，例如 43200（12 小时）。",
        meaning="登录以后不管有没有操作，最长多少秒必须重新登录",
        example="`43200`",
    ),
}
