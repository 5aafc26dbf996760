"""What may be in no tracked file is found, and ordinary text is left alone."""

import pytest

from scripts.lint import forbidden

# What stands for "~" is put in later, so that this file does not accuse itself.
BAD = [
    ("pip install --index~-url x", "--index~-url"),
    ("https://pypi~.org/simple", "pypi~.org"),
    ("see /~work/notes", "/~work/"),
    ("HOME=/~root", "/~root"),
    ("/~home/li/portal", "/~home/l"),
]


@pytest.mark.parametrize(("line", "found"), BAD)
def test_what_belongs_to_one_machine_is_named_with_its_place(line: str, found: str):
    text = f"ordinary\n{line}\n".replace("~", "")
    assert forbidden("docs/x.md", text) == [f"docs/x.md:2: {found.replace('~', '')}"]


@pytest.mark.parametrize(
    "line", ["patchwork/x", "teamwork/", "https://x.cn/network/root.css", "/rooted", "index of urls"]
)
def test_ordinary_text_is_left_alone(line: str):
    assert forbidden("docs/x.md", line) == []
