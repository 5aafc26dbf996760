"""What Django's admin scripts say in English, in Chinese: sentences that are newer than their translation."""

from typing import Any

from django.views.i18n import JavaScriptCatalog

# Under a moment's field, where a computer's own timezone is not the portal's.
HINT = "Note: Enter times in the %(timezone)s timezone. (You are %(offset)s hour {})"
PLURALS = {
    HINT.format("ahead."): "请按北京时间填写（您电脑上的时间比北京时间快 %(offset)s 小时）。",
    HINT.format("behind."): "请按北京时间填写（您电脑上的时间比北京时间慢 %(offset)s 小时）。",
}
# What the calendar's days and arrows are called for those who hear them, and a question of the lists.
WORDS = {
    "%(month)s %(day)s, %(year)s": "%(year)s 年 %(month)s %(day)s 日",
    "%s (current selection)": "%s（已选）",
    "%s (today)": "%s（今天）",
    "%s (today, current selection)": "%s（今天，已选）",
    "Next (%(month)s %(year)s)": "下个月（%(year)s 年 %(month)s）",
    "Previous (%(month)s %(year)s)": "上个月（%(year)s 年 %(month)s）",
    "Today (%(date)s)": "今天（%(date)s）",
    "Tomorrow (%(date)s)": "明天（%(date)s）",
    "Yesterday (%(date)s)": "昨天（%(date)s）",
    "You have selected an action, and you haven’t made any changes on individual fields. "
    "You’re probably looking for the Run button rather than the Save button.": "您选了一个操作，但没有改动任何一项。您要按的大概是“执行”，不是“保存”。",
    "server": "北京",
}


class ChineseCatalog(JavaScriptCatalog):
    packages = ["django.contrib.admin"]

    def get_catalog(self) -> dict[str, Any]:
        """A plural has one form in Chinese, in a list of its own."""
        return super().get_catalog() | WORDS | {english: [chinese] for english, chinese in PLURALS.items()}
