#!/usr/bin/env python3
"""A Worker program in Python: the jsonl mode on stdin and stdout.

It echoes: every input comes back word by word as deltas, then whole as a message. An input that
begins with "wait" is a turn that ends only when it is cancelled; one that begins with "die" ends
the program. Try it by hand:

    worker-runtime --exec 'python3 tests/examples/agent.py' --exec-mode jsonl
"""

import json
import sys


def say(kind, **members):
    """Every message is one line, and leaves at once: the Runtime shows what it has."""
    print(json.dumps({"type": kind, **members}), flush=True)


def answer(content):
    """Returns whether the turn is still open."""
    if content.startswith("wait"):
        say("delta", text="waiting to be cancelled")
        return True
    if content.startswith("die"):
        sys.exit("agent: told to die")
    for word in content.split(" "):
        say("delta", text=word + " ")
    say("message", text=content)
    say("done")
    return False


def main():
    is_in_turn = False
    for line in sys.stdin:
        message = json.loads(line)
        kind = message["type"]
        if kind == "init":
            say("ready")
        elif kind == "input":
            is_in_turn = answer(message["content"])
        elif kind == "cancel":
            # It may come when the turn has just ended: then there is nothing to do.
            if is_in_turn:
                say("done", result="paused")
            is_in_turn = False
        elif kind == "shutdown":
            break


if __name__ == "__main__":
    main()
