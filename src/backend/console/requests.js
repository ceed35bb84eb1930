/* What is asked of the Backend by HTTP, and what becomes of the answer. */
import { token } from "./keep.js";

const REQUEST_MS = 40000;
const RETRY_MS_MIN = 500;
const COMMAND_TRIES = 6;

export const RETRY_MS_MAX = 15000;

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/* Doubled with every attempt, and spread, so that many pages do not come back as one. */
export function backOff(attempt) {
	const ms = Math.min(RETRY_MS_MAX, RETRY_MS_MIN * 2 ** Math.min(attempt, 8));
	return ms * (0.5 + Math.random() / 2);
}

export const pathOf = (worker) => `/api/runtimes/${encodeURIComponent(worker.runtime_id)}` +
	`/workers/${encodeURIComponent(worker.worker_id)}`;

/* ---- one request ---- */

/* Is given the credential that was refused, or null; resolves when there is another one. */
let askForToken = () => Promise.reject(new Error("There is nobody to ask for a token."));

export function asksWith(ask) {
	askForToken = ask;
}

/* What the server says begins small and ends bare. */
const sentence = (text) => text.charAt(0).toUpperCase() + text.slice(1) +
	(/[.!?…]$/.test(text) ? "" : ".");

export class Refusal extends Error {
	constructor(status, code, message, retryMs) {
		super(sentence(message));
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
export async function request(method, path, body, key) {
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

/* ---- commands ---- */

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

/* What there is to say when something was not `done`, or nobody knows. */
export const failureOf = (done, error) => error.mayPass
	? `${error.message} Nobody knows whether it was ${done}: try again, it is done once only.`
	: `Not ${done}: ${error.message}`;

/* Why something was not accepted. */
export function reasonOf(result) {
	const told = (result.diagnostics ?? []).map((diagnostic) => sentence(diagnostic.message));
	return told.join(" ") || `It was ${result.state ?? "refused"}.`;
}

/* An action keeps its key while nobody knows whether it was done: whoever repeats it, and means
 * the same, repeats the key. */
export class Action {
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
