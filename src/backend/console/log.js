/* The log on the page, line by line; it follows its end unless somebody scrolled away. */
import { announce, byId, make } from "./dom.js";

const LINES_MAX = 2000, LINES_MAX_WITH_OLDER = 10000;
const TEXT_NODE_CHARS = 4096; /* a text that grows costs its last node, not all of it */

const list = byId("log"), scroll = byId("scroll");

/* ---- following ---- */

let isFollowing = true, isScrollPlanned = false;

function follow() {
	if (isScrollPlanned) return;
	isScrollPlanned = true;
	requestAnimationFrame(() => {
		isScrollPlanned = false;
		if (isFollowing) scroll.scrollTop = scroll.scrollHeight;
		else byId("down").hidden = false;
	});
}

/* A page that changes its size scrolls, too; that is nobody's wish. */
let heightSeen = 0;

scroll.addEventListener("scroll", () => {
	if (scroll.clientHeight !== heightSeen) {
		heightSeen = scroll.clientHeight;
		if (isFollowing) follow();
		return;
	}
	isFollowing = scroll.scrollHeight - scroll.scrollTop - scroll.clientHeight < 48;
	if (isFollowing) byId("down").hidden = true;
}, { passive: true });
new ResizeObserver(() => { if (isFollowing) follow(); }).observe(scroll);

function followAgain() {
	isFollowing = true;
	byId("down").hidden = true;
	follow();
}

byId("down").onclick = () => {
	scroll.focus({ preventScroll: true }); /* the button goes */
	followAgain();
};

/* ---- one line ---- */

const NAMES = { user: "You", assistant: "Assistant", system: "System", error: "Error" };

/* A text that can grow, or a tool call. */
class Line {
	constructor(kind) {
		this.kind = kind;
		this.element = make("li", "line");
		this.element.dataset.kind = kind;
		this.sequence = 0; /* in the transcript; 0: not known */
	}
	static text(kind, text, sequence = 0) {
		const line = new Line(kind);
		line.sequence = sequence;
		line.body = make("div", "text");
		line.body.dir = "auto";
		if (kind === "thinking") {
			const fold = make("details");
			fold.append(make("summary", "", "Thinking"), line.body);
			line.element.append(fold);
		} else {
			if (NAMES[kind]) line.element.append(make("span", "who", NAMES[kind]));
			line.element.append(line.body);
		}
		line.set(text);
		return line;
	}
	set(text) {
		this.body.replaceChildren(this.last = document.createTextNode(text ?? ""));
	}
	grow(text = "") {
		if (this.last.length < TEXT_NODE_CHARS) this.last.appendData(text);
		else this.body.append(this.last = document.createTextNode(text));
	}
	static tool(id, name) {
		const line = new Line("tool"), fold = make("details");
		line.id = id;
		line.title = make("summary");
		line.title.append(make("span", "who", name || "Tool"), line.summary = make("span"));
		line.fold = fold;
		fold.append(line.title);
		line.element.append(fold);
		line.say("called…");
		return line;
	}
	say(text) {
		this.summary.textContent = ` ${text}`;
	}
	/* The text of its arguments ("args") or its "output". */
	part(name) {
		if (!this[name]) {
			const block = make("pre");
			block.tabIndex = 0;
			block.setAttribute("aria-label", name === "args" ? "Arguments" : "Output");
			block.append(this[name] = document.createTextNode(""));
			this.fold.append(block);
		}
		return this[name];
	}
}

/* ---- all lines ---- */

class Log {
	constructor() {
		this.announce = announce;
		this.follow = follow;
		this.followAgain = followAgain;
		this.clear();
	}
	clear() {
		this.lines = [];
		this.open = null; /* the text or thinking that is growing */
		this.olderCount = 0;
		this.hasOlder = false;
		this.tools = new Map();
		list.replaceChildren();
		this.showOlder();
	}
	get isFull() {
		return this.lines.length >= LINES_MAX_WITH_OLDER;
	}
	showOlder() {
		byId("older").hidden = !this.hasOlder;
	}
	add(line) {
		this.lines.push(line);
		list.append(line.element);
		this.trim();
		follow();
		return line;
	}
	say(kind, text, sequence) {
		this.close();
		return this.add(Line.text(kind, text, sequence));
	}
	trim() {
		const max = Math.min(LINES_MAX + this.olderCount, LINES_MAX_WITH_OLDER);
		while (this.lines.length > max) {
			const line = this.lines.shift();
			line.element.remove();
			if (this.tools.get(line.id) === line) this.tools.delete(line.id);
			this.hasOlder = true;
		}
		this.showOlder();
	}
	/* `items`: of [kind, text, sequence]. */
	prepend(items) {
		const height = scroll.scrollHeight - scroll.scrollTop;
		const lines = items.map((item) => Line.text(...item));
		this.lines.unshift(...lines);
		this.olderCount += lines.length;
		list.prepend(...lines.map((line) => line.element));
		scroll.scrollTop = scroll.scrollHeight - height;
	}
	close() {
		this.open = null;
	}
	grow(kind, text) {
		if (this.open?.kind !== kind) this.open = this.add(Line.text(kind, ""));
		this.open.grow(text);
		follow();
	}
	/* The whole text, in place of its parts. */
	finish(kind, text) {
		if (this.open?.kind !== kind) {
			if (text !== "") this.say(kind, text);
		} else if (text !== "") {
			this.open.set(text);
		}
		this.close();
		follow();
	}
	tool(id, name) {
		let line = this.tools.get(id);
		if (line === undefined) {
			this.close();
			line = this.add(Line.tool(id, name));
			this.tools.set(id, line);
		}
		return line;
	}
}

export const log = new Log();
