"""How the decoding of photos goes: how often, how it ended, what it cost."""

from prometheus_client import Counter, Gauge, Histogram

from accounts.metrics import REGISTRY

DECODES = Counter(
    "portal_photo_decodes_total",
    "Photos handed to a decoding child, by job and outcome: done, refused, killed, busy",
    ["job", "outcome"],
    registry=REGISTRY,
)
CPU_SECONDS = Histogram(
    "portal_photo_decode_cpu_seconds",
    "CPU time of a decoding child",
    ["job"],
    buckets=(0.1, 0.25, 0.5, 1, 2, 5),
    registry=REGISTRY,
)
CHILDREN = Gauge(
    "portal_photo_children",
    "Decoding children at work",
    multiprocess_mode="livesum",
    registry=REGISTRY,
)
