"""The portal's own settings, read in the environment of the tests."""

from tests import environment  # isort: skip

environment.prepare()

from competition_portal.settings import *  # noqa: E402, F403

STATIC_ROOT.mkdir(parents=True, exist_ok=True)  # noqa: F405  (whitenoise warns of a folder that is not there)
