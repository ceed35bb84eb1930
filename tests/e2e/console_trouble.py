#!/usr/bin/env python3
"""Goal: what goes wrong is told in the console with its remedy, and what it shows is true again
afterwards. Method: the browser of console_test.py; between the page and the Backend, what is
answered to some requests is played. Arguments and exit codes are those of console_test.py.
"""
import json
import sys

sys.dont_write_bytecode = True
from console_test import Console, Failure, main  # noqa: E402

# By the end of a path: a "status" and "body" in place of the answer, "lost" when the Backend has
# done it nevertheless, "down" when there is no server at all, "ms" for one that is slow.
PLAYED = """
{
    const real = window.fetch, Socket = window.WebSocket;
    const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
    window.fetch = async (path, init) => {
        const played = JSON.parse(sessionStorage.getItem("played")) ?? {};
        const play = played[Object.keys(played).find((end) => path.endsWith(end))];
        if (play?.down) throw new TypeError("no server");
        const answer = !play || play.lost || play.ms ? await real(path, init) : null;
        if (play?.ms) await pause(play.ms);
        return play?.status ? new Response(JSON.stringify(play.body ?? {}), {
            status: play.status, headers: { "Retry-After": "0.01" },
        }) : answer;
    };
    window.socketCount = 0;
    window.WebSocket = class extends Socket {
        constructor(address) {
            super(address);
            window.socketCount++;
            window.socket = this;
        }
    };
}
"""


def text_of(name):
    return f"document.querySelector('#{name}').textContent"


class Trouble(Console):
    def play(self, **plays):
        """Keys are ends of paths, with _ for /."""
        self.browser.ask("sessionStorage.setItem('played', %s)" % json.dumps(json.dumps(
            {path.replace("_", "/"): play for path, play in plays.items()})))

    def shows(self, name, text):
        self.browser.wait(f"{text_of(name)}.includes({json.dumps(text)})", f"#{name}: {text}")

    def again(self):
        self.browser.ask("window.isOld = true")
        self.browser.call("Page.reload")
        self.browser.wait("!window.isOld && document.querySelector('#log')", "the page again")

    def type(self, text):
        self.browser.ask("document.querySelector('#say').focus()")
        self.browser.type(text)

    def check_that_an_input_is_said_once(self):
        self.play(_input={"status": 503, "body": {"message": "try again later"}, "lost": True})
        self.type("said once")
        self.browser.enter()
        self.shows("outcome", "Try again later. Nobody knows whether it was sent: try again, it is "
                              "done once only.")
        self.play()
        self.browser.enter()
        self.said.append("said once")
        self.browser.wait("document.querySelector('#say').value === ''", "an empty box")
        self.check("what was sent many times, once")

    def check_that_a_refused_input_stays(self):
        self.play(_input={"status": 403, "body": {"message": "your key does not allow this: use "
                                                  "one that does", "code": "forbidden_scope"}})
        self.type("not for me")
        self.browser.enter()
        self.shows("outcome", "Not sent: Your key does not allow this: use one that does.")
        self.play()
        self.again()
        self.wait_live()
        self.browser.wait("document.querySelector('#say').value === 'not for me'", "the draft")
        self.browser.ask("document.querySelector('#say').select()")
        self.say("for me")

    def check_a_server_that_was_away(self):
        """A connection that was open before may be dead, and nothing else would tell."""
        count = self.browser.ask("socketCount")
        self.play(_api_runtimes={"down": True})
        self.shows("trouble", "The server does not answer. What you see may be out of date; "
                              "trying again.")
        self.shows("announce", "The server does not answer.")
        self.play()
        self.browser.wait("document.querySelector('#trouble').hidden", "the server again")
        self.browser.wait(f"socketCount > {count}", "another connection")
        self.wait_live()
        self.check("the same lines after the server was away")

    def check_streams_that_end(self):
        browser = self.browser
        for code, shown in (("runtime_unavailable", "its Runtime does not answer"),
                            ("cursor_unknown_or_expired", "connection lost"),
                            ("malformed_frame", "connection lost")):
            frame = {"kind": "diagnostic", "diagnostic": {"code": "backend." + code}}
            browser.ask("window.told = []; new MutationObserver(() => told.push(%s)).observe("
                        "document.querySelector('#wire'), { childList: true });"
                        "socket.onmessage({ data: %s }); socket.close()"
                        % (text_of("wire"), json.dumps(json.dumps(frame))))
            browser.wait(f"told.some((text) => text.includes({json.dumps(shown)}))", shown)
            self.wait_live()
            self.check(f"the same lines after {code}")
        browser.ask("socket.onmessage({ data: 'no frame' })")
        browser.wait("document.querySelector('#wire').dataset.state !== 'live'", "another stream")
        self.wait_live()
        self.check("the same lines after what is no frame")

    def check_events_that_are_not_as_they_should_be(self):
        notes = self.browser.ask("""(async () => {
            const { tellEvent } = await import("/story.js"), { log } = await import("/log.js");
            const deep = (n) => JSON.parse('{"content":['.repeat(n) + ']}'.repeat(n));
            const texts = (event, data) => {
                const old = log.lines.slice();
                tellEvent(log, { event, data }, {});
                return log.lines.filter((line) => !old.includes(line))
                    .map((line) => line.element.textContent);
            };
            return [texts("run_end", { result: "constructor" }), texts("toString", {}),
                texts("system_item", { item: deep(50000) }),
                texts("tool_call_args_delta", { id: "t" }), texts("error", {}),
                texts("snapshot", { in_flight: { blocks: 5 } })];
        })()""")
        if notes != [[], [], ["System"], ["Tool called…"], ["ErrorIt failed."],
                     ["Something came that this page cannot show."]]:
            raise Failure(f"the page showed {notes}")
        self.again()
        self.wait_live()
        self.check("the lines of good events")

    def check_a_browser_that_keeps_nothing(self):
        browser = self.browser
        here = browser.ask("location.hash")
        browser.ask("Storage.prototype.setItem = () => { throw new Error('full') }")
        self.type("a draft")
        browser.ask("location.hash = '#/'")
        browser.wait("document.querySelector('#worker').hidden", "no Worker")
        browser.ask(f"location.hash = {json.dumps(here)}")
        browser.wait("document.querySelector('#say').value === 'a draft'", "the draft")
        self.again()

    def check_a_page_that_is_not_whole(self):
        browser = self.browser
        browser.call("Network.enable")
        browser.call("Network.setBlockedURLs", urls=["*/story.js"])
        self.again()
        browser.wait("getComputedStyle(document.querySelector('#loading')).visibility "
                     "=== 'visible'", "to be told that it is not whole")
        browser.call("Network.setBlockedURLs", urls=[])
        self.again()
        self.wait_live()
        browser.wait("!document.querySelector('#loading')", "a whole page")

    def check_what_is_no_answer(self):
        self.play(_api_workers={"status": 200, "body": {"hello": "portal"}})
        self.shows("trouble", "check the address of this page")
        self.play()
        self.browser.wait("document.querySelector('#trouble').hidden", "a Backend")

    def check_a_worker_that_cannot_be_read(self):
        back = self.browser.ask("location.hash")
        self.play(_none={"status": 502, "body": {"message": "its Runtime is away"}})
        self.browser.ask("location.hash = '#/worker/backend-internal/none'")
        self.shows("wire", "Its Runtime is away.")
        self.play()
        self.shows("wire", "not there")
        self.browser.ask(f"location.hash = {json.dumps(back)}")
        self.wait_live()
        self.check("the lines of a Worker that can be read")

    def check_a_dialog_that_was_left(self):
        browser = self.browser
        self.play(_workers={"ms": 2000})
        here, count = browser.ask("[location.hash, document.querySelectorAll('.group a').length]")
        browser.click("#new")
        browser.click("#create [type=submit]")
        browser.press("Escape", 27)
        browser.wait(f"document.querySelectorAll('.group a').length > {count}", "a new Worker")
        self.play()
        if browser.ask("location.hash") != here:
            raise Failure("a dialog that was left took the page elsewhere")

    def check_a_key_that_may_nothing(self):
        """Who has the wrong one must be able to get rid of it."""
        refused = {"status": 403, "body": {"message": "no", "code": "forbidden_scope"}}
        self.play(_api_workers=refused, _api_runtimes=refused, _api_workspace=refused)
        self.browser.ask("sessionStorage.setItem('worker-console-token', 'wrong')")
        self.again()
        self.shows("trouble", "No. What you see")
        self.play()
        self.browser.click("#forget")
        self.browser.wait("sessionStorage.getItem('worker-console-token') === null && "
                          "document.querySelectorAll('.group').length > 0", "the Runtimes")
        self.wait_live()

    def check_a_name_that_comes_late(self):
        self.play(_api_workspace={"status": 503})
        self.again()
        self.wait_live()
        if self.browser.ask(text_of("workspace")) != "Workspace":
            raise Failure("a name came from nowhere")
        self.play()
        self.browser.wait(text_of("workspace") + " !== 'Workspace'", "the name of the workspace")
        name, label = self.browser.ask(f"[{text_of('workspace')}, {text_of('label')}]")
        self.browser.wait(f"document.title === {json.dumps(f'{label} – {name}')}", "the title")

    def run(self):
        self.browser.call("Page.addScriptToEvaluateOnNewDocument", source=PLAYED)
        self.open()
        self.create()
        self.say("hello there")
        self.check_that_an_input_is_said_once()
        self.check_that_a_refused_input_stays()
        self.check_a_server_that_was_away()
        self.check_streams_that_end()
        self.check_what_is_no_answer()
        self.check_a_worker_that_cannot_be_read()
        self.check_a_dialog_that_was_left()
        self.check_a_key_that_may_nothing()
        self.check_a_name_that_comes_late()
        self.check_events_that_are_not_as_they_should_be()
        self.check_a_browser_that_keeps_nothing()
        self.check_a_page_that_is_not_whole()
        if self.browser.complaints:
            raise Failure("the page complained: " + "; ".join(self.browser.complaints))


if __name__ == "__main__":
    sys.exit(main(Trouble))
