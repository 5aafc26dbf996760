"""What `check --deploy` says of how people are told."""

import pytest

from registrations.telling_checks import check

SOUND = {
    "MAIL_FROM": "noreply@example.cn",
    "PORTAL_URL": "https://jnjs.example.cn",
    "PORTAL_URL_IS_DERIVED": False,
    "MAIL_FOLDER": "",
    "MAIL_SECURITY": "starttls",
    "SMS_BACKEND": "gateway.Sms",
}


@pytest.mark.parametrize(
    ("wrong", "ids"),
    [
        ({}, []),
        ({"MAIL_FROM": "", "PORTAL_URL_IS_DERIVED": True}, []),
        ({"PORTAL_URL_IS_DERIVED": True}, ["registrations.W001"]),
        ({"PORTAL_URL": "http://jnjs.example.cn"}, ["registrations.W002"]),
        ({"MAIL_SECURITY": "none"}, ["registrations.W003"]),
        ({"MAIL_FOLDER": "mail", "MAIL_SECURITY": "none"}, ["registrations.W004"]),
        ({"SMS_BACKEND": "registrations.sms.ConsoleSms"}, ["registrations.W005"]),
    ],
)
def test_each_doubt_is_named(settings, wrong, ids):
    for name, value in (SOUND | wrong).items():
        setattr(settings, name, value)
    assert [message.id for message in check(None)] == ids
