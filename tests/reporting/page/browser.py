"""A headless Chromium without a network, as the tests drive it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.support.ui import WebDriverWait

CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync", "--disable-dev-shm-usage"),
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
)
PATIENCE_S = 60
"""Seconds that a page may take on a busy machine."""


@contextmanager
def chromium(profile: Path) -> Iterator[webdriver.Chrome]:
    """A browser with a profile of its own; the test is skipped where Debian's chromium and chromium-driver are not installed."""
    if not (CHROMIUM and DRIVER):
        assert not os.environ.get("CI"), "install chromium and chromium-driver: .ci/toolchains does"
        pytest.skip("needs Debian's chromium and chromium-driver: run .ci/toolchains")
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for flag in (*FLAGS, f"--user-data-dir={profile}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(DRIVER))
    try:
        yield driver
    finally:
        driver.quit()


def look(driver: webdriver.Chrome, width: int, *, dark: bool = False) -> None:
    """Give the page a width, and what its user prefers."""
    size = {"width": width, "height": 844, "deviceScaleFactor": 1, "mobile": width < 600}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
    still = {"name": "prefers-reduced-motion", "value": "reduce"}
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [scheme, still]})


def until(driver: webdriver.Chrome, holds: Callable[[], Any]) -> Any:
    """Wait until something holds."""
    return WebDriverWait(driver, PATIENCE_S, poll_frequency=0.05).until(lambda _: holds())


def requests(driver: webdriver.Chrome) -> list[str]:
    """The addresses that were asked for since the last time."""
    events = [json.loads(entry["message"])["message"] for entry in driver.get_log("performance")]
    return [event["params"]["request"]["url"] for event in events if event["method"] == "Network.requestWillBeSent"]


@cache
def axe() -> str:
    """axe-core, as npm installs it globally; the test is skipped where it is not."""
    root = subprocess.run(["npm", "root", "--global"], capture_output=True, text=True, check=False).stdout.strip()
    path = Path(root) / "axe-core" / "axe.min.js"
    if not root or not path.is_file():
        assert not os.environ.get("CI"), "install axe-core: .ci/toolchains does"
        pytest.skip("needs axe-core: npm install --global axe-core@4")
    return path.read_text("utf-8")
