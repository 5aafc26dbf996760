"""How personal data is encrypted, and how long it is kept."""

from competition_portal.variables.parsers import aes_key, keyring, retention
from competition_portal.variables.variable import FOLLOWS, Variable

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
# Cybersecurity Law, article 21 (3): logs are kept for no less than six months.
RETENTION_LEAST = {"audit": 184}

VARIABLES = {
    "FIELD_ENCRYPTION_KEYS": Variable(
        keyring,
        default=FOLLOWS,
        cure="写 编号:密钥，密钥是 32 字节的 base64，例如 k1:$(openssl rand -base64 32)；换密钥时把新的写在最前面。",
        meaning="加密证件号码的密钥，编号:密钥，多把用逗号隔开，第一把用来加密",
        example="`k1:` 加 `openssl rand -base64 32` 的输出",
        usual="从 SECRET_KEY 推算，生产环境必须单独设置",
    ),
    "BLIND_INDEX_KEY": Variable(
        aes_key,
        default=FOLLOWS,
        cure="写 32 字节的 base64，例如 $(openssl rand -base64 32)；以后不能更换。",
        meaning="认出重复证件用的密钥，以后不能更换",
        example="`openssl rand -base64 32` 的输出",
        usual="从 SECRET_KEY 推算，生产环境必须单独设置",
    ),
    "BACKUP_KEYS": Variable(
        keyring,
        default={},
        cure="写 编号:密钥，密钥是 32 字节的 base64，例如 b1:$(openssl rand -base64 32)；不要与别的密钥相同；换密钥时把新的写在最前面。",
        meaning="加密备份的密钥，编号:密钥，多把用逗号隔开，第一把用来加密；只有 `backup` 和 `restore` 用它，见[备份和恢复](backup.md)",
        example="`b1:` 加 `openssl rand -base64 32` 的输出",
    ),
    "RETENTION_DAYS": Variable(
        retention(RETENTION_DEFAULTS, RETENTION_LEAST),
        default=RETENTION_DEFAULTS,
        cure="写 种类:天数，多个用英文逗号隔开，没写的用默认值，例如 drafts:180,audit:1095。"
        f"种类有 {'、'.join(RETENTION_DEFAULTS)}；天数从 1 到 36500，audit 不能少于 184。",
        meaning="各类数据保存多少天，种类:天数，多个用逗号隔开，没写的用默认值；各类的含义见[保存期限](data.md#保存期限)",
        example="`drafts:90,closed_plans:730`",
    ),
}
