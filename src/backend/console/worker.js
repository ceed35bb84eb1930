/* The Worker that is open: its head, its log, and what it can be told to do. */
import { confirmed } from "./dialogs.js";
import { byId, disable, setText, showState, tell } from "./dom.js";
import { log } from "./log.js";
import { faceOf, model, profileOf, readDetail, watch } from "./model.js";
import { Action, pathOf, reasonOf, request } from "./requests.js";
import { tellEvent } from "./story.js";

const PAGE_ITEMS = 200;

/* ---- what is seen of it ---- */

const WIRES = {
	none: ["", ""],
	connecting: ["· connecting…", ""],
	live: ["· live", ""],
	reconnecting: ["· connection lost, trying again…", "warn"],
	away: ["· its Runtime does not answer, trying again…", "warn"],
	gone: ["· not there (any more)", "warn"],
};

function showWire(state, refusal) {
	const name = refusal?.status === 404 ? "gone" : state, wire = byId("wire");
	const [text, mood] = WIRES[name];
	/* A stream does not say why it does not begin; a request does. */
	const why = refusal && !["gone", "live"].includes(name) ? refusal.message : "";
	setText(wire, [text, why].filter(Boolean).join(" "));
	wire.dataset.mood = mood;
	wire.dataset.state = name;
}

function showWorker() {
	const worker = model.current;
	if (!worker) return;
	const face = faceOf(worker), detail = worker.detail;
	const place = model.runtimes.get(worker.runtime_id)?.label ?? worker.runtime_id;
	byId("label").textContent = face.label;
	byId("about").textContent = [detail?.role, detail && profileOf(detail), place]
		.filter(Boolean).join(" · ");
	showState(byId("state"), face.state);
	showWire(worker.wire, worker.refusal);
	byId("working").hidden = !face.isBusy;
	disable(byId("interrupt"), !face.can.can_accept_input || !face.isBusy);
	for (const name of ["stop", "cancel"])
		disable(byId(name), !face.can.can_stop || face.isOver);
	if (face.isBusy) log.follow();
}

function showAnother() {
	const isNone = model.current === null;
	log.clear();
	log.followAgain();
	byId("outcome").textContent = "";
	byId("worker").hidden = isNone;
	byId("empty").hidden = !isNone;
	document.body.dataset.view = isNone ? "list" : "worker";
	if (isNone) showWire("none");
	showWorker();
}

watch("opened", showAnother);
watch("worker", showWorker);
watch("event", (payload) => tellEvent(log, payload, faceOf(model.current).can));

/* ---- older lines ---- */

const lineOf = (item) => [["user", "assistant"].includes(item.role) ? item.role : "system",
	item.content, item.sequence];

/* The items of the transcript in [start, end); a page may end early. */
async function readTranscript(worker, start, end) {
	const lines = [];
	while (start < end) {
		const page = await request("GET",
			`${pathOf(worker)}/transcript?start=${start}&limit=${end - start}`);
		if (page.state !== "accepted") throw new Error(reasonOf(page));
		lines.push(...page.items.map(lineOf));
		const next = page.next_start ?? end;
		if (next <= start) break;
		start = next;
	}
	return lines;
}

/* Only a line of a snapshot or of the transcript knows its place there. */
async function firstPlace(worker) {
	if (log.lines.length > 0) return log.lines[0].sequence;
	const page = await request("GET", `${pathOf(worker)}/transcript?start=0&limit=0`);
	return (page.total_items ?? 0) + 1;
}

async function showOlder() {
	const worker = model.current, button = byId("older");
	disable(button, true, byId("scroll"));
	try {
		const first = await firstPlace(worker);
		if (first === 0) {
			/* What is on top came as an event: begin with a new snapshot. */
			worker.stream?.restart();
			return;
		}
		const start = Math.max(0, first - 1 - PAGE_ITEMS);
		const lines = await readTranscript(worker, start, first - 1);
		if (worker !== model.current) return;
		/* A new snapshot may have come meanwhile. */
		if (log.lines.length > 0 && log.lines[0].sequence !== first) return;
		log.prepend(lines);
		log.hasOlder = start > 0 && lines.length > 0 && !log.isFull;
		log.showOlder();
	} catch (error) {
		tell(byId("outcome"), `Nothing older: ${error.message}`, true);
	} finally {
		button.disabled = false;
	}
}

byId("older").onclick = showOlder;

/* ---- interrupt, stop, cancel ---- */

let controls = null; /* of the Worker that is open */

watch("opened", () => { controls = new Action(); });

async function control(operation) {
	const worker = model.current, outcome = byId("outcome");
	const isShown = () => worker === model.current;
	tell(outcome, "Asking…");
	try {
		await controls.run(`${pathOf(worker)}/${operation}`, {},
			(told) => isShown() && tell(outcome, told));
		if (isShown()) tell(outcome, "");
	} catch (error) {
		if (isShown()) tell(outcome, error.message, true);
	}
	if (isShown()) readDetail();
}

async function controlIfConfirmed(operation, ...question) {
	const worker = model.current;
	if (await confirmed(...question) && worker === model.current) control(operation);
}

byId("interrupt").onclick = () => control("interrupt");
byId("stop").onclick = () => controlIfConfirmed("stop", "Stop this Worker?",
	"It finishes in good order and takes no more input. What it said stays readable.",
	"Stop it");
byId("cancel").onclick = () => controlIfConfirmed("cancel", "Cancel this Worker?",
	"What it is doing is given up, and it takes no more input. What it said stays readable.",
	"Cancel it");
