#!/usr/bin/env python3
"""Goal: what people do in the console works, and a reload or a restart neither loses nor doubles a
line. Method: a real browser (headless Chromium over a pipe), driven by keyboard and clicks.

    console_test.py BASE_URL [--runtime ID] [--token TOKEN]
                    [--restart-backend COMMAND] [--restart-runtime COMMAND] [--pictures FOLDER]
                    [--interrupt]

The Runtime's Workers must echo: what is said comes back as a message that has it in it; with
--interrupt, what begins with "wait" must wait (as with the example agent). The commands are run by
a shell; each must return when its program is gone or started again. Exit: 0 passed, 1 failed, 77
skipped (with the reason: no browser here, or it does not start).
"""
import argparse
import base64
import json
import os
import select
import shutil
import subprocess
import sys
import tempfile
import time

WAIT_S = 20
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
FLAGS = ("--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--hide-scrollbars",
         "--disable-background-networking", "--disable-component-update", "--disable-sync",
         "--disable-dev-shm-usage", "--mute-audio", "--remote-debugging-pipe")


class Failure(Exception):
    pass


def find_browser():
    program = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, BROWSERS)), None)
    if not program:
        print("skipped: there is no Chromium here (CHROMIUM=... names one)")
    return program


class Browser:
    """One page of a browser, over the DevTools protocol: JSON texts that end in NUL."""

    def __init__(self, program, folder, *flags):
        to_browser, self.output = os.pipe()
        self.input, from_browser = os.pipe()

        def place_pipes():
            # The browser reads descriptor 3 and writes 4; first out of each other's way.
            high = [os.dup(fd) for fd in (to_browser, from_browser)]
            high = [os.dup2(fd, 100 + i) for i, fd in enumerate(high)]
            os.dup2(high[0], 3)
            os.dup2(high[1], 4)

        self.process = subprocess.Popen(
            [program, *FLAGS, *flags, f"--user-data-dir={folder}", "about:blank"],
            close_fds=False, preexec_fn=place_pipes, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL)
        os.close(to_browser)
        os.close(from_browser)
        self.rest = b""
        self.number = 0
        self.session = None
        self.complaints = []
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        attached = self.call("Target.attachToTarget", targetId=target, flatten=True)
        self.session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Log"):
            self.call(f"{domain}.enable")

    def close(self):
        try:
            self.session = None
            self.call("Browser.close")
            self.process.wait(10)
        except (Failure, OSError, subprocess.TimeoutExpired):
            self.process.kill()
            self.process.wait()

    def read(self, until):
        while b"\0" not in self.rest:
            left = until - time.monotonic()
            if left <= 0 or not select.select([self.input], [], [], left)[0]:
                raise Failure("the browser does not answer")
            piece = os.read(self.input, 1 << 16)
            if not piece:
                raise Failure("the browser is gone")
            self.rest += piece
        text, self.rest = self.rest.split(b"\0", 1)
        return json.loads(text)

    def note(self, message):
        """What the page itself complains of: exceptions, and what its policy forbade."""
        parameters = message.get("params", {})
        if message["method"] == "Runtime.exceptionThrown":
            details = parameters["exceptionDetails"]
            self.complaints.append(
                details.get("exception", {}).get("description", details["text"]))
        elif message["method"] == "Log.entryAdded":
            entry = parameters["entry"]
            # A server that is down, and a missing credential, are not the page's fault.
            if entry["level"] == "error" and entry["source"] != "network":
                self.complaints.append(entry["text"])

    def call(self, method, **parameters):
        self.number += 1
        message = {"id": self.number, "method": method, "params": parameters}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.output, json.dumps(message).encode() + b"\0")
        until = time.monotonic() + WAIT_S + 10
        while True:
            answer = self.read(until)
            if answer.get("id") == self.number:
                if "error" in answer:
                    raise Failure(f"{method}: {answer['error']['message']}")
                return answer["result"]
            if "method" in answer:
                self.note(answer)

    def ask(self, expression):
        result = self.call("Runtime.evaluate", expression=expression, returnByValue=True,
                           awaitPromise=True)
        if "exceptionDetails" in result:
            raise Failure(f"{expression}: {result['exceptionDetails']['text']}")
        return result["result"].get("value")

    def wait(self, condition, what):
        """Until an expression of the page is true. The page itself looks, many times a second;
        when it is left meanwhile, the next one does."""
        until = time.monotonic() + WAIT_S
        while time.monotonic() < until:
            looking = f"""new Promise((resolve) => {{
                const until = Date.now() + 1000;
                const look = () => ({condition}) ? resolve(true)
                    : Date.now() > until ? resolve(false) : setTimeout(look, 20);
                look();
            }})"""
            try:
                if self.ask(looking):
                    return
            except Failure as failure:
                if "navigated" not in str(failure) and "context" not in str(failure):
                    raise
        raise Failure(f"waited in vain: {what}")

    def click(self, selector):
        self.wait(f"document.querySelector({json.dumps(selector)})"
                  "?.checkVisibility() && !document.querySelector("
                  f"{json.dumps(selector)}).disabled", f"{selector} to click")
        place = self.ask(f"""(() => {{
            const element = document.querySelector({json.dumps(selector)});
            element.scrollIntoView({{ block: "nearest" }});
            const box = element.getBoundingClientRect();
            return [box.x + box.width / 2, box.y + box.height / 2];
        }})()""")
        for kind in ("mousePressed", "mouseReleased"):
            self.call("Input.dispatchMouseEvent", type=kind, x=place[0], y=place[1],
                      button="left", clickCount=1)

    def type(self, text):
        self.call("Input.insertText", text=text)

    def press(self, key, code, text="", modifiers=0):
        for kind in ("keyDown", "keyUp"):
            self.call("Input.dispatchKeyEvent", type=kind, key=key, code=key,
                      windowsVirtualKeyCode=code, modifiers=modifiers,
                      **({"text": text} if kind == "keyDown" and text else {}))

    def enter(self, modifiers=0):
        self.press("Enter", 13, "\r", modifiers)

    def picture(self, path):
        data = self.call("Page.captureScreenshot", format="png")["data"]
        with open(path, "wb") as file:
            file.write(base64.b64decode(data))


LINES = """[...document.querySelectorAll("#log > [data-kind=user], #log > [data-kind=assistant]")]
    .map((line) => [line.dataset.kind, line.querySelector(".text").textContent])"""


class Console:
    def __init__(self, browser, options):
        self.browser = browser
        self.options = options
        self.said = []

    def open(self):
        self.browser.call("Page.navigate", url=self.options.base + "/")
        if self.options.token:
            self.browser.wait("document.querySelector('#credential')?.open", "to be asked who")
            self.browser.type("wrong-" + self.options.token)
            self.browser.enter()
            self.browser.wait("document.querySelector('#credential-outcome').textContent !== ''",
                              "a wrong token to be refused")
            self.browser.type(self.options.token)
            self.browser.enter()
        self.browser.wait("document.querySelectorAll('.group').length > 0", "the Runtimes")

    def check_what_is_heard(self):
        """What is not there before it says something is not heard by those who need it."""
        silent = self.browser.ask("""[...document.querySelectorAll("[role=status], [aria-live]")]
            .filter((part) => !part.closest("dialog") && !part.checkVisibility())
            .map((part) => part.id)""")
        if silent:
            raise Failure(f"nobody would hear {silent}")

    def check_modules(self):
        """The page names all its modules, so that none is found late; imports point to what it
        names earlier, so there are no circles."""
        named = self.browser.ask("""[...document.querySelectorAll("link[rel=modulepreload]")]
            .map((link) => link.getAttribute("href"))""") + ["/console.js"]
        imports = dict(self.browser.ask("""Promise.all(performance.getEntriesByType("resource")
            .map((entry) => new URL(entry.name).pathname).filter((path) => path.endsWith(".js"))
            .map(async (path) => [path, [...(await (await fetch(path)).text())
                .matchAll(/^import .*"[.](.*)";$/gm)].map((found) => found[1])]))"""))
        if sorted(named) != sorted(imports):
            raise Failure(f"named are {sorted(named)}, loaded {sorted(imports)}")
        for place, name in enumerate(named):
            if not set(imports[name]) <= set(named[:place]):
                raise Failure(f"{name} imports {imports[name]}, not all of them named before it")

    def create(self):
        browser = self.browser
        browser.click("#new")
        if self.options.runtime:
            browser.ask("document.querySelector('#where').value = "
                        + json.dumps(self.options.runtime))
        browser.click("#create [type=submit]")
        browser.wait("!document.querySelector('#create').open", "the Worker to be created")
        self.wait_live()
        self.said = []

    def wait_live(self):
        self.browser.wait("document.querySelector('#wire')?.dataset.state === 'live'",
                          "the stream of the Worker")

    def lines(self):
        return self.browser.ask(LINES)

    def say(self, text):
        """Says it by keyboard, and sees it and its answer behind all the others, once."""
        browser = self.browser
        browser.wait("!document.querySelector('#say').disabled", "to be allowed to speak")
        browser.ask("document.querySelector('#say').focus()")
        first, *others = text.split("\n")
        browser.type(first)
        for line in others:
            browser.enter(modifiers=8)
            browser.type(line)
        browser.enter()
        self.said.append(text)
        self.check(f"what was said: {text}")
        browser.wait("document.querySelector('#say').value === ''", "an empty box")

    def check(self, what):
        """Everything that was said, and its answer, in order, once."""
        wanted = json.dumps(self.said)
        self.browser.wait(f"""((lines, said) => lines.length === 2 * said.length &&
            said.every((text, i) => lines[2 * i][0] === "user" && lines[2 * i][1] === text &&
                lines[2 * i + 1][0] === "assistant" && lines[2 * i + 1][1].includes(text)))
            ({LINES}, {wanted})""", what)
        self.browser.wait("document.querySelector('#working').hidden", "the turn to end")

    def reload(self):
        self.browser.call("Page.reload")
        self.browser.wait("performance.now() < 60000 && document.querySelector('#log')",
                          "the page again")
        self.wait_live()
        self.check("the same lines after a reload")

    def restart(self, command, what):
        subprocess.run(command, shell=True, check=True, timeout=60)
        # First the page must see that the connection has gone; it may have come back since.
        self.say(f"said after a restart of the {what}")
        self.check(f"the same lines after a restart of the {what}")
        self.reload()

    def check_text_is_no_markup(self):
        self.say("<img src=x onerror=document.title='bad'><b>bold</b> &amp; \u591c\u5c45")
        if self.browser.ask("document.querySelectorAll('#log img, #log b').length") != 0:
            raise Failure("a text became markup")
        # The policy of the page says so, too; it complains of what is tried here.
        if self.browser.ask("""(() => {
            try { document.querySelector("#log").innerHTML = "<i>x</i>"; } catch { return false; }
            return true;
        })()"""):
            raise Failure("markup is not forbidden")

    def check_small(self):
        browser = self.browser
        browser.call("Emulation.setDeviceMetricsOverride", width=360, height=640,
                     deviceScaleFactor=2, mobile=True)
        browser.wait("document.documentElement.scrollWidth <= 360 && "
                     "!document.querySelector('#sidebar').checkVisibility()", "a small page")
        self.picture("small-worker")
        browser.click(".home")
        browser.wait("document.querySelector('#sidebar').checkVisibility() && "
                     "!document.querySelector('#main').checkVisibility()", "the list alone")
        self.picture("small-list")
        browser.ask("history.back()")
        self.wait_live()
        browser.call("Emulation.clearDeviceMetricsOverride")
        self.check("the same lines when a Worker is opened again")

    def picture(self, name):
        if self.options.pictures:
            self.browser.picture(os.path.join(self.options.pictures, name + ".png"))

    def pictures(self):
        self.browser.call("Emulation.setDeviceMetricsOverride", width=1200, height=800,
                          deviceScaleFactor=1, mobile=False)
        for scheme in ("light", "dark"):
            self.browser.call("Emulation.setEmulatedMedia", features=[
                {"name": "prefers-color-scheme", "value": scheme}])
            self.picture(scheme)
        self.browser.call("Emulation.setEmulatedMedia", features=[])

    def stop(self):
        browser = self.browser
        browser.click("#stop")
        browser.wait("document.querySelector('#confirm').open", "to be asked once more")
        browser.press("Escape", 27)
        browser.wait("!document.querySelector('#confirm').open", "to go back")
        self.check("nothing to have happened")
        browser.click("#stop")
        browser.click("#confirm [type=submit]")
        browser.wait("document.querySelector('#say').disabled && "
                     "document.querySelector('#state').textContent === 'stopped'",
                     "the Worker to be stopped")
        browser.wait("document.activeElement.id === 'label'", "the focus where one goes on")
        self.check("the lines of a stopped Worker")
        self.reload()

    def interrupt(self):
        browser = self.browser
        self.create()
        browser.ask("document.querySelector('#say').focus()")
        browser.type("wait for me")
        browser.enter()
        browser.wait("!document.querySelector('#working').hidden && "
                     "document.querySelector('#log [data-kind=assistant]')", "a turn that waits")
        browser.click("#interrupt")
        browser.wait("document.querySelector('#working').hidden", "the turn to be interrupted")
        browser.wait("['say', 'label'].includes(document.activeElement.id)",
                     "the focus where one goes on")
        self.picture("interrupted")

    def run(self):
        self.open()
        self.check_modules()
        self.create()
        self.check_what_is_heard()
        self.say("hello there")
        self.say("one\ntwo\n\nfour")
        self.check_text_is_no_markup()
        self.pictures()
        self.reload()
        if self.options.restart_backend:
            self.restart(self.options.restart_backend, "Backend")
        if self.options.restart_runtime:
            self.restart(self.options.restart_runtime, "Runtime")
        self.check_small()
        self.stop()
        if self.options.interrupt:
            self.interrupt()
        complaints = [text for text in self.browser.complaints if "'TrustedHTML'" not in text]
        if complaints or len(self.browser.complaints) != 1:
            raise Failure("the page complained: " + "; ".join(self.browser.complaints))


def read_options():
    parser = argparse.ArgumentParser()
    parser.add_argument("base")
    for name in ("runtime", "token", "restart-backend", "restart-runtime", "pictures"):
        parser.add_argument("--" + name)
    parser.add_argument("--interrupt", action="store_true")
    options = parser.parse_args()
    options.base = options.base.rstrip("/")
    return options


def main(play):
    options = read_options()
    program = find_browser()
    if not program:
        return 77
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        browser = None
        try:
            try:
                browser = Browser(program, folder)
            except (Failure, OSError) as failure:
                print(f"skipped: {program} does not start here ({failure})")
                return 77
            play(browser, options).run()
        except (Failure, subprocess.SubprocessError) as failure:
            print(f"failed: {failure}")
            if browser and options.pictures:
                browser.picture(os.path.join(options.pictures, "failed.png"))
            return 1
        finally:
            if browser:
                browser.close()
    print("passed")
    return 0


if __name__ == "__main__":
    sys.exit(main(Console))
