"""The district of Beijing that an address or an employer's name says. Pure."""

import re

# The sixteen districts, and the development area that people write as if it were one.
DISTRICTS = (
    *("东城区", "西城区", "朝阳区", "丰台区", "石景山区", "海淀区", "门头沟区", "房山区", "通州区", "顺义区"),
    *("昌平区", "大兴区", "怀柔区", "平谷区", "密云区", "延庆区", "经济技术开发区"),
)
UNKNOWN = "没有写明"
OUTSIDE = "外省市"
# Chaoyang is a city in Liaoning, too: a district counts after Beijing's name or where no other province is named.
FOUND = re.compile("|".join(DISTRICTS))
ELSEWHERE = re.compile(
    "(?:天津|上海|重庆|河北|山西|辽宁|吉林|黑龙江|江苏|浙江|安徽|福建|江西|山东|河南|湖北|湖南|广东|海南|四川|贵州|云南|"
    "陕西|甘肃|青海|台湾|内蒙古|广西|西藏|宁夏|新疆)(?:省|市|自治区|壮族自治区|回族自治区|维吾尔自治区)"
)


def district_of(*texts: str) -> str:
    """The first district that one of these texts names, in their order; OUTSIDE for another province; else UNKNOWN."""
    elsewhere = False
    for text in texts:
        if ELSEWHERE.match(text):
            elsewhere = True
        elif found := FOUND.search(text):
            return found.group()
    return OUTSIDE if elsewhere else UNKNOWN
