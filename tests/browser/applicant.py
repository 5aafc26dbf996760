"""One applicant before a browser: the steps of the procedure, done as the hand at hand does them."""

from pathlib import Path
from typing import Any

from playwright.sync_api import Locator, Page, expect

from identity_sandbox.people import PASSWORD

TYPED = {
    "毕业（就读）院校": "北京工业职业技术学院",
    "所学专业": "机电一体化",
    "工作单位": "北京精工机械有限公司",
    "职务": "技术员",
    "从业年限": "8",
    "证书编号": "S000011010326",
    "手机": "13812342671",
    "邮箱": "sunxin@example.cn",
    "通信地址": "北京市朝阳区幸福路 1 号",
    "邮编": "100020",
    "紧急联系人": "孙大明",
    "紧急联系人电话": "13912345678",
}
PICKED = {
    "民族": "汉族",
    "政治面貌": "群众",
    "文化程度": "大学专科",
    "单位性质": "民营企业",
    "现职业资格或技能等级": "高级工（三级）",
}


class Applicant:
    """`touch` taps instead of clicking; without `script` the occupation has a page of its own."""

    def __init__(self, page: Page, *, touch: bool = False, script: bool = True) -> None:
        self.page = page
        self.main = page.get_by_role("main")
        self.touch = touch
        self.script = script

    def press(self, what: Locator) -> None:
        if self.touch:
            what.tap()
        else:
            what.click()

    def button(self, name: str) -> Locator:
        return self.main.get_by_role("button", name=name, exact=True)

    def link(self, name: str) -> Locator:
        return self.main.get_by_role("link", name=name, exact=True)

    def row(self, title: str) -> Locator:
        """The line of a list that names this plan."""
        return self.main.get_by_role("article").filter(has=self.page.get_by_role("link", name=title, exact=True))

    def part(self, title: str) -> Locator:
        """The part of a page that stands under this heading."""
        return self.main.locator("section").filter(has=self.page.get_by_role("heading", name=title, exact=True))

    def reads(self, heading: str) -> None:
        """The page has arrived, and what its scripts do to it is done."""
        expect(self.page.get_by_role("heading", level=1)).to_have_text(heading)
        self.page.wait_for_load_state("domcontentloaded")

    def told(self, sentence: str) -> None:
        expect(self.main.get_by_role("status").first).to_contain_text(sentence)

    # --- Coming in ---

    def come_to_the_platform(self) -> None:
        self.page.goto("/")
        self.reads("北京市职业技能竞赛网上报名系统")
        self.press(self.link("个人登录"))
        self.reads("登录")

    def sign_in(self, username: str) -> None:
        """At the platform, whose page is on the screen."""
        self.page.get_by_label("用户名").fill(username)
        self.page.get_by_label("密码").fill(PASSWORD)
        self.press(self.page.get_by_role("button", name="登录", exact=True))

    def register(self, username: str) -> None:
        """立即注册 with nothing but a user name: the platform will vouch for nothing."""
        self.press(self.page.get_by_role("link", name="立即注册"))
        self.reads("立即注册")
        self.page.get_by_label("用户名").fill(username)
        self.page.get_by_label("密码", exact=True).fill(PASSWORD)
        self.page.get_by_label("再次输入密码").fill(PASSWORD)
        self.press(self.button("注册并登录"))

    def go_in(self) -> None:
        self.reads("登录成功")
        expect(self.main).to_contain_text("3 秒后自动进入报名系统。")
        self.press(self.link("立即进入"))

    def confirm_identity(self, **typed: str) -> None:
        """`typed` is name, kind and number, where the platform has not vouched for them."""
        self.reads("个人身份信息确认")
        if typed:
            self.page.get_by_label("姓名").fill(typed["name"])
            self.page.get_by_label("证件类型").select_option(label=typed["kind"])
            self.page.get_by_label("证件号码").fill(typed["number"])
        self.page.get_by_label("我已核对").check()
        self.page.get_by_label("单独同意").check()
        self.press(self.button("确认"))

    # --- Registering ---

    def begin(self, title: str) -> None:
        self.reads("个人竞赛计划列表")
        self.press(self.row(title).get_by_role("button", name="报名"))
        self.reads("填写报名表")

    def fill_in(self, **instead: str) -> None:
        for label, option in PICKED.items():
            self.page.get_by_label(label, exact=True).select_option(label=option)
        for label, text in {**TYPED, **instead}.items():
            self.page.get_by_label(label, exact=True).fill(text)

    def choose(self, name: str) -> None:
        """The occupation, by its name in the list."""
        self.press(self.button("职业（工种）"))
        if self.script:
            expect(self.page.get_by_role("dialog", name="选择职业（工种）")).to_be_visible()
            self.page.get_by_label("搜索职业（工种）").fill(name)
            expect(self.main.get_by_role("radio")).to_have_count(1)
        else:
            self.reads("选择职业（工种）")
        self.main.get_by_role("radio", name=name).check()
        chooser = self.page.get_by_role("dialog") if self.script else self.main
        self.press(chooser.get_by_role("button", name="保存", exact=True))
        self.reads("填写报名表")
        self.told("已保存")

    def upload(self, file: Path | dict[str, Any]) -> None:
        self.reads("上传照片")
        self.page.get_by_label("浏览").set_input_files(file)
        self.press(self.button("上传"))

    def crop(self) -> None:
        """With the script the frame is moved by keys; without it the suggested frame is accepted."""
        self.reads("裁切照片")
        taken = self.page.locator("#crop-form input[name=width]")
        if self.script:
            before = int(taken.input_value())
            self.page.get_by_role("application", name="裁切区域").focus()  # there as soon as the script has run
            self.page.keyboard.press("+")
            self.page.keyboard.press("ArrowUp")
            expect(self.main.get_by_role("status")).to_contain_text("裁切框距左边")
            assert int(taken.input_value()) < before
        self.press(self.button("裁切照片并保存"))

    def sees_portrait(self) -> None:
        """The picture is on the page, and the browser could draw it."""
        picture = self.main.locator("img.portrait")
        expect(picture).to_be_visible()
        expect(picture).to_have_js_property("naturalWidth", 295)
        expect(picture).to_have_js_property("naturalHeight", 413)

    def submit(self) -> str:
        """From the page to check to the receipt; returns the number on it."""
        self.press(self.link("提交审核"))
        self.reads("提交审核")
        expect(self.main).to_contain_text("确认提交吗？")
        self.press(self.button("确认提交"))
        self.reads("提交成功")
        return self.page.locator(".receipt").inner_text()
