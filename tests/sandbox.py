"""The identity sandbox as a process of its own, for tests that sign in at a real provider over real HTTP."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import requests

ROOT = Path(__file__).resolve().parent.parent
CLIENT_ID = "competition-portal"
CLIENT_SECRET = "only-for-tests-0123456789"


@dataclass(frozen=True)
class Sandbox:
    """A running provider, and what a portal must be told about it."""

    origin: str
    client_id: str = CLIENT_ID
    client_secret: str = CLIENT_SECRET

    @property
    def issuer(self) -> str:
        return f"{self.origin}/o"

    def portal_settings(self) -> dict[str, str]:
        """The portal's OIDC_* settings (and environment variables) for this provider."""
        return {
            "OIDC_OP_ISSUER": self.issuer,
            "OIDC_OP_AUTHORIZATION_ENDPOINT": f"{self.issuer}/authorize/",
            "OIDC_OP_TOKEN_ENDPOINT": f"{self.issuer}/token/",
            "OIDC_OP_USER_ENDPOINT": f"{self.issuer}/userinfo/",
            "OIDC_OP_JWKS_ENDPOINT": f"{self.issuer}/.well-known/jwks.json",
            "OIDC_OP_LOGOUT_ENDPOINT": f"{self.issuer}/logout/",
            "OIDC_RP_CLIENT_ID": self.client_id,
            "OIDC_RP_CLIENT_SECRET": self.client_secret,
        }


@contextmanager
def running_sandbox(portal_origin: str, data_dir: Path) -> Iterator[Sandbox]:
    """Prepare and start the sandbox on a free port; its database and log (sandbox.log) are in `data_dir`."""
    data_dir.mkdir(parents=True, exist_ok=True)
    # The socket listens from here on, so the port stays ours and a first request waits until gunicorn takes it.
    with socket.create_server(("127.0.0.1", 0)) as listener, (data_dir / "sandbox.log").open("w") as log:
        sandbox = Sandbox(f"http://127.0.0.1:{listener.getsockname()[1]}")
        environment = os.environ | {
            "SANDBOX_ORIGIN": sandbox.origin,
            "SANDBOX_DATA_DIR": str(data_dir),
            "SANDBOX_CLIENT_ID": sandbox.client_id,
            "SANDBOX_CLIENT_SECRET": sandbox.client_secret,
            "PORTAL_ORIGIN": portal_origin,
        }
        prepare = [sys.executable, "-W", "error", "-m", "identity_sandbox", "prepare"]
        subprocess.run(prepare, cwd=ROOT, env=environment, check=True, stdout=log, stderr=log)
        bind = f"fd://{listener.fileno()}"
        serve = [sys.executable, "-m", "gunicorn", "identity_sandbox.wsgi:application", "--bind", bind]
        options = ["--worker-class", "gthread", "--threads", "4", "--no-control-socket", "--graceful-timeout", "1"]
        process = subprocess.Popen(
            serve + options,
            cwd=ROOT,
            env=environment,
            stdout=log,
            stderr=log,
            pass_fds=[listener.fileno()],
            start_new_session=True,
        )
    try:
        requests.get(f"{sandbox.issuer}/.well-known/openid-configuration", timeout=30).raise_for_status()
        yield sandbox
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(timeout=15)
