"""Whom we tell what, after the commit."""

import logging
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from registrations.trail import ReviewEvent

logger = logging.getLogger(__name__)


def announce(event: "ReviewEvent") -> None:
    """Called once per step, after it is certain. The applicant sees it in the portal: Registration.unseen counts it."""
    logger.info("registration %s: %s → %s", event.registration.reference, event.before, event.after)
