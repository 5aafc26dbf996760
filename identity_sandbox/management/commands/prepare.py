"""Make the sandbox ready to start: database, the portal as its client, the demo's accounts. Can be run again."""

from django.conf import settings
from django.contrib.auth.hashers import check_password
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandParser
from django.db import transaction
from oauth2_provider.models import Application

from identity_sandbox.command_words import in_chinese
from identity_sandbox.models import Account, ScanTicket
from identity_sandbox.people import PASSWORD, PEOPLE, Person


class Command(BaseCommand):
    help = "建立数据库、签名密钥、报名系统的客户端和演示账号；可以重复执行。"

    def create_parser(self, *args, **options) -> CommandParser:
        return in_chinese(super().create_parser(*args, **options))

    def handle(self, *args, **options) -> None:
        call_command("migrate", interactive=False, verbosity=0)
        with transaction.atomic():
            register_portal()
            for person in PEOPLE:
                restore(person)
            ScanTicket.objects.all().delete()
        self.stdout.write(f"演示用身份认证平台已就绪：{settings.SANDBOX_ORIGIN}（{len(PEOPLE)} 个演示账号）")


def register_portal() -> None:
    """The portal as a confidential client that must prove itself with PKCE and its secret."""
    known = Application.objects.filter(client_id=settings.CLIENT_ID).first()
    unchanged = known and check_password(settings.CLIENT_SECRET, known.client_secret)
    Application.objects.update_or_create(
        client_id=settings.CLIENT_ID,
        defaults={
            "name": "职业技能竞赛网上报名系统",
            # given as it is, the field hashes it; what is a hash already, it leaves
            "client_secret": known.client_secret if unchanged else settings.CLIENT_SECRET,
            "client_type": Application.CLIENT_CONFIDENTIAL,
            "authorization_grant_type": Application.GRANT_AUTHORIZATION_CODE,
            "algorithm": Application.RS256_ALGORITHM,
            "skip_authorization": True,
            "redirect_uris": f"{settings.PORTAL_ORIGIN}/accounts/callback/",
            "post_logout_redirect_uris": f"{settings.PORTAL_ORIGIN}/accounts/signed-out/",
        },
    )


def restore(person: Person) -> None:
    """The account as the demo describes it, whatever was made of it since."""
    account = Account.objects.filter(username=person.username).first() or Account(username=person.username)
    account.subject = person.subject
    account.name, account.id_type = person.name, person.id_type
    account.id_number, account.phone_number = person.id_number, person.phone_number
    account.is_active = True
    if not account.pk or not account.check_password(PASSWORD):
        account.set_password(PASSWORD)
    account.save()
