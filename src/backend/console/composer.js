/* Saying something to the Worker that is open. It is a draft until it was accepted, and on the page
 * when the stream says it. */
import { byId, disable, tell } from "./dom.js";
import { draftOf, keepDraft } from "./keep.js";
import { log } from "./log.js";
import { faceOf, model, watch } from "./model.js";
import { Action, failureOf, pathOf } from "./requests.js";

const say = byId("say"), outcome = byId("outcome");

let draft = null; /* of the Worker that is open: { worker, action, isSending } */

/* A draft outlives a reload, together with its key: it may have been sent. */
function keepIt() {
	const { worker, action: { key, what } } = draft;
	keepDraft(worker, say.value === "" ? null : { text: say.value, key, what });
}

function fit() {
	say.rows = 1;
	say.rows = Math.max(1, Math.min(10, Math.ceil((say.scrollHeight - 14) / 22)));
}

function showComposer() {
	const worker = model.current;
	if (!worker) return;
	const face = faceOf(worker);
	disable(say, !face.canSay);
	say.placeholder = face.isOver ? "This Worker has ended"
		: worker.detail && !face.canSay && !face.can.can_stream_events
			? "This Worker can only be seen"
		: face.isBusy ? "Working… you can interrupt it" : "Say something";
	disable(byId("send"), !face.canSay || draft.isSending);
}

function takeDraft() {
	const worker = model.current;
	if (!worker) return;
	const { text = "", key = null, what = null } = draftOf(worker);
	draft = { worker, action: Object.assign(new Action(), { key, what }), isSending: false };
	say.value = text;
	fit();
	showComposer();
}

watch("opened", takeDraft);
watch("worker", showComposer);

async function send() {
	const sent = draft, { worker, action } = sent, text = say.value;
	const isShown = () => worker === model.current;
	if (text.trim() === "" || sent.isSending || say.disabled) return;
	sent.isSending = true;
	showComposer();
	tell(outcome, "Sending…");
	const body = { kind: "user", content: text }, path = `${pathOf(worker)}/input`;
	action.keyFor(path, body);
	keepIt();
	try {
		await action.run(path, body, (told) => isShown() && tell(outcome, told));
		keepDraft(worker, null);
		if (isShown()) {
			tell(outcome, "");
			if (say.value === text) say.value = "";
			keepIt();
			fit();
			log.followAgain();
		}
	} catch (error) {
		if (isShown()) {
			tell(outcome, failureOf("sent", error), true);
			keepIt();
		}
	} finally {
		sent.isSending = false;
		if (isShown()) showComposer();
	}
}

say.addEventListener("input", () => {
	fit();
	keepIt();
});
say.addEventListener("keydown", (event) => {
	/* 229: the Enter that ends a composition, where that has ended before. */
	if (event.key !== "Enter" || event.shiftKey || event.isComposing || event.keyCode === 229)
		return;
	event.preventDefault();
	send();
});
byId("composer").addEventListener("submit", (event) => {
	event.preventDefault();
	send();
});
