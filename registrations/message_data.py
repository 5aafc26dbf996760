"""What the messages hold about a person, and how long they are kept."""

from collections.abc import Iterator

from accounts.models import User
from accounts.personal_data import Entry, Fact, Holding, days, facts_of, in_words
from accounts.retention import Rows, remove_rows
from registrations.messages import ChannelChoice, Message


def tell(user: User) -> Iterator[Entry]:
    for choice in ChannelChoice.objects.filter(user=user):
        yield Entry(facts_of(choice, ["mail", "sms"]), "通知方式")
    for message in Message.objects.owned_by(user).prefetch_related("deliveries"):
        yield Entry(
            [
                *facts_of(message, ["created_at", "seen_at", "body"]),
                *[
                    Fact(
                        delivery.get_channel_display(), delivery.get_state_display(), in_words(delivery.tried_at or "")
                    )
                    for delivery in message.deliveries.all()
                ],
            ],
            message.title,
        )


def count(user: User) -> dict[str, int]:
    return {
        "消息": Message.objects.owned_by(user).count(),
        "通知方式": ChannelChoice.objects.filter(user=user).count(),
    }


def erase(user: User) -> None:
    Message.objects.owned_by(user).delete()
    ChannelChoice.objects.filter(user=user).delete()


HOLDING = Holding(
    place=65,
    title="消息",
    why="把报名的每一步告诉您：在系统内，和您选择的邮件、短信。",
    how_long=lambda: f"{days('messages')} 天，或者和报名一起删除；通知方式直到您修改或注销账户。",
    covers=["registrations.Message", "registrations.ChannelChoice"],
    tell=tell,
    count=count,
    erase=erase,
)
PART = Rows("messages", "消息", lambda before: Message.objects.filter(created_at__lt=before), remove_rows)
