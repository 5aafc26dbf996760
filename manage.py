#!/usr/bin/env python
"""Run an operator's command, for example: python manage.py migrate."""

import os
import sys

from django.core.exceptions import ImproperlyConfigured

from competition_portal.command_line import run


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "competition_portal.settings")
    try:
        run(sys.argv)
    except ImproperlyConfigured as problem:
        sys.exit(f"设置有误，没有启动：{problem}")


if __name__ == "__main__":
    main()
