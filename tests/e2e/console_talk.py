#!/usr/bin/env python3
"""Goal: a conversation is on the page as it is said, also within a message, and after a reload.
Method: the browser of console_test.py, told what to do, line by line, by the test that plays the
model.

    console_talk.py COMMANDS DONE

Both are fifos. A command is a JSON list on a line, and a line is written to DONE when it is done:

    ["open", BASE_URL, HASH, TOKEN]   the page of a Worker
    ["shows", LINES, TEXT]            so many lines of people and models, the last of this text
    ["lines", [[KIND, TEXT]...]]      exactly these
    ["reload"]
    ["end"]

Certificates are not judged. Exit: 0 passed, 1 failed, 77 skipped (with the reason: no browser here,
or it does not start).
"""
import json
import sys
import tempfile

sys.dont_write_bytecode = True
from console_test import LINES, Browser, Failure, find_browser  # noqa: E402


class Talk:
    def __init__(self, browser):
        self.browser = browser

    def wait_live(self):
        self.browser.wait("document.querySelector('#wire')?.dataset.state === 'live'",
                          "the stream of the Worker")

    def open(self, base, place, token):
        browser = self.browser
        browser.call("Page.navigate", url=base + "/" + place)
        browser.wait("document.querySelector('#credential')?.open", "to be asked who")
        browser.type(token)
        browser.enter()
        self.wait_live()

    def shows(self, count, text):
        try:
            self.browser.wait(f"""((lines) => lines.length === {count} &&
                lines[lines.length - 1][1] === {json.dumps(text)})({LINES})""",
                              f"{count} lines, the last of them: {text}")
        except Failure as failure:
            lines = self.browser.ask(LINES)
            raise Failure(f"{failure}; there are {len(lines)}, the last {lines[-1:]}") from None

    def lines(self, wanted):
        lines = self.browser.ask(LINES)
        if lines != wanted:
            raise Failure(f"the lines are {lines}")

    def reload(self):
        self.browser.ask("window.isOld = true")
        self.browser.call("Page.reload")
        self.browser.wait("!window.isOld && document.querySelector('#log')", "the page again")
        self.wait_live()

    def end(self):
        if self.browser.complaints:
            raise Failure("the page complained: " + "; ".join(self.browser.complaints))

    def run(self, commands, done):
        for line in commands:
            name, *arguments = json.loads(line)
            getattr(self, name)(*arguments)
            done.write("\n")
            done.flush()
            if name == "end":
                return


def main():
    program = find_browser()
    if not program:
        return 77
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        browser = None
        try:
            try:
                browser = Browser(program, folder, "--ignore-certificate-errors")
            except (Failure, OSError) as failure:
                print(f"skipped: {program} does not start here ({failure})")
                return 77
            with open(sys.argv[1], encoding="utf-8") as commands, open(sys.argv[2], "w") as done:
                Talk(browser).run(commands, done)
        except Failure as failure:
            print(f"failed: {failure}")
            return 1
        finally:
            if browser:
                browser.close()
    print("passed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
