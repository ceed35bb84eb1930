/* What is known: the Runtimes, their Workers, and the one that is open. Whatever comes in is noted
 * here first; the parts of the page watch, and show what is noted. */
import { backOff, pathOf, request } from "./requests.js";
import { Stream } from "./stream.js";

const POLL_MS = 3000;

export const model = {
	workspaceName: null,
	runtimes: new Map(),
	workers: [],
	notices: [],
	isCut: false, /* there are more Workers than these */
	trouble: "",
	/* The Worker that is open: { runtime_id, worker_id, detail, stream, activity, wire, refusal },
	 * the last one of the request for its detail; null: it was answered. */
	current: null,
};

/* opened: another Worker, or none; event: of the stream of the open one, with its payload. */
const watchers = { trouble: [], workspace: [], lists: [], opened: [], worker: [], event: [] };

export function watch(what, show) {
	watchers[what].push(show);
}

function changed(what, value) {
	for (const show of watchers[what]) show(value);
}

/* ---- Workers ---- */

const ENDED = ["stopped", "cancelled"];

export const isSame = (a, b) => a.runtime_id === b.runtime_id && a.worker_id === b.worker_id;
export const hasEnded = (worker) => ENDED.includes(worker.status);
export const stateOf = (worker) => hasEnded(worker) ? worker.status
	: worker.phase ?? worker.status;

/* The profile that everybody has is none to speak of. */
export const profileOf = (worker) => worker.profile === "runtime_default" ? null : worker.profile;

const findListed = (place) => model.workers.find((worker) => isSame(worker, place));

export const linkTo = (worker) => `#/worker/${encodeURIComponent(worker.runtime_id)}` +
	`/${encodeURIComponent(worker.worker_id)}`;

export function placeOfLocation() {
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

/* ---- the Worker that is open ---- */

/* What all that is known of it comes to. */
export function faceOf(worker) {
	const { detail, activity } = worker, can = detail?.capabilities ?? {};
	const isOver = detail !== null && hasEnded(detail);
	let state = detail === null ? "" : stateOf(detail);
	/* The stream knows first. */
	if (activity !== null && !isOver && !["failed", "stopping"].includes(state)) state = activity;
	return {
		can, state, isOver,
		label: detail?.label || worker.worker_id,
		isBusy: ["busy", "running", "starting"].includes(state) && !isOver &&
			activity !== null,
		canSay: can.can_accept_input === true && !isOver,
	};
}

const ACTIVITIES = {
	__proto__: null,
	snapshot: (data) => data.status ?? "idle",
	status: (data) => data.status,
	shutdown: () => "idle",
};

function take(worker, payload) {
	const activity = ACTIVITIES[payload.event]?.(payload.data ?? {});
	changed("event", payload);
	if (typeof activity === "string") {
		worker.activity = activity;
		changed("worker");
	}
	if (payload.event === "shutdown") poll();
}

function setWire(worker, wire) {
	worker.wire = wire;
	changed("worker");
}

function openStream(worker) {
	return new Stream(pathOf(worker), {
		take: (payload) => take(worker, payload),
		wire: (state) => setWire(worker, state),
		refused: () => readDetail(),
	});
}

/* What the list says, or what a request says when it is not in the list. */
export async function readDetail(listed) {
	const worker = model.current;
	if (!worker) return;
	try {
		const detail = listed ?? await request("GET", pathOf(worker));
		if (worker !== model.current) return;
		worker.detail = detail;
		worker.refusal = null;
		if (!worker.stream && detail.capabilities?.can_stream_events)
			worker.stream = openStream(worker);
	} catch (refusal) {
		if (worker !== model.current) return;
		worker.refusal = refusal;
		if (refusal.status === 404) worker.detail = null;
	}
	changed("worker");
}

/* `place` names a Worker; null: none. */
export function open(place) {
	model.current?.stream?.end();
	model.current = place && { ...place, detail: null, stream: null, activity: null, wire: "none",
		refusal: null };
	changed("opened");
	changed("lists");
	if (place) readDetail(findListed(place));
}

/* ---- the lists ---- */

let isPolling = false, pollTimer = 0, pollAttempt = 0;
let lostAt = 0; /* since when the server does not answer; 0: it does */

async function readWorkspace() {
	try {
		model.workspaceName = (await request("GET", "/api/workspace")).display_name;
		changed("workspace");
	} catch { /* the lists will tell */ }
}

async function pollOnce() {
	const [sources, list] = await Promise.all([
		request("GET", "/api/runtimes"), request("GET", "/api/workers"),
		model.workspaceName === null ? readWorkspace() : null]);
	if (!Array.isArray(sources.items) || !Array.isArray(list.items))
		throw new Error("This is no answer of the Backend: check the address of this page, " +
			"and what stands between, and reload it.");
	model.runtimes = new Map(sources.items.map((runtime) => [runtime.runtime_id, runtime]));
	model.workers = list.items;
	model.isCut = list.items.length >= list.limit;
	model.notices = list.diagnostics ?? [];
	changed("lists");
	if (model.current) await readDetail(findListed(model.current));
}

function setTrouble(text) {
	model.trouble = text;
	changed("trouble");
}

export async function poll() {
	clearTimeout(pollTimer);
	if (isPolling || document.hidden) return;
	isPolling = true;
	let ms = POLL_MS;
	try {
		await pollOnce();
		setTrouble("");
		pollAttempt = 0;
		if (lostAt !== 0) model.current?.stream?.doubt(lostAt);
		lostAt = 0;
	} catch (error) {
		ms = Math.max(1000, error.retryMs ?? backOff(pollAttempt));
		pollAttempt++;
		if (error.status === 0) lostAt ||= Date.now();
		setTrouble(`${error.message} What you see may be out of date; trying again.`);
	}
	isPolling = false;
	pollTimer = setTimeout(poll, ms);
}

/* A Worker that is new: it need not wait for the next list. */
export function note(worker) {
	model.workers = [...model.workers.filter((other) => !isSame(other, worker)), worker];
}
