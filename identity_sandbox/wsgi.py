"""The sandbox's entry point for the application server."""

import os

from django.core.wsgi import get_wsgi_application

# set, not setdefault: the variable may already name the portal's settings
os.environ["DJANGO_SETTINGS_MODULE"] = "identity_sandbox.settings"
application = get_wsgi_application()
