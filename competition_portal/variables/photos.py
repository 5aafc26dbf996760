"""What photos must be, how many there may be, and how they reach a browser."""

from competition_portal.variables.parsers import at_least, one_of, path_prefix, positive
from competition_portal.variables.variable import Variable
from photos.spec import PhotoSpec
from photos.spec import parse as parse_photo_spec
from photos.uploads import MAX_UPLOAD_BYTES, MEGABYTE

VARIABLES = {
    "PHOTO_SPEC": Variable(
        parse_photo_spec,
        default=PhotoSpec(),
        cure="写 名称:值，多个用英文逗号隔开，没写的用默认值，例如 width:295,height:413,max_kilobytes:200,background:white。"
        "名称有 width、height、dpi、source_width、source_height、min_kilobytes、max_kilobytes、background、note；"
        "background 是 white、blue、red 或 any。",
        meaning="个人基本信息里的证件照的要求，也是新建竞赛计划的初始要求；像素、dpi、KB，裁切框至少多大，背景 white、blue、red、any",
        example="`width:413,height:626,min_kilobytes:20,background:blue`",
        usual="295×413 像素，300 dpi，最多 200 KB，白色",
    ),
    "PHOTO_FACES": Variable(
        one_of("on", "off"),
        default="on",
        cure="写 on 或 off；装了人脸检测的依赖时才有作用。",
        meaning="裁切页是否找人脸：on、off；没有装人脸检测的依赖时不起作用，见[说明](photos.md#解码进程和人脸)",
        example="`off`",
    ),
    "PHOTO_DAILY_UPLOADS": Variable(
        positive,
        default=60,
        cure="写每个人 24 小时内最多上传多少张照片，例如 60。",
        meaning="每个人 24 小时内最多上传多少张照片",
        example="`60`",
    ),
    "PHOTO_DAILY_MEGABYTES": Variable(
        at_least(MAX_UPLOAD_BYTES // MEGABYTE),
        default=300,
        cure="写每个人 24 小时内最多上传多少 MB 照片，例如 300；一张照片最多 20 MB，所以不能小于 20。",
        meaning="每个人 24 小时内最多上传多少 MB 照片，不能小于一张照片的上限 20",
        example="`300`",
    ),
    "PHOTO_DELIVERY": Variable(
        one_of("app", "accel", "signed"),
        default="app",
        cure="写 app（由本系统送出）、accel（由 nginx 从共用的目录送出）或 signed（浏览器用一分钟有效的地址到对象存储取）。",
        meaning="照片怎样送到浏览器：app、accel、signed，见[怎样送到浏览器](photos.md#怎样送到浏览器)",
        example="`accel`",
    ),
    "PHOTO_ACCEL_PREFIX": Variable(
        path_prefix,
        default="/protected/",
        cure="写 nginx 里标了 internal 的 location，前后都带 /，例如 /protected/。",
        meaning="nginx 里标了 internal 的 location；只在 accel 时用",
        example="`/protected/`",
    ),
}
