"""Settings, addresses, health, workers, backups: what knows every app and is known by none."""

__version__ = "0.1.0"  # as in pyproject.toml, which is not in the image
