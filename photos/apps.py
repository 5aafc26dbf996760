"""The photos as a Django app."""

from django.apps import AppConfig


class PhotosConfig(AppConfig):
    name = "photos"
    verbose_name = "照片"

    def ready(self) -> None:
        from accounts import personal_data, retention
        from photos.personal_data import HOLDING
        from photos.removal import PARTS

        personal_data.register(HOLDING)
        retention.register(*PARTS)
