/*
 * The console: Runtimes, their Workers, and what one of them says and does, as it happens.
 *
 * What is shown of a Worker is its snapshot and the events behind it. The cursor of the last event
 * that was shown is kept, so that a stream that breaks goes on exactly there; where that cannot be,
 * and after a reload, a new snapshot replaces everything. Nothing is ever shown because it was sent
 * from here: only because the Worker's stream says it. So no line is lost or doubled.
 *
 * Whatever comes from outside becomes text, never markup.
 */
"use strict";

const POLL_MS = 3000;
const REQUEST_MS = 40000;
const RETRY_MS_MIN = 500, RETRY_MS_MAX = 15000;
const STABLE_MS = 5000; /* a stream that lived so long begins its back-off anew */
const STALE_MS = 60000; /* a page that was out of sight so long may hold a dead connection */
const COMMAND_TRIES = 6;
const LINES_MAX = 2000, LINES_MAX_WITH_OLDER = 10000;
const PAGE_ITEMS = 200;
const TEXT_NODE_CHARS = 4096; /* a text that grows costs its last node, not all of it */
const ANNOUNCED_CHARS = 400;

const byId = (id) => document.getElementById(id);

function make(tag, className, text) {
	const element = document.createElement(tag);
	if (className) element.className = className;
	if (text !== undefined) element.textContent = text;
	return element;
}

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/* Doubled with every attempt, and spread, so that many pages do not come back as one. */
function backOff(attempt) {
	const ms = Math.min(RETRY_MS_MAX, RETRY_MS_MIN * 2 ** Math.min(attempt, 8));
	return ms * (0.5 + Math.random() / 2);
}

/* ---- what is kept in this browser; it may refuse to keep anything ---- */

const memory = new Map();

function recall(store, name) {
	try {
		return store().getItem(name);
	} catch {
		return memory.get(name) ?? null;
	}
}

function keep(store, name, value) {
	try {
		if (value === null) store().removeItem(name);
		else store().setItem(name, value);
	} catch {
		if (value === null) memory.delete(name);
		else memory.set(name, value);
	}
}

const tab = () => sessionStorage;
const device = () => localStorage;

/* ---- the credential ---- */

const TOKEN = "worker-console-token";
let asking = null;

const token = () => recall(tab, TOKEN) ?? recall(device, TOKEN);

function forgetToken() {
	keep(tab, TOKEN, null);
	keep(device, TOKEN, null);
}

function showForget() {
	byId("forget").hidden = token() === null;
}

/* Resolves when there is another token than `refused`; asks once, however many want to know. */
function askForToken(refused) {
	if (token() !== refused) return Promise.resolve();
	asking ??= new Promise((resolve) => {
		const dialog = byId("credential"), input = byId("token");
		byId("credential-outcome").textContent =
			refused === null ? "" : "The server did not accept that token.";
		forgetToken();
		input.value = "";
		dialog.oncancel = (event) => event.preventDefault();
		dialog.querySelector("form").onsubmit = (event) => {
			event.preventDefault();
			const given = input.value.trim();
			if (!/^[\x21-\x7e]+$/.test(given)) {
				byId("credential-outcome").textContent =
					"A token has neither spaces nor accents.";
				return;
			}
			keep(byId("remember").checked ? device : tab, TOKEN, given);
			input.value = "";
			dialog.close();
		};
		/* However it was closed: what is asked for next will tell whether it was right. */
		dialog.onclose = () => {
			if (dialog.open) return;
			asking = null;
			showForget();
			resolve();
			current?.stream?.kick();
		};
		dialog.showModal();
		input.focus();
	});
	return asking;
}

/* ---- requests ---- */

class Refusal extends Error {
	constructor(status, code, message, retryMs) {
		super(message);
		this.status = status; /* 0: no answer */
		this.code = code;
		this.retryMs = retryMs;
	}
	/* Whether it is unknown if anything was done, or sure to pass. */
	get mayPass() {
		return this.status === 0 || [408, 425, 429, 502, 503, 504].includes(this.status);
	}
}

async function exchange(method, path, body, key) {
	const headers = { Accept: "application/json" }, credential = token();
	const abort = new AbortController();
	const timer = setTimeout(() => abort.abort(), REQUEST_MS);
	if (credential !== null) headers.Authorization = `Bearer ${credential}`;
	if (body !== undefined) headers["Content-Type"] = "application/json";
	if (key !== undefined) headers["Idempotency-Key"] = key;
	try {
		const response = await fetch(path, {
			method, headers, cache: "no-store", credentials: "omit", redirect: "error",
			body: body === undefined ? undefined : JSON.stringify(body),
			signal: abort.signal,
		});
		const answer = await response.json().catch((error) => {
			/* A success that breaks off is no answer. */
			if (response.ok) throw error;
			return {};
		});
		return { response, answer, credential };
	} catch {
		throw new Refusal(0, "no_answer", "The server does not answer.");
	} finally {
		clearTimeout(timer);
	}
}

/* The JSON answer of a success; a Refusal for everything else. 401 is also what a remote Runtime's
 * trouble with its own credential looks like: only `unauthorized` is about ours. */
async function request(method, path, body, key) {
	for (;;) {
		const { response, answer, credential } = await exchange(method, path, body, key);
		if (response.ok) return answer;
		if (response.status === 401 && (answer.code ?? "unauthorized") === "unauthorized") {
			await askForToken(credential);
			continue;
		}
		const after = Number(response.headers.get("Retry-After"));
		throw new Refusal(response.status, answer.code ?? "",
			answer.message || response.statusText || `HTTP ${response.status}`,
			after > 0 ? after * 1000 : undefined);
	}
}

/* crypto.randomUUID is not there on pages that came over plain HTTP. */
function newKey() {
	return Array.from(crypto.getRandomValues(new Uint8Array(16)),
		(byte) => byte.toString(16).padStart(2, "0")).join("");
}

/* Does something once, however often that must be asked for: every try has the same key. */
async function command(path, body, key, tell) {
	for (let attempt = 0; ; attempt++) {
		try {
			return await request("POST", path, body, key);
		} catch (refusal) {
			if (!refusal.mayPass || attempt + 1 >= COMMAND_TRIES) throw refusal;
			tell(`${refusal.message} Trying again…`);
			await pause(Math.min(refusal.retryMs ?? backOff(attempt), RETRY_MS_MAX));
		}
	}
}

/* Why a command was not accepted. */
function reasonOf(result) {
	const told = (result.diagnostics ?? []).map((diagnostic) => diagnostic.message);
	return told.join(" ") || `It was ${result.state ?? "refused"}.`;
}

/* An action keeps its key while nobody knows whether it was done: whoever repeats it, and means
 * the same, repeats the key. */
class Action {
	constructor() {
		this.key = null;
		this.what = null;
	}
	keyFor(path, body) {
		const what = path + JSON.stringify(body);
		if (this.what !== what || this.key === null) this.key = newKey();
		this.what = what;
		return this.key;
	}
	/* The result, when it was accepted; else an error that says why. */
	async run(path, body, tell) {
		try {
			const result = await command(path, body, this.keyFor(path, body), tell);
			this.key = null;
			if (result.state !== "accepted") throw new Error(reasonOf(result));
			return result;
		} catch (error) {
			if (error instanceof Refusal && !error.mayPass) this.key = null;
			throw error;
		}
	}
}

/* ---- where things are ---- */

const pathOf = (worker) => `/api/runtimes/${encodeURIComponent(worker.runtime_id)}` +
	`/workers/${encodeURIComponent(worker.worker_id)}`;
const linkTo = (worker) => `#/worker/${encodeURIComponent(worker.runtime_id)}` +
	`/${encodeURIComponent(worker.worker_id)}`;

function workerOfLocation() {
	const parts = location.hash.split("/");
	try {
		if (parts[1] === "worker" && parts[2] && parts[3])
			return {
				runtime_id: decodeURIComponent(parts[2]),
				worker_id: decodeURIComponent(parts[3]),
			};
	} catch { /* no such spelling: no Worker */ }
	return null;
}

const isSame = (a, b) => a.runtime_id === b.runtime_id && a.worker_id === b.worker_id;

/* ---- states, for people ---- */

const MOODS = {
	good: ["idle", "available", "active", "running_runtime"],
	busy: ["busy", "running", "starting"],
	warn: ["waiting", "paused", "stopping", "interrupted", "configured", "degraded"],
	bad: ["failed", "errored", "rejected", "unavailable", "gone"],
};

function showState(chip, state, isRuntime) {
	const word = isRuntime && state === "running" ? "running_runtime" : state;
	const mood = Object.keys(MOODS).find((name) => MOODS[name].includes(word)) ?? "";
	if (chip.textContent !== state) chip.textContent = state;
	chip.dataset.mood = mood;
}

const ENDED = ["stopped", "cancelled"];
const stateOf = (worker) => ENDED.includes(worker.status) ? worker.status
	: worker.phase ?? worker.status;

/* The profile that everybody has is none to speak of. */
const profileOf = (worker) => worker?.profile === "runtime_default" ? null : worker?.profile;

/* ---- the log of one Worker ---- */

const log = byId("log"), scroll = byId("scroll");
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
byId("down").onclick = () => {
	isFollowing = true;
	follow();
	byId("down").hidden = true;
};

function announce(text) {
	byId("announce").textContent = text.length > ANNOUNCED_CHARS
		? `${text.slice(0, ANNOUNCED_CHARS)}…` : text;
}

const NAMES = { user: "You", assistant: "Assistant", system: "System", error: "Error" };

function segmentText(segment) {
	switch (segment?.kind) {
	case "text":
	case "paste": return segment.content ?? "";
	case "file_ref": return `@${segment.path}`;
	case "knowledge_ref": return `#${segment.slug}`;
	case "workflow_invoke": return `/${segment.slug}`;
	default: return "[something this page does not know]";
	}
}

const segmentsText = (segments) => Array.isArray(segments)
	? segments.map(segmentText).join("") : "";

/* Items are what a Worker's program likes: the texts that are known, else what it is. */
function itemText(item) {
	if (typeof item === "string") return item;
	for (const name of ["content", "text", "body", "message", "summary"])
		if (typeof item?.[name] === "string") return item[name];
	if (Array.isArray(item?.content))
		return item.content.map(itemText).filter(Boolean).join("\n");
	return item?.kind ? `[${item.kind}]` : "";
}

/* One line of the log: a text that can grow, or a tool call. */
class Line {
	constructor(kind) {
		this.kind = kind;
		this.element = make("li", "line");
		this.element.dataset.kind = kind;
		this.sequence = 0; /* in the transcript; 0: not known */
	}
	static text(kind, text) {
		const line = new Line(kind);
		if (kind === "thinking") {
			const fold = make("details");
			line.body = make("div", "text");
			fold.append(make("summary", "", "Thinking"), line.body);
			line.element.append(fold);
		} else {
			if (NAMES[kind]) line.element.append(make("span", "who", NAMES[kind]));
			line.body = make("div", "text");
			line.element.append(line.body);
		}
		line.body.dir = "auto";
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

class Log {
	constructor() {
		this.clear();
	}
	clear() {
		this.lines = [];
		this.open = null; /* the text or thinking that is growing */
		this.olderCount = 0;
		this.hasOlder = false;
		this.tools = new Map();
		log.replaceChildren();
		this.showOlder();
	}
	showOlder() {
		byId("older").hidden = !this.hasOlder;
	}
	add(line) {
		this.lines.push(line);
		log.append(line.element);
		this.trim();
		follow();
		return line;
	}
	say(kind, text) {
		this.close();
		return this.add(Line.text(kind, text));
	}
	trim() {
		const max = Math.min(LINES_MAX + this.olderCount, LINES_MAX_WITH_OLDER);
		while (this.lines.length > max) {
			const line = this.lines.shift();
			line.element.remove();
			if (line.kind === "tool") this.tools.delete(line.id);
			this.hasOlder = true;
		}
		this.showOlder();
	}
	prepend(lines) {
		const height = scroll.scrollHeight - scroll.scrollTop;
		this.lines.unshift(...lines);
		this.olderCount += lines.length;
		log.prepend(...lines.map((line) => line.element));
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

const view = new Log();

/* ---- snapshots ---- */

function lineOfEntry(entry) {
	const texts = {
		__proto__: null,
		user_input: () => ["user", segmentsText(entry.segments)],
		assistant_item: () => ["assistant", itemText(entry.item)],
		system_item: () => ["system", itemText(entry.item)],
		tool_result: () => ["system", itemText(entry.item)],
		run_errored: () => ["error", itemText(entry) || "The run failed."],
	};
	const [kind, text] = texts[entry.kind]?.() ?? [];
	if (!text) return null;
	const line = Line.text(kind, text);
	line.sequence = entry.sequence ?? 0;
	return line;
}

function showBlock(block) {
	if (block.kind === "tool_call") {
		const line = view.tool(block.id, block.name);
		if (block.args) line.part("args").appendData(block.args);
		return;
	}
	const kind = block.kind === "thinking" ? "thinking" : "assistant";
	view.close();
	view.grow(kind, block.text ?? "");
	if (block.finished) view.close();
}

function showEntries(entries) {
	for (const entry of Array.isArray(entries) ? entries : []) {
		const line = lineOfEntry(entry ?? {});
		if (line) view.add(line);
	}
}

function showSnapshot(data) {
	const mayHaveMore = data.entries_truncated !== false &&
		capabilitiesOf().can_read_bounded_transcript === true;
	view.clear();
	showEntries(data.entries);
	/* A Runtime that does not say whether there is more may have more. */
	view.hasOlder ||= mayHaveMore;
	view.showOlder();
	for (const block of data.in_flight?.blocks ?? []) showBlock(block);
	showActivity(data.status ?? "idle");
	follow();
}

/* ---- events ---- */

const number = (value) => Number(value).toLocaleString();

function usageText(data) {
	const parts = [];
	if (data.input_tokens != null) parts.push(`${number(data.input_tokens)} tokens in`);
	if (data.cache_read_input_tokens != null)
		parts.push(`${number(data.cache_read_input_tokens)} of them cached`);
	if (data.output_tokens != null) parts.push(`${number(data.output_tokens)} out`);
	return parts.join(", ");
}

function showToolResult(data) {
	const line = view.tool(data.id, "");
	line.say(data.summary ?? "");
	if (data.is_error) line.element.dataset.failed = "";
	if (data.output) line.part("output").data = data.output;
	view.tools.delete(data.id);
}

const RESULTS = {
	paused: "Paused.",
	limit_reached: "It reached its limit.",
	rolled_back: "The run was rolled back.",
};

const EVENTS = {
	__proto__: null,
	snapshot: showSnapshot,
	user_message: (data) => view.say("user", segmentsText(data.segments)),
	system_item: (data) => view.say("system", itemText(data.item)),
	text_delta: (data) => view.grow("assistant", data.text),
	text_done: (data) => {
		view.finish("assistant", data.text);
		if (data.text) announce(`Assistant: ${data.text}`);
	},
	thinking_start: () => view.close(),
	thinking_delta: (data) => view.grow("thinking", data.text),
	thinking_done: (data) => view.finish("thinking", data.text),
	tool_call_start: (data) => view.tool(data.id, data.name),
	tool_call_args_delta: (data) => view.tool(data.id, "").part("args").appendData(data.json),
	tool_call_done: (data) => {
		view.tool(data.id, data.name).part("args").data = data.arguments;
	},
	tool_result: showToolResult,
	usage: (data) => {
		const text = usageText(data);
		if (text) view.say("note", text);
	},
	error: (data) => {
		view.say("error", `${data.message}${data.code ? ` (${data.code})` : ""}`);
		announce(`Error: ${data.message}`);
	},
	run_end: (data) => {
		view.close();
		if (RESULTS[data.result]) view.say("note", RESULTS[data.result]);
	},
	turn_end: () => view.close(),
	status: (data) => showActivity(data.status),
	llm_retry: (data) => view.say("note",
		`Attempt ${data.failed_attempt} of ${data.max_attempts} failed: ${data.error}`),
	llm_continuation: (data) => view.say("note", `Going on: ${data.reason}`),
	alert: (data) => view.say(data.level === "error" ? "error" : "note", data.message),
	memory_worker: (data) => view.say("note", `Memory: ${data.message}`),
	compact_start: () => view.say("note", "The history is being shortened."),
	compact_done: () => view.say("note", "The history was shortened."),
	compact_failed: (data) => view.say("error", `The history was not shortened: ${data.error}`),
	rewind_applied: (data) => {
		view.clear();
		showEntries(data.entries);
		view.say("note", "The conversation was taken back to here.");
	},
	shutdown: () => {
		view.say("note", "This Worker has ended.");
		announce("This Worker has ended.");
		showActivity("idle");
		poll();
	},
};

function showEvent(payload) {
	try {
		EVENTS[payload.event]?.(payload.data ?? {});
	} catch (error) {
		/* One that is not as it should be must not keep the next ones away. */
		console.error("an event could not be shown", error);
	}
}

/* ---- the stream of a Worker ---- */

class Stream {
	constructor(worker) {
		this.worker = worker;
		this.cursor = null;
		this.attempt = 0;
		this.timer = 0;
		this.socket = null;
		this.isOver = false;
		this.connect();
	}
	end() {
		this.isOver = true;
		clearTimeout(this.timer);
		this.drop();
	}
	drop() {
		const socket = this.socket;
		this.socket = null;
		socket?.close();
	}
	/* Another snapshot, of everything. */
	restart() {
		this.cursor = null;
		this.kick();
	}
	/* At once, whatever was planned. */
	kick() {
		if (this.isOver) return;
		this.attempt = 0;
		this.connecting = null; /* a socket that is only planned is not wanted any more */
		this.drop();
		this.again(0);
	}
	again(ms) {
		clearTimeout(this.timer);
		this.timer = setTimeout(() => this.connect(), ms);
	}
	/* A ticket stands for the token, which a browser cannot send with an upgrade. */
	async address() {
		const query = new URLSearchParams();
		if (this.cursor !== null) query.set("cursor", this.cursor);
		if (token() !== null)
			query.set("ticket", (await request("POST", "/api/tickets")).ticket);
		const scheme = location.protocol === "https:" ? "wss:" : "ws:";
		return `${scheme}//${location.host}${pathOf(this.worker)}/events/ws?${query}`;
	}
	async connect() {
		let socket, diagnostic = null, openedAt = 0;
		const mark = this.connecting = {};
		this.drop();
		showWire(this.attempt === 0 ? "connecting" : "reconnecting");
		try {
			const address = await this.address();
			if (this.isOver || this.connecting !== mark) return;
			socket = this.socket = new WebSocket(address);
		} catch {
			if (!this.isOver && this.connecting === mark) this.retry(null, 0);
			return;
		}
		socket.onopen = () => {
			openedAt = Date.now();
			if (this.socket === socket) showWire("live");
		};
		socket.onmessage = (event) => {
			if (this.socket !== socket) return;
			try {
				diagnostic = this.take(event.data) ?? diagnostic;
			} catch {
				/* Not understood, so not shown: it must come again. */
				socket.close();
			}
		};
		socket.onclose = () => {
			if (this.socket !== socket) return;
			this.socket = null;
			this.retry(diagnostic, openedAt);
		};
	}
	/* Shows an event; the code of a diagnostic. */
	take(text) {
		const frame = JSON.parse(text);
		if (frame.kind === "diagnostic") return frame.diagnostic?.code;
		if (frame.kind !== "event") return undefined;
		const { cursor, payload } = frame.envelope;
		if (cursor === this.cursor && payload.event !== "snapshot") return undefined;
		this.cursor = cursor;
		showEvent(payload);
		return undefined;
	}
	async retry(code, openedAt) {
		const lived = openedAt === 0 ? 0 : Date.now() - openedAt;
		if (lived > STABLE_MS) this.attempt = 0;
		const attempt = this.attempt++;
		let ms = backOff(attempt);
		if (code === "backend.cursor_unknown_or_expired" ||
			code === "backend.cursor_malformed") {
			this.cursor = null;
			if (attempt === 0) ms = 0;
		}
		if (code === "backend.worker_not_found") {
			showWire("gone");
			this.again(RETRY_MS_MAX);
			return;
		}
		showWire("reconnecting");
		this.again(ms);
		/* An upgrade that was refused does not say why; a request does, and may ask for a
		 * token. */
		if (openedAt === 0) await refreshDetail();
	}
	/* The page is in sight again. */
	wake(hiddenMs) {
		if (this.socket === null || hiddenMs > STALE_MS) this.kick();
	}
}

const WIRES = {
	none: ["", ""],
	connecting: ["· connecting…", ""],
	live: ["· live", ""],
	reconnecting: ["· connection lost, trying again…", "warn"],
	gone: ["· not there (any more)", "warn"],
};

function showWire(state) {
	const [text, mood] = WIRES[state];
	byId("wire").textContent = text;
	byId("wire").dataset.mood = mood;
	byId("wire").dataset.state = state;
}

/* ---- the Worker that is open ---- */

let current = null; /* { runtime_id, worker_id, detail, stream, activity, say, control } */

const capabilitiesOf = () => current?.detail?.capabilities ?? {};

function showActivity(status) {
	if (!current) return;
	current.activity = status;
	showDetail();
}

function showDetail() {
	const detail = current.detail, can = capabilitiesOf();
	const hasEnded = detail !== null && ENDED.includes(detail.status);
	let state = detail === null ? "" : stateOf(detail);
	/* The stream knows first. */
	if (current.activity !== null && !hasEnded && !["failed", "stopping"].includes(state))
		state = current.activity;
	const isBusy = ["busy", "running", "starting"].includes(state) && !hasEnded &&
		current.activity !== null;
	byId("label").textContent = detail?.label || current.worker_id;
	const place = runtimes.get(current.runtime_id)?.label ?? current.runtime_id;
	byId("about").textContent = [detail?.role, profileOf(detail), place]
		.filter(Boolean).join(" · ");
	showState(byId("state"), state);
	byId("working").hidden = !isBusy;
	byId("interrupt").disabled = !can.can_accept_input || !isBusy;
	byId("stop").disabled = byId("cancel").disabled = !can.can_stop || hasEnded;
	const canSay = can.can_accept_input === true && !hasEnded;
	byId("say").disabled = !canSay;
	byId("say").placeholder = hasEnded ? "This Worker has ended"
		: detail && !canSay && !can.can_stream_events ? "This Worker can only be seen"
		: isBusy ? "Working… you can interrupt it" : "Say something";
	byId("send").disabled = !canSay || current.isSending;
	if (isBusy) follow();
}

/* What the list says, or what a request says when it is not in the list. */
async function refreshDetail(listed) {
	const worker = current;
	if (!worker) return;
	try {
		const detail = listed ?? await request("GET", pathOf(worker));
		if (worker !== current) return;
		worker.detail = detail;
		if (!worker.stream && detail.capabilities?.can_stream_events)
			worker.stream = new Stream(worker);
	} catch (refusal) {
		if (worker !== current) return;
		if (refusal.status === 404) {
			worker.detail = null;
			showWire("gone");
		}
	}
	showDetail();
}

function showTitle() {
	document.title = current ? `${byId("label").textContent} – ${workspaceName}`
		: workspaceName;
}

function openWorker(target) {
	current?.stream?.end();
	current = null;
	isFollowing = true;
	byId("down").hidden = true;
	byId("outcome").textContent = "";
	showWire("none");
	view.clear();
	byId("worker").hidden = target === null;
	byId("empty").hidden = target !== null;
	document.body.dataset.view = target === null ? "list" : "worker";
	showTitle();
	if (target === null) return;
	current = { ...target, detail: null, stream: null, activity: null, isSending: false,
		say: new Action(), control: new Action() };
	const listed = workers.find((worker) => isSame(worker, target));
	recallDraft();
	showDetail();
	refreshDetail(listed);
	showTitle();
}

/* Where whoever chose something goes on; a box would bring up the keyboard of a phone. */
function focusOf(target) {
	if (target === null) return byId("sidebar");
	const isDesk = matchMedia("(pointer: fine)").matches;
	return isDesk && !byId("say").disabled ? byId("say") : byId("label");
}

function route(event) {
	const target = workerOfLocation();
	if (location.hash === "#main") return;
	if (current && target && isSame(current, target)) return;
	openWorker(target);
	showLists();
	if (event) focusOf(target).focus({ preventScroll: true });
}

/* ---- older lines ---- */

function lineOfItem(item) {
	const line = Line.text(["user", "assistant"].includes(item.role) ? item.role : "system",
		item.content);
	line.sequence = item.sequence;
	return line;
}

/* The items of the transcript in [start, end); a page may end early. */
async function readTranscript(worker, start, end) {
	const lines = [];
	while (start < end) {
		const page = await request("GET",
			`${pathOf(worker)}/transcript?start=${start}&limit=${end - start}`);
		if (page.state !== "accepted") throw new Error(reasonOf(page));
		lines.push(...page.items.map(lineOfItem));
		const next = page.next_start ?? end;
		if (next <= start) break;
		start = next;
	}
	return lines;
}

/* Only a line of a snapshot or of the transcript knows its place there. */
async function firstPlace(worker) {
	if (view.lines.length > 0) return view.lines[0].sequence;
	const page = await request("GET", `${pathOf(worker)}/transcript?start=0&limit=0`);
	return (page.total_items ?? 0) + 1;
}

async function showOlderLines() {
	const worker = current, button = byId("older");
	button.disabled = true;
	try {
		const first = await firstPlace(worker);
		if (first === 0) {
			/* What is on top came as an event: begin with a new snapshot. */
			worker.stream?.restart();
			return;
		}
		const start = Math.max(0, first - 1 - PAGE_ITEMS);
		const lines = await readTranscript(worker, start, first - 1);
		if (worker !== current) return;
		/* A new snapshot may have come meanwhile. */
		if (view.lines.length > 0 && view.lines[0].sequence !== first) return;
		view.prepend(lines);
		view.hasOlder = start > 0 && lines.length > 0 &&
			view.lines.length < LINES_MAX_WITH_OLDER;
		view.showOlder();
	} catch (error) {
		byId("outcome").textContent = error.message;
	} finally {
		button.disabled = false;
	}
}

byId("older").onclick = showOlderLines;

/* ---- saying something ---- */

const say = byId("say");

const draftName = (worker) => `draft ${worker.runtime_id} ${worker.worker_id}`;

/* A draft outlives a reload, together with its key: it may have been sent. */
function keepDraft() {
	const draft = say.value === "" ? null
		: JSON.stringify({ text: say.value, key: current.say.key, what: current.say.what });
	keep(tab, draftName(current), draft);
}

function recallDraft() {
	let draft = {};
	try {
		draft = JSON.parse(recall(tab, draftName(current)) ?? "{}");
	} catch { /* not ours: none */ }
	say.value = draft.text ?? "";
	current.say.key = draft.key ?? null;
	current.say.what = draft.what ?? null;
	fit();
}

function fit() {
	say.rows = 1;
	say.rows = Math.max(1, Math.min(10, Math.ceil((say.scrollHeight - 14) / 22)));
}

function tell(element, text, isBad) {
	element.textContent = text;
	element.classList.toggle("bad", isBad === true);
}

async function send() {
	const worker = current, text = say.value, outcome = byId("outcome");
	const isShown = () => worker === current;
	if (text.trim() === "" || worker.isSending || say.disabled) return;
	worker.isSending = true;
	showDetail();
	tell(outcome, "Sending…");
	const body = { kind: "user", content: text }, path = `${pathOf(worker)}/input`;
	worker.say.keyFor(path, body);
	keepDraft();
	try {
		await worker.say.run(path, body, (told) => isShown() && tell(outcome, told));
		keep(tab, draftName(worker), null);
		if (isShown()) {
			tell(outcome, "");
			if (say.value === text) say.value = "";
			keepDraft();
			isFollowing = true;
			fit();
			follow();
		}
	} catch (error) {
		if (isShown()) {
			tell(outcome, `Not sent: ${error.message}`, true);
			keepDraft();
		}
	} finally {
		worker.isSending = false;
		if (isShown()) showDetail();
	}
}

say.addEventListener("input", () => {
	fit();
	keepDraft();
});
say.addEventListener("keydown", (event) => {
	if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
	event.preventDefault();
	send();
});
byId("composer").addEventListener("submit", (event) => {
	event.preventDefault();
	send();
});

/* ---- interrupt, stop, cancel ---- */

async function control(operation) {
	const worker = current, outcome = byId("outcome");
	const isShown = () => worker === current;
	tell(outcome, "Asking…");
	try {
		await worker.control.run(`${pathOf(worker)}/${operation}`, {},
			(told) => isShown() && tell(outcome, told));
		if (isShown()) tell(outcome, "");
	} catch (error) {
		if (isShown()) tell(outcome, error.message, true);
	}
	if (isShown()) refreshDetail();
}

/* Resolves with whether the answer was yes. */
function confirmed(title, text, yes) {
	const dialog = byId("confirm"), form = dialog.querySelector("form");
	byId("confirm-title").textContent = title;
	byId("confirm-text").textContent = text;
	form.querySelector("[type=submit]").textContent = yes;
	return new Promise((resolve) => {
		let answer = false;
		form.onsubmit = (event) => {
			event.preventDefault();
			answer = true;
			dialog.close();
		};
		dialog.onclose = () => {
			/* The event comes late: it may be that of the time before. */
			if (!dialog.open) resolve(answer);
		};
		dialog.showModal();
	});
}

byId("interrupt").onclick = () => control("interrupt");
byId("stop").onclick = async () => {
	const worker = current;
	if (await confirmed("Stop this Worker?",
		"It finishes in good order and takes no more input. What it said stays readable.",
		"Stop it") && worker === current) control("stop");
};
byId("cancel").onclick = async () => {
	const worker = current;
	if (await confirmed("Cancel this Worker?",
		"What it is doing is given up, and it takes no more input. What it said stays " +
		"readable.",
		"Cancel it") && worker === current) control("cancel");
};

/* ---- creating a Worker ---- */

const create = byId("create"), creation = new Action();
const createForm = create.querySelector("form");

function showIntent() {
	const isTicket = createForm.elements.intent.value === "ticket_role";
	byId("ticket").hidden = !isTicket;
	byId("ticket").disabled = !isTicket;
}

function fillRuntimes() {
	const where = byId("where"), chosen = where.value || current?.runtime_id;
	where.replaceChildren(...[...runtimes.values()]
		.filter((runtime) => runtime.capabilities?.can_spawn_worker)
		.map((runtime) => new Option(`${runtime.label} (${runtime.status})`,
			runtime.runtime_id, false, runtime.runtime_id === chosen)));
	createForm.querySelector("[type=submit]").disabled = where.options.length === 0;
	tell(byId("create-outcome"), where.options.length === 0
		? "No Runtime can create Workers now." : "");
}

function spawnRequest() {
	const kind = createForm.elements.intent.value;
	const ticketId = byId("ticket-id").value.trim(), role = byId("role").value;
	const intent = kind === "ticket_role" ? { kind, ticket_id: ticketId, role } : { kind };
	const name = byId("name").value.trim();
	return {
		intent, acceptance: { kind: "run_accepted", expected_segments: 0 },
		...(name === "" ? {} : { requested_worker_name: name }),
	};
}

async function createWorker() {
	const outcome = byId("create-outcome"), button = createForm.querySelector("[type=submit]");
	const path = `/api/runtimes/${encodeURIComponent(byId("where").value)}/workers`;
	button.disabled = true;
	tell(outcome, "Creating…");
	try {
		const result = await creation.run(path, spawnRequest(),
			(told) => tell(outcome, told));
		create.close();
		createForm.reset();
		showIntent();
		if (result.worker) {
			workers = [...workers.filter((worker) => !isSame(worker, result.worker)),
				result.worker];
			location.hash = linkTo(result.worker);
		}
		poll();
	} catch (error) {
		tell(outcome, `Not created: ${error.message}`, true);
	} finally {
		button.disabled = false;
	}
}

byId("new").onclick = () => {
	fillRuntimes();
	showIntent();
	create.showModal();
};
createForm.addEventListener("change", showIntent);
createForm.addEventListener("submit", (event) => {
	event.preventDefault();
	createWorker();
});
for (const button of document.querySelectorAll("[data-close]"))
	button.onclick = () => button.closest("dialog").close();

/* ---- the lists ---- */

let runtimes = new Map(), workers = [], notices = [], isCut = false;
let workspaceName = "Workers";
const groups = new Map(); /* runtime_id: { element, ..., links: Map } */

function newGroup() {
	const element = make("section", "group"), header = make("header");
	const title = make("h3"), chip = make("span", "chip"), note = make("p", "faint");
	const list = make("ul");
	header.append(title, chip);
	element.append(header, note, list);
	return { element, title, chip, note, list, links: new Map() };
}

function newLink(worker) {
	const item = make("li"), link = make("a"), name = make("b"), chip = make("span", "chip");
	const about = make("span", "faint");
	link.href = linkTo(worker);
	link.append(name, chip, about);
	item.append(link);
	return { item, link, name, chip, about };
}

/* Elements stay when what they show stays: so do focus and selection. */
function arrange(parent, elements) {
	elements.forEach((element, index) => {
		if (parent.children[index] !== element)
			parent.insertBefore(element, parent.children[index] ?? null);
	});
	while (parent.children.length > elements.length) parent.lastElementChild.remove();
}

function showLink(group, worker) {
	let link = group.links.get(worker.worker_id);
	if (!link) group.links.set(worker.worker_id, link = newLink(worker));
	link.name.textContent = worker.label || worker.worker_id;
	link.about.textContent = [worker.role, profileOf(worker),
		worker.label !== worker.worker_id && worker.worker_id].filter(Boolean).join(" · ");
	showState(link.chip, stateOf(worker));
	if (current && isSame(worker, current)) link.link.setAttribute("aria-current", "page");
	else link.link.removeAttribute("aria-current");
	return link.item;
}

function showGroup(runtime, items) {
	let group = groups.get(runtime.runtime_id);
	if (!group) groups.set(runtime.runtime_id, group = newGroup());
	group.title.textContent = runtime.label || runtime.runtime_id;
	showState(group.chip, runtime.status ?? "", true);
	const told = (runtime.diagnostics ?? []).filter((notice) => notice.severity !== "info");
	group.note.textContent = told.map((notice) => notice.message).join(" ");
	const ids = new Set(items.map((worker) => worker.worker_id));
	for (const id of group.links.keys()) if (!ids.has(id)) group.links.delete(id);
	arrange(group.list, items.map((worker) => showLink(group, worker)));
	return group.element;
}

function isWanted(worker, words) {
	const text = [worker.label, worker.worker_id, worker.role, worker.profile, stateOf(worker),
		worker.status, worker.runtime_id, runtimes.get(worker.runtime_id)?.label]
		.join(" ").toLowerCase();
	return words.every((word) => text.includes(word));
}

function showLists() {
	const words = byId("filter").value.toLowerCase().split(/\s+/).filter(Boolean);
	/* Those that have ended stand last. */
	const hasEnded = (worker) => ENDED.includes(worker.status) ? 1 : 0;
	const shown = workers.filter((worker) => isWanted(worker, words))
		.sort((a, b) => hasEnded(a) - hasEnded(b));
	const sources = new Map(runtimes);
	for (const worker of shown)
		if (!sources.has(worker.runtime_id))
			sources.set(worker.runtime_id, { runtime_id: worker.runtime_id });
	const elements = [];
	for (const runtime of sources.values()) {
		const items = shown.filter((worker) => worker.runtime_id === runtime.runtime_id);
		if (items.length > 0 || words.length === 0)
			elements.push(showGroup(runtime, items));
	}
	arrange(byId("groups"), elements);
	const count = words.length === 0
		? `${workers.length} Worker${workers.length === 1 ? "" : "s"}`
		: `${shown.length} of ${workers.length} Workers`;
	const text = runtimes.size === 0 ? "" : count + (isCut ? ", the first ones of more" : "");
	if (byId("count").textContent !== text) byId("count").textContent = text;
	byId("notices").hidden = notices.length === 0;
	byId("notices").querySelector("summary").textContent =
		`${notices.length} notice${notices.length === 1 ? "" : "s"}`;
	byId("notices").querySelector("ul").replaceChildren(
		...notices.map((notice) => make("li", "", `${notice.message} (${notice.code})`)));
}

byId("filter").addEventListener("input", showLists);

function showTrouble(text) {
	byId("trouble").hidden = text === "";
	if (byId("trouble").textContent !== text) byId("trouble").textContent = text;
}

let isPolling = false, pollTimer = 0, pollAttempt = 0;

async function pollOnce() {
	const [sources, list] = await Promise.all([
		request("GET", "/api/runtimes"), request("GET", "/api/workers")]);
	runtimes = new Map(sources.items.map((runtime) => [runtime.runtime_id, runtime]));
	workers = list.items;
	isCut = list.items.length >= list.limit;
	notices = list.diagnostics ?? [];
	showLists();
	if (current) {
		const listed = workers.find((worker) => isSame(worker, current));
		await refreshDetail(listed);
	}
}

async function poll() {
	clearTimeout(pollTimer);
	if (isPolling || document.hidden) return;
	isPolling = true;
	let ms = POLL_MS;
	try {
		await pollOnce();
		showTrouble("");
		showForget();
		pollAttempt = 0;
	} catch (error) {
		ms = Math.max(1000, backOff(pollAttempt++));
		showTrouble(`${error.message} What you see may be out of date; trying again.`);
	}
	isPolling = false;
	pollTimer = setTimeout(poll, ms);
}

/* ---- life ---- */

let hiddenAt = 0;

document.addEventListener("visibilitychange", () => {
	if (document.hidden) {
		hiddenAt = Date.now();
		return;
	}
	current?.stream?.wake(hiddenAt === 0 ? 0 : Date.now() - hiddenAt);
	poll();
});
addEventListener("pageshow", (event) => { if (event.persisted) current?.stream?.kick(); });
addEventListener("online", () => {
	current?.stream?.kick();
	poll();
});
addEventListener("hashchange", route);
byId("forget").onclick = () => {
	forgetToken();
	location.reload();
};
document.querySelector(".skip").onclick = (event) => {
	event.preventDefault();
	byId("main").focus();
};

async function start() {
	route();
	poll();
	try {
		const workspace = await request("GET", "/api/workspace");
		workspaceName = workspace.display_name;
		byId("workspace").textContent = workspaceName;
		showTitle();
	} catch { /* the lists will tell */ }
}

start();
