"""Chromium without a window, driven over a pipe with the DevTools protocol: what a page does in a real browser."""

import base64
import contextlib
import fcntl
import json
import os
import shutil
import signal
import subprocess
import tempfile

PROGRAMS = ("chromium", "chromium-browser", "google-chrome")


def find():
    """The browser's program; None if there is none."""
    return next((found for found in map(shutil.which, PROGRAMS) if found), None)


class Browser:
    """One page of a browser of its own, which ends with the `with` block."""

    def __init__(self):
        self._folder = tempfile.mkdtemp()
        # The protocol's file descriptors are 3 and 4, so its ends of the pipes stay clear of them until bash has moved them.
        ends = [*os.pipe(), *os.pipe()]
        there, back = (fcntl.fcntl(ends[at], fcntl.F_DUPFD, 10) for at in (0, 3))
        self._to, self._from = ends[1], ends[2]
        os.close(ends[0])
        os.close(ends[3])
        flags = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars", "--no-first-run",
                 "--disable-background-networking", "--disable-component-update", "--disable-sync", "--mute-audio",
                 "--remote-debugging-pipe", f"--user-data-dir={self._folder}", "about:blank"]
        self._process = subprocess.Popen(
            ["bash", "-c", f'exec 3<&{there} 4>&{back} {there}<&- {back}>&-; exec "$@"', "bash", find(), *flags],
            pass_fds=(there, back), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
        os.close(there)
        os.close(back)
        self._input, self._number, self._rest, self.events = os.fdopen(self._from, "rb", buffering=0), 0, b"", []
        target = self._send("Target.createTarget", {"url": "about:blank"})["targetId"]
        self._session = self._send("Target.attachToTarget", {"targetId": target, "flatten": True})["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self._send(f"{domain}.enable")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._process.terminate()
        self._process.wait()
        os.close(self._to)
        self._input.close()
        # Its own children may be there for a moment longer, and write.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        shutil.rmtree(self._folder, ignore_errors=True)

    def open(self, path, width, dark=False, height=900):
        """Loads a file at a width of the window, and returns when it is there."""
        self.events.clear()
        self._send("Emulation.setDeviceMetricsOverride", {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False})
        self._send("Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]})
        self._send("Page.navigate", {"url": path.resolve().as_uri()})
        while not any(event["method"] == "Page.loadEventFired" for event in self.events):
            self._read()

    def run(self, expression):
        """The value of an expression of JavaScript, which may be a promise."""
        answer = self._send("Runtime.evaluate", {"expression": expression, "returnByValue": True, "awaitPromise": True})
        if "exceptionDetails" in answer:
            raise AssertionError(f"{expression}: {answer['exceptionDetails']}")
        return answer["result"].get("value")

    def key(self, key):
        """Presses a key: Tab, ArrowDown, Escape …"""
        codes = {"Tab": 9, "Escape": 27, "ArrowUp": 38, "ArrowDown": 40, " ": 32}
        for kind in ("keyDown", "keyUp"):
            self._send("Input.dispatchKeyEvent", {"type": kind, "key": key, "code": key, "windowsVirtualKeyCode": codes[key]})

    def complaints(self):
        """Errors and warnings of the console, exceptions, and what the page wanted from elsewhere."""
        self.run("0")   # all earlier events are there once it is answered
        found = [event["params"] for event in self.events if event["method"] == "Runtime.exceptionThrown"
                 or (event["method"] == "Runtime.consoleAPICalled" and event["params"]["type"] in ("error", "warning", "assert"))
                 or (event["method"] == "Log.entryAdded" and event["params"]["entry"]["level"] in ("error", "warning"))]
        asked = [event["params"]["request"]["url"] for event in self.events if event["method"] == "Network.requestWillBeSent"]
        return found + [url for url in asked[1:] if not url.startswith("data:")]

    def picture(self, path, element=None):
        """Writes a picture of the whole page, or of an element."""
        box = self.run("(() => { const at = document.querySelector(%s).getBoundingClientRect(); return [at.x + scrollX, at.y + scrollY, "
                       "at.width, at.height]; })()" % json.dumps(element or "body"))
        clip = {"x": box[0], "y": box[1], "width": box[2], "height": box[3], "scale": 1}
        answer = self._send("Page.captureScreenshot", {"captureBeyondViewport": True, "clip": clip})
        path.write_bytes(base64.b64decode(answer["data"]))

    def _send(self, method, params=None):
        self._number += 1
        number, message = self._number, {"id": self._number, "method": method, "params": params or {}}
        if hasattr(self, "_session"):
            message["sessionId"] = self._session
        text = json.dumps(message).encode() + b"\0"
        while text:
            text = text[os.write(self._to, text):]
        while True:
            answer = self._read()
            if answer.get("id") == number:
                if "error" in answer:
                    raise AssertionError(f"{method}: {answer['error']}")
                return answer["result"]

    def _read(self):
        while b"\0" not in self._rest:
            part = self._input.read(1 << 16)
            if not part:
                raise AssertionError(f"the browser ended with code {self._process.wait()}")
            self._rest += part
        text, _, self._rest = self._rest.partition(b"\0")
        message = json.loads(text)
        if "method" in message:
            self.events.append(message)
        return message
