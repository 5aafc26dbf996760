"""Settings that would hurt in production, each with its cure (`manage.py check --deploy`). One subject a module."""

from accounts.checks import addresses, keys, platform, replicas, sessions

CHECKS = (*addresses.CHECKS, *keys.CHECKS, *platform.CHECKS, *replicas.CHECKS, *sessions.CHECKS)
