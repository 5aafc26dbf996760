"""Every page of an applicant's in each of its states: how one comes to stand before it."""

from collections.abc import Callable
from dataclasses import dataclass

from playwright.sync_api import Page, expect

from accounts.models import Identity, User
from registrations import intake
from registrations.workflow import Status
from tests import scenes
from tests.browser.scenery import applicant, at, complete_profile, draft, full_plan, many_plans, path_of, uploaded


@dataclass
class Place:
    """Before a page: `go` takes whoever is signed in there."""

    enter: Callable[..., Page]  # enter(user) is a page of a browser in which this user is signed in
    page: Page | None = None

    def go(self, path: str, user: User | None = None) -> Page:
        self.page = self.enter(user)
        self.page.goto(path)
        return self.page


PLACES: dict[str, Callable[[Place], object]] = {}


def place(name: str) -> Callable[[Callable[[Place], object]], Callable[[Place], object]]:
    def keep(way: Callable[[Place], object]) -> Callable[[Place], object]:
        PLACES[name] = way
        return way

    return keep


# --- Before one is in -----------------------------------------------------------------------------------------------


@place("front door")
def front(here: Place) -> None:
    many_plans()
    here.go("/")


@place("front door, nothing open")
def front_empty(here: Place) -> None:
    here.go("/")


@place("plans, nobody signed in")
def plans_anonymous(here: Place) -> None:
    many_plans()
    here.go("/plans/")


@place("login failed")
def login_failed(here: Place) -> None:
    here.go("/accounts/callback/?error=access_denied&state=unknown")


@place("signed out")
def signed_out(here: Place) -> None:
    here.go("/accounts/signed-out/")


@place("welcome")
def welcome(here: Place) -> None:
    page = here.enter(scenes.account())
    page.route("**/accounts/identity/*", lambda route: route.abort())  # it would go on while it is looked at
    here.page = page
    page.goto("/accounts/welcome/")


@place("identity")
def identity(here: Place) -> None:
    here.go("/accounts/identity/", scenes.account())


@place("identity with errors")
def identity_wrong(here: Place) -> None:
    page = here.go("/accounts/identity/", scenes.account())
    page.get_by_label("姓名").fill("王<script>")
    page.get_by_label("证件类型").select_option(label="居民身份证")
    page.get_by_label("证件号码").fill("110105199003071012")
    page.get_by_role("button", name="确认").click()
    expect(page.get_by_role("alert")).to_be_visible()


@place("identity, vouched for")
def identity_vouched(here: Place) -> None:
    user = scenes.account()
    person = scenes.person("孙新")
    Identity.objects.filter(user=user).update(
        legal_name="孙新", name_vouched=True, document_vouched=True, document_type=person.identity.document_type,
        document_number=person.identity.document_number,
    )  # fmt: skip
    here.go("/accounts/identity/", user)


@place("identity, confirmed")
def identity_confirmed(here: Place) -> None:
    here.go("/accounts/identity/", applicant())


@place("not found")
def not_found(here: Place) -> None:
    here.go("/registrations/BJ26-0000-00/", applicant())


@place("not found, nobody signed in")
def not_found_anonymous(here: Place) -> None:
    here.go("/nowhere/")


@place("no member of a committee")
def no_member(here: Place) -> None:
    here.go("/admin/", applicant())


# --- Plans and profile ----------------------------------------------------------------------------------------------


@place("plans")
def plans(here: Place) -> None:
    user = applicant()
    at(Status.SUBMITTED, user, many_plans())
    here.go("/plans/", user)


@place("plans, none found")
def plans_none(here: Place) -> None:
    here.go("/plans/?q=没有这样的竞赛", applicant())


@place("plan")
def plan(here: Place) -> None:
    here.go(full_plan().get_absolute_url(), applicant())


@place("profile, empty")
def profile_empty(here: Place) -> None:
    here.go("/profile/", applicant())


@place("profile, complete")
def profile_complete(here: Place) -> None:
    user = applicant()
    complete_profile(user)
    here.go("/profile/", user)


@place("profile with errors")
def profile_wrong(here: Place) -> None:
    page = here.go("/profile/", applicant())
    page.get_by_label("手机", exact=True).fill("12345")
    page.get_by_label("工作单位", exact=True).fill("北京精工<script>😀")
    page.get_by_label("邮编").fill("1000")
    page.get_by_role("button", name="保存", exact=True).click()
    expect(page.get_by_role("alert")).to_be_visible()


# --- A registration -------------------------------------------------------------------------------------------------


@place("form, empty")
def form_empty(here: Place) -> None:
    user = applicant()
    here.go(path_of(intake.start(user, full_plan()), "edit/"), user)


@place("form, complete")
def form_complete(here: Place) -> None:
    user = applicant()
    here.go(path_of(draft(user), "edit/"), user)


@place("form with errors")
def form_wrong(here: Place) -> None:
    form_complete(here)
    page = here.page
    assert page
    page.get_by_label("手机", exact=True).fill("12345")
    page.get_by_label("从业年限").fill("八年")
    page.get_by_label("工作单位", exact=True).fill("公司" * 100)
    page.get_by_role("button", name="保存", exact=True).click()
    expect(page.get_by_role("alert")).to_be_visible()


@place("form, sent back")
def form_returned(here: Place) -> None:
    user = applicant()
    here.go(path_of(at(Status.RETURNED, user), "edit/"), user)


@place("occupations in the dialog")
def dialog(here: Place) -> None:
    form_complete(here)
    assert here.page
    here.page.get_by_role("button", name="职业（工种）").click()
    expect(here.page.get_by_role("dialog")).to_be_visible()


@place("occupations on their page")
def occupations(here: Place) -> None:
    user = applicant()
    here.go(path_of(intake.start(user, full_plan()), "occupation/"), user)
    assert here.page
    here.page.get_by_role("button", name="保存").click()
    expect(here.page.get_by_role("alert")).to_be_visible()


@place("upload, no photo yet")
def upload(here: Place) -> None:
    user = applicant()
    here.go(path_of(intake.start(user, full_plan()), "photo/"), user)


@place("upload, refused")
def upload_refused(here: Place) -> None:
    user = applicant()
    complete_profile(user)
    page = here.go("/profile/photo/", user)
    page.get_by_label("浏览").set_input_files(
        {"name": "小照片.jpg", "mimeType": "image/jpeg", "buffer": scenes.jpeg(200, 280)}
    )
    page.get_by_role("button", name="上传", exact=True).click()
    expect(page.get_by_role("alert").first).to_be_visible()


@place("upload, no longer possible")
def upload_closed(here: Place) -> None:
    user = applicant()
    here.go(path_of(at(Status.SUBMITTED, user), "photo/"), user)


@place("crop")
def crop(here: Place) -> None:
    user = applicant()
    here.go(f"/profile/photo/crop/{uploaded(user).pk}/", user)


@place("check with gaps")
def check_gaps(here: Place) -> None:
    user = applicant()
    here.go(path_of(intake.start(user, full_plan()), "check/"), user)


@place("check, complete")
def check(here: Place) -> None:
    user = applicant()
    here.go(path_of(draft(user), "check/"), user)


def asking(name: str, status: Status) -> None:
    @place(f"{name}: asked once")
    def ask(here: Place) -> None:
        user = applicant()
        here.go(path_of(at(status, user), f"{name}/"), user)


asking("submit", Status.DRAFT)
asking("recall", Status.SUBMITTED)
asking("withdraw", Status.SUBMITTED)
asking("delete", Status.DRAFT)


@place("receipt")
def receipt(here: Place) -> None:
    user = applicant()
    here.go(path_of(at(Status.SUBMITTED, user), "submitted/"), user)


@place("own list, empty")
def own_list_empty(here: Place) -> None:
    here.go("/registrations/", applicant())


@place("own list")
def own_list(here: Place) -> None:
    user = applicant()
    for status in Status:
        at(status, user)
    here.go("/registrations/", user)


def detail(status: Status) -> None:
    @place(f"detail, {status}")
    def detail(here: Place) -> None:
        user = applicant()
        page = here.go(path_of(at(status, user)), user)
        for opinion in page.get_by_text("查看意见").all():
            opinion.click()


for each in Status:
    detail(each)
