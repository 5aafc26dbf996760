"""Django's STORAGES for private files: a bucket of an object store, or a folder."""

from pathlib import Path
from typing import Any


def in_folder(location: Path) -> dict[str, Any]:
    return {"BACKEND": "photos.storages.PrivateFolder", "OPTIONS": {"location": location}}


def in_bucket(endpoint: str, bucket: str, *, access_key: str, secret_key: str, region: str) -> dict[str, Any]:
    """For S3_ENDPOINT_URL, S3_BUCKET and what goes with them."""
    options = {
        "endpoint": endpoint,
        "bucket": bucket,
        "access_key": access_key,
        "secret_key": secret_key,
        "region": region,
    }
    return {"BACKEND": "photos.object_store.ObjectStore", "OPTIONS": options}
