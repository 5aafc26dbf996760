"""The registry that all metrics of the portal are in, and those of coming in.

Labels are words of the code (a view's name, a reason's kind), never a value that came with a request: a metric has as
many series as labels have values, and a person's may not be one of them. See docs/adr/0026-what-is-measured.md.
"""

from prometheus_client import CollectorRegistry, Counter

REGISTRY = CollectorRegistry()

LOGINS = Counter(
    "portal_logins_total",
    "Logins that came back from the platform, by outcome: success, or the kind of refusal",
    ["outcome"],
    registry=REGISTRY,
)


def count_login(outcome: str) -> None:
    """`outcome` is success or LoginRefused.reason, of which what follows the colon is left away."""
    LOGINS.labels(outcome.partition(":")[0].replace(" ", "_")).inc()
