"""Write the table of environment variables in docs/operations/configuration.md: python -m scripts.configuration."""

from pathlib import Path

from competition_portal.variables import VARIABLES
from competition_portal.variables.variable import REQUIRED
from scripts.children import ROOT

PAGE = ROOT / "docs/operations/configuration.md"
BEGIN = "<!-- 这张表由 python -m scripts.configuration 写出；要改，请改 competition_portal/variables/。 -->"
END = "<!-- 表到此为止。 -->"
HEAD = "| 变量 | 意思 | 默认值 | 例子 |\n|---|---|---|---|\n"


def default_of(name: str) -> str:
    """In words where it has some, else as it is declared."""
    variable = VARIABLES[name]
    if variable.usual:
        return variable.usual
    default = variable.default
    if default is REQUIRED:
        return "必填"
    if isinstance(default, bool):
        return str(default).lower()
    if isinstance(default, dict):
        return ", ".join(f"{name}:{value}" for name, value in default.items()) or "空"
    return (",".join(default) if isinstance(default, list) else str(default)) or "空"


def table() -> str:
    return HEAD + "".join(
        f"| `{name}` | {told.meaning} | {default_of(name)} | {told.example} |\n" for name, told in VARIABLES.items()
    )


def written(page: str) -> str:
    """The page with its table as it should be. ValueError where the marks are not there."""
    before, rest = page.split(BEGIN)
    _, after = rest.split(END)
    return f"{before}{BEGIN}\n\n{table()}\n{END}{after}"


def main(page: Path = PAGE) -> None:
    page.write_text(written(page.read_text()))
    print(f"已写好 {page.relative_to(ROOT)}：{len(VARIABLES)} 个变量。")


if __name__ == "__main__":
    main()
