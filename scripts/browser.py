"""Find a Chromium and Chinese fonts for the browser tests, and install them where that is possible."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
MISSING = "没有找到 Chromium，也没能装上。请先安装 Chromium（或用环境变量 CHROMIUM 写明它的路径），再运行一次。"
NO_FONTS = "提示：这台机器没有中文字体，浏览器测试里的汉字会显示成方框。建议安装 fonts-noto-cjk。"


def starts(program: str) -> bool:
    """Some systems have a `chromium` that only says where to get one."""
    try:
        return subprocess.run([program, "--version"], capture_output=True, timeout=30).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


def find_chromium(environment: Mapping[str, str] = os.environ, works: Callable[[str], bool] = starts) -> str | None:
    """The program named by CHROMIUM or found on PATH, or None."""
    for name in filter(None, [environment.get("CHROMIUM"), *NAMES]):
        program = shutil.which(name, path=environment.get("PATH"))
        if program and works(program):
            return program
    return None


def playwright_has_one() -> bool:
    """Asked in another process: Playwright's driver leaves an event loop behind."""
    question = "from playwright.sync_api import sync_playwright as p\nwith p() as w: print(w.chromium.executable_path)"
    answer = subprocess.run([sys.executable, "-c", question], capture_output=True, text=True)
    return answer.returncode == 0 and starts(answer.stdout.strip())


def has_chinese_font() -> bool:
    if sys.platform != "linux":
        return True
    try:
        return bool(subprocess.run(["fc-list", ":lang=zh"], capture_output=True).stdout.strip())
    except OSError:
        return False


def may_install_packages() -> bool:
    return os.geteuid() == 0 and shutil.which("apt-get") is not None


def install_packages(*names: str) -> None:
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in (["update"], ["install", "--yes", "--no-install-recommends", *names]):
        subprocess.run(
            ["apt-get", "-qq", *command],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
        )


def provide() -> None:
    """Return with a Chromium that starts, or raise SystemExit with a sentence."""
    chromium, fonts = find_chromium(), has_chinese_font()
    wanted = [name for name, there in (("chromium", chromium), ("fonts-noto-cjk", fonts)) if not there]
    if wanted and may_install_packages():
        print(f"正在安装浏览器测试需要的 {'、'.join(wanted)}（只有第一次需要）……", flush=True)
        install_packages(*wanted)
        chromium, fonts = find_chromium(), has_chinese_font()
    if not chromium and not playwright_has_one():
        print("正在下载浏览器测试需要的 Chromium（只有第一次需要）……", flush=True)
        subprocess.run([sys.executable, "-m", "playwright", "install", "chromium"], stdin=subprocess.DEVNULL)
        if not playwright_has_one():
            raise SystemExit(MISSING)
    if not fonts:
        print(NO_FONTS, flush=True)
