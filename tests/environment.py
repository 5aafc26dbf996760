"""The environment of the tests, set before the settings are read, so that a plain `pytest` works."""

import atexit
import base64
import os
import shutil
import tempfile

# A platform that nobody answers for: what needs one starts the sandbox or a provider of its own.
NOBODY = "http://127.0.0.1:1/o"

DEFAULTS = {
    "DEBUG": "false",
    "USE_HTTPS": "false",
    "SECRET_KEY": "only-for-tests-" + "0123456789abcdefghijklmnopqrstuvwxyz" * 2,
    "ALLOWED_HOSTS": "testserver,localhost,127.0.0.1",
    "FIELD_ENCRYPTION_KEYS": "test:" + base64.b64encode(b"t" * 32).decode(),
    "BLIND_INDEX_KEY": base64.b64encode(b"b" * 32).decode(),
    "LOG_LEVEL": "WARNING",
    "LOG_FORMAT": "text",
    "OIDC_OP_ISSUER": NOBODY,
    "OIDC_RP_CLIENT_ID": "competition-portal",
    "OIDC_RP_CLIENT_SECRET": "only-for-tests",
    "OIDC_OP_AUTHORIZATION_ENDPOINT": f"{NOBODY}/authorize/",
    "OIDC_OP_TOKEN_ENDPOINT": f"{NOBODY}/token/",
    "OIDC_OP_USER_ENDPOINT": f"{NOBODY}/userinfo/",
    "OIDC_OP_JWKS_ENDPOINT": f"{NOBODY}/.well-known/jwks.json",
    "OIDC_OP_LOGOUT_ENDPOINT": f"{NOBODY}/logout/",
    # No warning depends on what a detector makes of a test's picture; tests/photos/test_faces.py switches it on.
    "PHOTO_FACES": "off",
    # Playwright's own event loop runs in the thread of the test; Django would take that for asynchronous code.
    "DJANGO_ALLOW_ASYNC_UNSAFE": "true",
}


def prepare() -> None:
    """Set what the caller has not set."""
    for name, value in DEFAULTS.items():
        os.environ.setdefault(name, value)
    if "DATA_DIR" not in os.environ:
        folder = os.environ["DATA_DIR"] = tempfile.mkdtemp(prefix="portal-tests-")
        atexit.register(shutil.rmtree, folder, ignore_errors=True)  # xdist's workers inherit it and leave it alone
    os.environ.setdefault("STATIC_ROOT", os.path.join(os.environ["DATA_DIR"], "static"))
