"""What a committee writes, and what comes of it: no script, no style, no image, no foreign address."""

import pytest

from plans.markdown import render

LINK = '<a href="{}" rel="noopener noreferrer nofollow">{}</a>'


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("", ""),
        ("一段**重要**的*话*。", "<p>一段<strong>重要</strong>的<em>话</em>。</p>\n"),
        ("# 总则\n\n###### 细则", "<h3>总则</h3>\n<h4>细则</h4>\n"),
        ("- 甲\n- 乙", "<ul>\n<li>甲</li>\n<li>乙</li>\n</ul>\n"),
        ("[规程](https://example.cn/a)", f"<p>{LINK.format('https://example.cn/a', '规程')}</p>\n"),
        ("[信](mailto:a@example.cn)", f"<p>{LINK.format('mailto:a@example.cn', '信')}</p>\n"),
        ("[电](tel:010-1)", f"<p>{LINK.format('tel:010-1', '电')}</p>\n"),
        ("<script>alert(1)</script>", "<p>&lt;script&gt;alert(1)&lt;/script&gt;</p>\n"),
        ("<b onclick=alert(1)>x</b>", "<p>&lt;b onclick=alert(1)&gt;x&lt;/b&gt;</p>\n"),
        ("[x](javascript:alert(1))", "<p>[x](javascript:alert(1))</p>\n"),
        ("[x](JaVaScRiPt:alert(1))", "<p>[x](JaVaScRiPt:alert(1))</p>\n"),
        ("[x](data:text/html,a)", "<p>[x](data:text/html,a)</p>\n"),
        ("![画](https://evil.example/a.png)", "<p></p>\n"),
        ("`<i>`", "<p><code>&lt;i&gt;</code></p>\n"),
        ("<javascript:alert(1)>", "<p>&lt;javascript:alert(1)&gt;</p>\n"),
        ("```js\nalert(1)\n```", "<pre><code>alert(1)\n</code></pre>\n"),
    ],
)
def test_markdown(text, html):
    assert render(text) == html


def test_a_table():
    html = render("| 项目 | 分 |\n|---|--:|\n| 理论 | 30 |")
    assert "".join(html.split()) == (
        "<table><thead><tr><th>项目</th><th>分</th></tr></thead><tbody><tr><td>理论</td><td>30</td></tr></tbody></table>"
    )
