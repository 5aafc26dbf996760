"""How the people of the demonstration answer a return: they mend what was named, or say why it is right."""

from typing import Any

from profiles.choices import Education, SkillLevel
from registrations.models import Registration

NOTHING_THERE = "我没有这一项，所以没有填写。"
TAKEN_ANEW = "这是上个月在照相馆拍的白底照片，头部大小已经按要求裁切。"


def amended(name: str, value: Any) -> Any:
    """Another value that is as good as the former one."""
    if name == "skill_level":
        return SkillLevel.L2 if value == SkillLevel.L3 else SkillLevel.L3
    if name == "education":
        return Education.COLLEGE if value == Education.BACHELOR else Education.BACHELOR
    if name == "employer":
        return f"{value}第一分公司"
    return f"{value[:-1]}{(int(value[-1]) + 1) % 10}"  # a number of which the last digit was wrong


def answer(registration: Registration) -> None:
    """Do what the last return asks for."""
    correction = registration.correction()
    if correction is None:
        return
    values, answers = {}, {}
    for name in sorted(correction.named):
        value = getattr(registration, name)
        if name == "portrait":
            answers[name] = TAKEN_ANEW
        elif value in ("", SkillLevel.NONE):
            answers[name] = NOTHING_THERE
        else:
            values[name] = amended(name, value)
    registration.write(registration.version, **values)
    correction.answer(answers)
