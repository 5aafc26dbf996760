"""What a profile holds about a person."""

from accounts.models import User
from accounts.personal_data import Entry, Holding, facts_of
from profiles.models import PersonalDetails, Profile


def tell(user: User) -> list[Entry]:
    names = [*PersonalDetails.detail_names(), "updated_at"]
    return [Entry(facts_of(profile, names)) for profile in Profile.objects.filter(user=user)]


def count(user: User) -> dict[str, int]:
    return {"个人基本信息": Profile.objects.filter(user=user).count()}


def erase(user: User) -> None:
    Profile.objects.filter(user=user).delete()


HOLDING = Holding(
    place=40,
    title="个人基本信息",
    why="报名时自动带出，免得每次重填。",
    how_long=lambda: "直到您修改或注销账户。",
    covers=["profiles.Profile"],
    tell=tell,
    count=count,
    erase=erase,
)
