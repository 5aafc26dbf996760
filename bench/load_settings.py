"""The portal's own settings, with the yardstick's page beside its pages and a count of the queries of each answer."""

from competition_portal.settings import *  # noqa: F403

ROOT_URLCONF = "bench.load_site"
MIDDLEWARE = ["bench.load_site.CountQueries", *MIDDLEWARE]  # noqa: F405
