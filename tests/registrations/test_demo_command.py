"""When the demonstration is made, when it is not, and what the operator is told."""

from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from accounts.models import AuditEntry, User
from plans.models import Plan
from registrations.demonstration import make
from registrations.demonstration.stories import crowd_stories, stories
from registrations.models import Registration
from tests import scenes

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def three_stories(monkeypatch: pytest.MonkeyPatch) -> None:
    """A short demonstration: the whole one has a module of its own."""
    monkeypatch.setattr(make, "stories", lambda: list(crowd_stories())[:3])


def demo(**options: Any) -> str:
    out = StringIO()
    call_command("demo", stdout=out, **options)
    return out.getvalue()


def held() -> tuple[int, int, int, int]:
    return tuple(model.objects.count() for model in (User, Plan, Registration, AuditEntry))  # type: ignore[return-value]


def test_it_says_what_was_made_and_then_that_nothing_changed() -> None:
    assert demo() == (
        "演示数据已建立：6 个竞赛计划；报名：填写中 0、待审核 2、退回修改 0、审核通过 1、审核不通过 0、已撤回 0。\n"
    )
    before = held()
    assert demo() == "演示数据已在，没有改动。\n"
    assert held() == before


def test_it_says_what_was_refreshed() -> None:
    demo()
    Plan.objects.filter(code="JNJS-YLHL").update(registration_closes_at=make.timezone.now())
    assert demo() == "演示数据已在，更新了 1 个竞赛计划的日期。\n"


def test_newcomers_and_their_plans_do_not_stop_a_later_run() -> None:
    demo()
    scenes.person("新来的")
    scenes.open_plan()
    assert demo() == "演示数据已在，没有改动。\n"


def test_after_an_interruption_nothing_is_there_and_the_next_run_makes_everything(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    told = []

    def interrupted(*args: Any) -> None:
        told.append(args)
        if len(told) == 2:
            raise KeyboardInterrupt
        make_tell(*args)

    make_tell = make.tell
    with monkeypatch.context() as patch:
        patch.setattr(make, "tell", interrupted)
        with pytest.raises(KeyboardInterrupt):
            demo()
    assert held() == (0, 0, 0, 0)
    assert demo().startswith("演示数据已建立")


@pytest.mark.parametrize(
    ("there", "counted"),
    [
        (scenes.person, "1 个账户"),
        (scenes.open_plan, "1 个竞赛计划"),
        (lambda: scenes.draft(scenes.person(), scenes.occupation(scenes.open_plan())), None),
    ],
)
def test_a_database_that_holds_anything_else_is_refused_and_left_alone(there: Any, counted: str | None) -> None:
    there()
    before = held()
    with pytest.raises(CommandError) as refusal:
        demo()
    assert str(refusal.value) == (
        f"这个数据库里已经有 {counted or '1 个账户、1 个竞赛计划、1 份报名'}，不是演示数据，没有写入任何内容。"
        "请换一个空的数据库（DATA_DIR 或 DATABASE_URL）再执行。"
    )
    assert held() == before


def test_where_production_is_set_up_it_must_be_asked_for_by_name(settings: Any) -> None:
    settings.USE_HTTPS = True
    with pytest.raises(CommandError) as refusal:
        demo()
    assert str(refusal.value) == (
        "本系统是按正式环境配置的（USE_HTTPS 为 true），没有写入演示数据。"
        "如果这确实是一套只用于演示的系统，请加上 --yes-demonstration 再执行。"
    )
    assert held() == (0, 0, 0, 0)
    assert demo(yes_demonstration=True).startswith("演示数据已建立")


def test_asking_by_name_does_not_open_a_foreign_database(settings: Any) -> None:
    settings.USE_HTTPS = True
    scenes.person()
    with pytest.raises(CommandError, match="不是演示数据"):
        demo(yes_demonstration=True)


def test_a_demonstration_of_another_platform_is_refused(settings: Any) -> None:
    before = settings.OIDC_OP_ISSUER
    demo()
    settings.OIDC_OP_ISSUER = "http://127.0.0.1:9/o"
    with pytest.raises(CommandError) as refusal:
        demo()
    assert str(refusal.value) == (
        f"这里的演示数据属于认证平台 {before}，演示账号在 http://127.0.0.1:9/o 上登录不进去。"
        "请换一个空的数据库（DATA_DIR 或 DATABASE_URL），或改回原来的 OIDC_OP_ISSUER。"
    )


def test_a_committee_without_the_role_that_a_step_needs_is_a_mistake_in_the_data() -> None:
    plan = scenes.open_plan()
    scenes.member(plan, "viewer")
    registration = scenes.draft(scenes.person("李芳"), scenes.occupation(plan))
    with pytest.raises(LookupError, match=f"nobody in the committee of {plan.code} can approve"):
        make.actor(registration, make.Action.APPROVE)


def test_the_whole_demonstration_has_sixty_in_the_crowd_and_six_more_registrations() -> None:
    assert (len(list(crowd_stories())), len(stories())) == (60, 66)
