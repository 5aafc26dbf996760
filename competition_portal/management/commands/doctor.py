"""Look at everything that the portal depends on, and say what to do about what is wrong."""

from typing import Any

from django.core.management.base import CommandError

from accounts.commands import PortalCommand
from competition_portal.doctor import examine


class Command(PortalCommand):
    help = (
        "检查设置、数据库（和时钟）、迁移、照片和附件的存储、缓存、统一身份认证平台（和时钟）、邮件服务器、后台工作进程。"
        "每项一行，出错的写明怎样处理。只在存储和缓存里写一个小文件、一个数，随即删除；不显示任何密码和密钥。"
    )
    exit_codes = {0: "没有出错的", 1: "有出错的"}
    requires_system_checks: list[str] = []  # it tells what they find itself, beside the rest

    def handle(self, *args: Any, **options: Any) -> None:
        ill = 0
        for finding in examine():
            self.stdout.write(str(finding))
            self.stdout.flush()
            ill += finding.well is False
        if ill:
            raise CommandError(f"{ill} 处出错，请按上面的说明处理，再执行一次。")
        self.stdout.write("全部正常。")
