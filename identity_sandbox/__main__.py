"""Run a command of the sandbox, for example: python -m identity_sandbox prepare."""

import os
import sys

from django.core.exceptions import ImproperlyConfigured
from django.core.management import execute_from_command_line


def main() -> None:
    # set, not setdefault: the variable may already name the portal's settings
    os.environ["DJANGO_SETTINGS_MODULE"] = "identity_sandbox.settings"
    try:
        execute_from_command_line(["python -m identity_sandbox", *sys.argv[1:]])
    except ImproperlyConfigured as problem:
        sys.exit(f"演示用身份认证平台的设置有误，没有启动：{problem}")


if __name__ == "__main__":
    main()
