/* The dialogs: whether somebody is sure, who it is, and what Worker to create. */
import { byId, tell } from "./dom.js";
import { forgetToken, keepToken, token } from "./keep.js";
import { linkTo, model, note, poll, watch } from "./model.js";
import { Action, asksWith, failureOf } from "./requests.js";

for (const button of document.querySelectorAll("[data-close]"))
	button.onclick = () => button.closest("dialog").close();

/* Resolves with whether the answer was yes. */
export function confirmed(title, text, yes) {
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

/* ---- the credential ---- */

const credential = byId("credential"), input = byId("token");
let asking = null;

function tellCredential(text) {
	byId("credential-outcome").textContent = text;
}

function showForget() {
	byId("forget").hidden = token() === null;
}

/* Resolves when there is another token than `refused`; asks once, however many want to know. */
function askForToken(refused) {
	if (token() !== refused) return Promise.resolve();
	asking ??= new Promise((resolve) => {
		tellCredential(refused === null ? "" : "The server did not accept that token.");
		forgetToken();
		input.value = "";
		/* However it was closed: what is asked for next will tell whether it was right. */
		credential.onclose = () => {
			if (credential.open) return;
			asking = null;
			showForget();
			resolve();
			model.current?.stream?.kick();
		};
		credential.showModal();
		input.focus();
	});
	return asking;
}

credential.oncancel = (event) => event.preventDefault();
credential.querySelector("form").onsubmit = (event) => {
	event.preventDefault();
	const given = input.value.trim();
	if (!/^[\x21-\x7e]+$/.test(given)) {
		tellCredential("A token has neither spaces nor accents.");
		return;
	}
	keepToken(given, byId("remember").checked);
	input.value = "";
	credential.close();
};
byId("forget").onclick = () => {
	forgetToken();
	location.reload();
};
asksWith(askForToken);
showForget();
watch("lists", showForget);

/* ---- creating a Worker ---- */

const create = byId("create"), form = create.querySelector("form");
const button = form.querySelector("[type=submit]"), outcome = byId("create-outcome");
const creation = new Action();

function showIntent() {
	const isTicket = form.elements.intent.value === "ticket_role";
	byId("ticket").hidden = !isTicket;
	byId("ticket").disabled = !isTicket;
}

function fillRuntimes() {
	const where = byId("where"), chosen = where.value || model.current?.runtime_id;
	where.replaceChildren(...[...model.runtimes.values()]
		.filter((runtime) => runtime.capabilities?.can_spawn_worker)
		.map((runtime) => new Option(`${runtime.label} (${runtime.status})`,
			runtime.runtime_id, false, runtime.runtime_id === chosen)));
	button.disabled = where.options.length === 0;
	tell(outcome, where.options.length === 0 ? "No Runtime can create Workers now." : "");
}

function wish() {
	const kind = form.elements.intent.value;
	const ticketId = byId("ticket-id").value.trim(), role = byId("role").value;
	const intent = kind === "ticket_role" ? { kind, ticket_id: ticketId, role } : { kind };
	const name = byId("name").value.trim();
	return {
		intent, acceptance: { kind: "run_accepted", expected_segments: 0 },
		...(name === "" ? {} : { requested_worker_name: name }),
	};
}

async function createWorker() {
	const path = `/api/runtimes/${encodeURIComponent(byId("where").value)}/workers`;
	button.disabled = true;
	tell(outcome, "Creating…");
	try {
		const result = await creation.run(path, wish(), (told) => tell(outcome, told));
		if (result.worker) note(result.worker);
		/* Who closed it meanwhile is busy with something else. */
		if (result.worker && create.open) location.hash = linkTo(result.worker);
		create.close();
		form.reset();
		showIntent();
		poll();
	} catch (error) {
		tell(outcome, failureOf("created", error), true);
	} finally {
		button.disabled = false;
	}
}

byId("new").onclick = () => {
	fillRuntimes();
	showIntent();
	create.showModal();
};
form.addEventListener("change", showIntent);
form.addEventListener("submit", (event) => {
	event.preventDefault();
	createWorker();
});
