"""A headless Chromium for the explore page, driven by the DevTools protocol."""

import base64
import itertools
import json
import re
import shutil
import subprocess
import urllib.request
from contextlib import contextmanager

import pytest


class Page:
    """A page that is open."""

    def __init__(self, socket):
        self._socket = socket
        self._numbers = itertools.count(1)
        # What the console complained of, and what was asked for beside the page itself.
        self.complaints, self.requests = [], []
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")

    def call(self, method, **parameters):
        number = next(self._numbers)
        self._socket.send(json.dumps({"id": number, "method": method, "params": parameters}))
        while True:
            message = self._next()
            if message.get("id") == number:
                assert "error" not in message, message
                return message["result"]

    def _next(self):
        message = json.loads(self._socket.recv())
        told = message.get("params", {})
        if message.get("method") == "Network.requestWillBeSent":
            self.requests.append(told["request"]["url"])
        is_error = message.get("method") == "Log.entryAdded" and told["entry"]["level"] == "error"
        if is_error or message.get("method") == "Runtime.exceptionThrown":
            self.complaints.append(told)
        return message

    def open(self, address, *, width):
        """Go to an address in a window of so many pixels and wait until it is there."""
        self.call(
            "Emulation.setDeviceMetricsOverride",
            **{"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False},
        )
        # From an empty page: a new fragment alone would not load anything.
        for target in ("about:blank", address):
            self.call("Page.navigate", url=target)
            while self._next().get("method") != "Page.loadEventFired":
                pass

    def run(self, script):
        """Value of an expression in the page."""
        answer = self.call("Runtime.evaluate", expression=script, returnByValue=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def text(self, name):
        """Text of an element, by its id."""
        return self.run(f"document.getElementById({name!r}).textContent").replace("\u2212", "-")

    def press(self, key):
        """Press and let go a key."""
        for kind in ("keyDown", "keyUp"):
            self.call("Input.dispatchKeyEvent", type=kind, key=key, code=key, **KEYS[key])

    def picture(self, file):
        """Save what is on the screen, for people who look."""
        file.write_bytes(base64.b64decode(self.call("Page.captureScreenshot")["data"]))


KEYS = {
    "Tab": {"windowsVirtualKeyCode": 9},
    "ArrowDown": {"windowsVirtualKeyCode": 40},
    " ": {"windowsVirtualKeyCode": 32, "text": " "},
}


@contextmanager
def browser(folder):
    """An empty page; skipped where there is no Chromium."""
    import websocket

    program = shutil.which("chromium") or shutil.which("chromium-browser")
    if program is None:
        pytest.skip("chromium is not installed: apt install chromium")
    command = [
        *(program, "--headless", "--no-sandbox", "--disable-gpu", "--remote-debugging-port=0"),
        *(f"--user-data-dir={folder / 'profile'}", "about:blank"),
    ]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        try:
            found = None
            while found is None:
                found = re.search(r"ws://([^/]+)/", process.stderr.readline())
            with urllib.request.urlopen(f"http://{found[1]}/json/list") as answer:
                targets = json.load(answer)
            url = next(t for t in targets if t["type"] == "page")["webSocketDebuggerUrl"]
            socket = websocket.create_connection(url, timeout=60, suppress_origin=True)
            try:
                yield Page(socket)
            finally:
                socket.close()
        finally:
            process.terminate()
            process.stderr.close()
