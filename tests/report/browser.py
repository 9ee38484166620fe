"""A real headless Chromium, driven through its own driver by the WebDriver protocol: JSON over HTTP, nothing else."""

from __future__ import annotations

import base64
import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.request import Request, urlopen

from animerun_gen.engines.processes import descendants

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--force-color-profile=srgb",
)

KEYS = {"left": "\ue012", "right": "\ue014", "home": "\ue011", "end": "\ue010", "space": " ", "tab": "\ue004"}

PATIENCE = 30.0
"""Seconds to wait for something that takes a tenth of one: other work may fill the machine."""


def missing_browser() -> str:
    """Why no browser can be started here; empty when one can."""
    lacking = [name for name in ("chromium", "chromedriver") if shutil.which(name) is None]
    return f"there is no {' and no '.join(lacking)} (Debian: apt-get install chromium chromium-driver)" * bool(lacking)


class Browser:
    """A window of a Chromium of its own, closed at the end of the ``with`` block.

    Args:
        width: of the window's content, in pixels.
        height: of the window's content, in pixels.
    """

    def __init__(self, width: int = 1400, height: int = 1000) -> None:
        self._profile = tempfile.TemporaryDirectory(prefix="chromium-", ignore_cleanup_errors=True)
        self._driver = subprocess.Popen(
            ["chromedriver", "--port=0"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        try:
            self._session = f"http://127.0.0.1:{self._port()}/session"
            options = {
                "binary": shutil.which("chromium"),
                "args": [*FLAGS, f"--window-size={width},{height}", f"--user-data-dir={self._profile.name}"],
            }
            capabilities = {"goog:chromeOptions": options, "goog:loggingPrefs": {"browser": "ALL"}}
            answer = self._post("", {"capabilities": {"alwaysMatch": capabilities}})
            self._session += f"/{answer['sessionId']}"
            # what the options give is the window with its frame
            frame = self.run("return [outerWidth - innerWidth, outerHeight - innerHeight]")
            self._post("/window/rect", {"width": width + frame[0], "height": height + frame[1]})
        except BaseException:
            self._end()
            raise

    def _port(self) -> int:
        assert self._driver.stdout is not None
        for line in self._driver.stdout:
            if found := re.search(r"started successfully on port (\d+)", line):
                return int(found[1])
        raise RuntimeError("chromedriver ended before it began")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            with urlopen(Request(self._session, method="DELETE"), timeout=PATIENCE):
                pass
        finally:
            self._end()

    def _end(self) -> None:
        # a driver that was asked to end waits for its browser, which may hang
        started = [self._driver.pid, *descendants(self._driver.pid)]
        self._driver.terminate()
        try:
            self._driver.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            for process in started:
                with suppress(ProcessLookupError):
                    os.kill(process, signal.SIGKILL)
            self._driver.wait()
        if self._driver.stdout is not None:
            self._driver.stdout.close()
        self._profile.cleanup()

    def _post(self, path: str, content: object) -> Any:
        request = Request(self._session + path, json.dumps(content).encode(), {"Content-Type": "application/json"})
        with urlopen(request, timeout=120) as answer:
            return json.load(answer)["value"]

    def open(self, page: Path, fragment: str = "") -> None:
        """Open a file as a user does who double-clicks it."""
        # another fragment alone would not load the page again
        self._post("/url", {"url": "about:blank"})
        self._post("/url", {"url": page.resolve().as_uri() + fragment})

    def run(self, script: str, *arguments: object) -> Any:
        """What a piece of JavaScript returns."""
        return self._post("/execute/sync", {"script": script, "args": list(arguments)})

    def wait_for(self, script: str, wanted: Callable[[Any], bool]) -> Any:
        """The value of an expression as soon as it is as wanted.

        Raises:
            AssertionError: it never is.
        """
        end = time.monotonic() + PATIENCE
        while not wanted(value := self.run(f"return {script}")):
            assert time.monotonic() < end, f"{script} stays {value!r}"
            time.sleep(0.02)
        return value

    def press(self, key: str) -> None:
        """Press a key and let it go."""
        self.hold(key)
        self.release()

    def hold(self, key: str) -> None:
        """Press a key, to be let go by :meth:`release`."""
        action = {"type": "keyDown", "value": KEYS.get(key, key)}
        self._post("/actions", {"actions": [{"type": "key", "id": "keys", "actions": [action]}]})

    def release(self) -> None:
        """Let all keys go."""
        with urlopen(Request(f"{self._session}/actions", method="DELETE"), timeout=PATIENCE):
            pass

    def click(self, x: float, y: float) -> None:
        """Click at a place of the window's content."""
        self.move(x, y)
        self._post(
            "/actions",
            {
                "actions": [
                    {
                        "type": "pointer",
                        "id": "mouse",
                        "actions": [{"type": "pointerDown", "button": 0}, {"type": "pointerUp", "button": 0}],
                    }
                ]
            },
        )

    def move(self, x: float, y: float) -> None:
        """Move the mouse to a place of the window's content."""
        self._post(
            "/actions",
            {
                "actions": [
                    {
                        "type": "pointer",
                        "id": "mouse",
                        "actions": [{"type": "pointerMove", "duration": 0, "x": round(x), "y": round(y)}],
                    }
                ]
            },
        )

    def console(self) -> list[str]:
        """What the page has written to the console, and its errors, since this was last asked."""
        return [f"{entry['level']}: {entry['message']}" for entry in self._post("/se/log", {"type": "browser"})]

    def look_as(self, width: int, height: int, scheme: str) -> None:
        """From now on be a window of this size of somebody who prefers a color scheme, ``light`` or ``dark``."""
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        self._tell("Emulation.setDeviceMetricsOverride", size)
        preferred = {"name": "prefers-color-scheme", "value": scheme}
        self._tell("Emulation.setEmulatedMedia", {"features": [preferred]})

    def look_as_usual(self) -> None:
        """Take :meth:`look_as` back."""
        self._tell("Emulation.clearDeviceMetricsOverride", {})
        self._tell("Emulation.setEmulatedMedia", {"features": []})

    def roles(self) -> list[tuple[str, str]]:
        """What a screen reader is told of the page: role and name of everything that has one, in the page's order."""
        self._tell("Accessibility.enable", {})
        nodes = self._tell("Accessibility.getFullAXTree", {})["nodes"]
        self._tell("Accessibility.disable", {})
        of_id = {node["nodeId"]: node for node in nodes}
        found: list[tuple[str, str]] = []

        def walk(node: dict[str, Any]) -> None:
            if not node["ignored"]:
                found.append((node["role"]["value"], node.get("name", {}).get("value", "")))
            for child in node.get("childIds", []):
                if child in of_id:
                    walk(of_id[child])

        walk(nodes[0])
        return found

    def _tell(self, command: str, parameters: object) -> Any:
        """A command of Chromium's own protocol."""
        return self._post("/goog/cdp/execute", {"cmd": command, "params": parameters})

    def picture(self) -> bytes:
        """The window's content as a PNG file."""
        with urlopen(f"{self._session}/screenshot", timeout=120) as answer:
            return base64.b64decode(json.load(answer)["value"])
