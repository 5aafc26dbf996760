"""How the sandbox keeps passwords: hashed, but quickly, so that a dozen demo accounts are ready within a second."""

from django.contrib.auth.hashers import ScryptPasswordHasher


class QuickScryptHasher(ScryptPasswordHasher):
    """A fifth of the usual work (50 instead of 250 ms): the demo's password is published anyway."""

    parallelism = 1
