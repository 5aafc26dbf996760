"""The sandbox's secrets: made once in its data folder, readable by their owner alone."""

import os
import secrets
import tempfile
from collections.abc import Callable
from pathlib import Path

from jwcrypto import jwk  # comes with django-oauth-toolkit, which reads the key with it


def kept(path: Path, make: Callable[[], bytes]) -> str:
    """The text of the file, which is made (mode 0600) when it is not there.

    Written aside and linked into place: of two processes that start at once both end with the same secret.
    """
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, aside = tempfile.mkstemp(dir=path.parent)  # mkstemp creates with mode 0600
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(make())
            os.link(aside, path)
        except FileExistsError:
            pass
        finally:
            os.unlink(aside)
    return path.read_text(encoding="ascii")


def secret_key(folder: Path) -> str:
    return kept(folder / "secret-key", lambda: secrets.token_urlsafe(64).encode("ascii"))


def signing_key(folder: Path) -> str:
    """The private RSA key that signs ID tokens, as PEM."""
    return kept(
        folder / "signing-key.pem",
        lambda: jwk.JWK.generate(kty="RSA", size=2048).export_to_pem(private_key=True, password=None),
    )
