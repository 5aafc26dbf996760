"""What the two servers of the demo are told by their environment; its secrets are made once and kept."""

import base64
import json
import os
import secrets
from collections.abc import Mapping
from pathlib import Path

from competition_portal.variables import VARIABLES
from scripts.children import ROOT
from scripts.ports import DEFAULTS, HOST

# What the person has set for another purpose must not reach the demo.
OURS = {*VARIABLES, "DJANGO_SETTINGS_MODULE", "PYTHONPATH"}


def data_dir(sandbox_port: int) -> Path:
    """Accounts belong to an issuer, and the issuer has the sandbox's port in its name: another port, another demo."""
    name = "demo" if sandbox_port == DEFAULTS["SANDBOX_PORT"] else f"demo-{sandbox_port}"
    return ROOT / ".var" / name


def prepared(folder: Path) -> bool:
    """Whether the demo in this folder has been ready once; only a guess at how long it will take this time."""
    return (folder / "static.stamp").exists()


def keep_secrets(path: Path) -> dict[str, str]:
    """The secrets in `path`, made now if it is not there. Readable by its owner alone; there whole or not at all."""
    if not path.exists():
        made = {
            "SECRET_KEY": secrets.token_urlsafe(60),
            "FIELD_ENCRYPTION_KEYS": f"demo:{key()}",
            "BLIND_INDEX_KEY": key(),
            "SANDBOX_CLIENT_SECRET": secrets.token_urlsafe(40),
        }
        draft = path.with_suffix(".draft")
        draft.unlink(missing_ok=True)
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            json.dump(made, file)
        draft.rename(path)
    kept: dict[str, str] = json.loads(path.read_text())
    return kept


def key() -> str:
    return base64.b64encode(secrets.token_bytes(32)).decode()


def environments(
    folder: Path, portal_port: int, sandbox_port: int, inherited: Mapping[str, str] = os.environ
) -> tuple[dict[str, str], dict[str, str]]:
    """The whole environment of the portal and that of the sandbox. Makes `folder` and the secrets in it."""
    folder.mkdir(parents=True, exist_ok=True)
    kept = keep_secrets(folder / "secrets.json")
    client_secret = kept.pop("SANDBOX_CLIENT_SECRET")
    portal, sandbox = f"http://{HOST}:{portal_port}", f"http://{HOST}:{sandbox_port}"
    common = {name: value for name, value in inherited.items() if name not in OURS}
    # The two talk to each other directly, whatever proxy the machine uses for the world outside.
    common |= {"NO_PROXY": f"{HOST},localhost", "no_proxy": f"{HOST},localhost", "PYTHONUNBUFFERED": "1"}
    return (
        common | kept | portal_variables(folder, portal, sandbox, client_secret),
        common
        | {
            "SANDBOX_ORIGIN": sandbox,
            "SANDBOX_DATA_DIR": str(folder / "sandbox"),
            "SANDBOX_CLIENT_ID": "competition-portal",
            "SANDBOX_CLIENT_SECRET": client_secret,
            "PORTAL_ORIGIN": portal,
        },
    )


def portal_variables(folder: Path, portal: str, sandbox: str, client_secret: str) -> dict[str, str]:
    issuer = f"{sandbox}/o"
    return {
        "DEBUG": "false",
        "USE_HTTPS": "false",
        "LOG_FORMAT": "text",
        "ALLOWED_HOSTS": f"localhost,{HOST}",
        "DATA_DIR": str(folder),
        "STATIC_ROOT": str(folder / "static"),
        "PORTAL_URL": portal,
        "MAIL_FROM": "职业技能竞赛网上报名系统 <noreply@example.cn>",
        "MAIL_FOLDER": str(folder / "mail"),
        "SMS_BACKEND": "registrations.sms.ConsoleSms",
        "OIDC_OP_ISSUER": issuer,
        "OIDC_OP_AUTHORIZATION_ENDPOINT": f"{issuer}/authorize/",
        "OIDC_OP_TOKEN_ENDPOINT": f"{issuer}/token/",
        "OIDC_OP_USER_ENDPOINT": f"{issuer}/userinfo/",
        "OIDC_OP_JWKS_ENDPOINT": f"{issuer}/.well-known/jwks.json",
        "OIDC_OP_LOGOUT_ENDPOINT": f"{issuer}/logout/",
        "OIDC_RP_CLIENT_ID": "competition-portal",
        "OIDC_RP_CLIENT_SECRET": client_secret,
    }
