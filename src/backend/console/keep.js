/* What is kept in this browser: the credential, and drafts. Where that is refused, it is kept as
 * long as the page. */
const TOKEN = "worker-console-token";

const memory = new Map();

function recall(store, name) {
	if (memory.has(name)) return memory.get(name);
	try {
		return store().getItem(name);
	} catch {
		return null;
	}
}

function keep(store, name, value) {
	memory.delete(name);
	try {
		if (value === null) store().removeItem(name);
		else store().setItem(name, value);
	} catch {
		if (value !== null) memory.set(name, value);
	}
}

const tab = () => sessionStorage;
const device = () => localStorage;

/* ---- the credential ---- */

export const token = () => recall(tab, TOKEN) ?? recall(device, TOKEN);

export function keepToken(text, isForDevice) {
	keep(isForDevice ? device : tab, TOKEN, text);
}

export function forgetToken() {
	keep(tab, TOKEN, null);
	keep(device, TOKEN, null);
}

/* ---- what is not sent yet ---- */

const draftName = (worker) => `draft ${worker.runtime_id} ${worker.worker_id}`;

export function keepDraft(worker, draft) {
	keep(tab, draftName(worker), draft === null ? null : JSON.stringify(draft));
}

export function draftOf(worker) {
	try {
		return JSON.parse(recall(tab, draftName(worker))) ?? {};
	} catch {
		return {}; /* not ours: none */
	}
}
