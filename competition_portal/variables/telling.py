"""How people are told: by mail, by text message, with a link to the portal."""

from pathlib import Path

from competition_portal.variables.parsers import dotted_path, one_of, sender, text, up_to, url
from competition_portal.variables.variable import Variable

VARIABLES = {
    "PORTAL_URL": Variable(
        url,
        default="",
        cure="写本系统的地址，带 https://，写在邮件的链接里，例如 https://jnjs.example.cn；留空就由 ALLOWED_HOSTS 的第一个域名得出。",
        meaning="本系统的地址，写在邮件的链接里",
        example="`https://jnjs.example.cn`",
    ),
    "MAIL_FROM": Variable(
        sender,
        default="",
        cure="写发件人，例如 noreply@example.cn，或 职业技能竞赛 <noreply@example.cn>；留空就不发邮件，消息只在系统内显示。",
        meaning="邮件的发件人；设了它才发邮件，见[告诉报名人员](worker.md#告诉报名人员)",
        example="`noreply@example.cn`",
    ),
    "MAIL_HOST": Variable(
        text,
        default="",
        cure="写邮件服务器（SMTP）的主机名或地址，例如 smtp.example.cn。",
        meaning="邮件服务器（SMTP）",
        example="`smtp.example.cn`",
    ),
    "MAIL_PORT": Variable(
        up_to(65535),
        default=587,
        cure="写邮件服务器的端口，例如 587、465 或 25。",
        meaning="邮件服务器的端口",
        example="`465`",
    ),
    "MAIL_USER": Variable(
        text,
        default="",
        cure="写邮件服务器的用户名；不要求登录的留空。",
        meaning="邮件服务器的用户名；不要求登录的留空",
        example="`noreply@example.cn`",
    ),
    "MAIL_PASSWORD": Variable(
        text,
        default="",
        cure="写与 MAIL_USER 配对的密码或授权码。",
        meaning="与上一项配对的密码或授权码；设了上一项就必须设",
        example="（邮件管理员给的）",
    ),
    "MAIL_SECURITY": Variable(
        one_of("starttls", "tls", "none"),
        default="starttls",
        cure="写 starttls（一般是 587 端口）、tls（一般是 465 端口）或 none（不加密，只能用于本机的邮件服务器）。",
        meaning="怎样加密：starttls、tls、none",
        example="`tls`",
    ),
    "MAIL_TIMEOUT": Variable(
        up_to(10),
        default=10,
        cure="写连接邮件服务器和发一封信各最多等几秒，从 1 到 10。",
        meaning="连接邮件服务器和发一封信各最多等几秒，1 到 10",
        example="`5`",
    ),
    "MAIL_FOLDER": Variable(
        Path,
        default="",
        cure="写一个目录：邮件不发出去，写成文件放在里面；只用于试用和演示。",
        meaning="试用和演示：邮件不发出去，写成文件放在这个目录里",
        example="`/tmp/mail`",
    ),
    "SMS_BACKEND": Variable(
        dotted_path,
        default="",
        cure="写短信后端的类，例如 registrations.sms.ConsoleSms（只显示，不发出）；留空就不发短信。",
        meaning="短信后端的类，见[告诉报名人员](worker.md#告诉报名人员)",
        example="`our_gateway.Sms`",
    ),
}
