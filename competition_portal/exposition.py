"""Who may read the metrics, and what the processes of this replica have counted, as text."""

import os

from django.conf import settings
from django.utils.crypto import constant_time_compare
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

from accounts.metrics import REGISTRY

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"  # what generate_latest() writes
REFUSED = "请在 Authorization 里写 Bearer 和 METRICS_TOKEN 的值。\n"


def is_allowed(authorization: str) -> bool:
    """Whether this header has the token; nobody is allowed while none is set."""
    wanted = f"Bearer {settings.METRICS_TOKEN}"
    return bool(settings.METRICS_TOKEN) and constant_time_compare(authorization, wanted)


def counted() -> bytes:
    """Of all workers of this replica: deploy/gunicorn.conf.py names the folder that they share. Of this process else."""
    registry = REGISTRY
    if os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        registry = CollectorRegistry()
        MultiProcessCollector(registry)
    return generate_latest(registry)
