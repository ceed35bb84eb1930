/* The stream of one Worker. The cursor of the last event is kept, so that a stream that breaks goes
 * on exactly there; where that cannot be, a new snapshot replaces everything. So no event is lost
 * or doubled. */
import { RETRY_MS_MAX, backOff, request } from "./requests.js";
import { token } from "./keep.js";

const STABLE_MS = 5000; /* a stream that lived so long begins its back-off anew */
const OPEN_MS = 20000; /* what does not open for so long never will */
const STALE_MS = 60000; /* a page that was out of sight so long may hold a dead connection */

/* What a diagnostic says of where it lies; else it is the way to the Backend. */
const ENDS = {
	__proto__: null,
	"backend.worker_not_found": "gone",
	"backend.runtime_unavailable": "away",
	"backend.upstream_disconnect": "away",
};

export class Stream {
	/* `hear` has take(payload), wire(state) (connecting, live, reconnecting, away, gone), and
	 * refused() when it did not even begin. */
	constructor(path, hear) {
		this.path = path;
		this.hear = hear;
		this.cursor = null;
		this.attempt = 0;
		this.timer = 0;
		this.socket = null;
		this.openedAt = 0; /* 0: it is not open */
		this.lost = "reconnecting"; /* how it ended */
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
		this.openedAt = 0;
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
	/* The page is in sight again. */
	wake(hiddenMs) {
		if (this.socket === null || hiddenMs > STALE_MS) this.kick();
	}
	/* There was no answer from the server since then: what was open before may be dead, and
	 * nobody would know. */
	doubt(since) {
		if (this.openedAt < since) this.kick();
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
		return `${scheme}//${location.host}${this.path}/events/ws?${query}`;
	}
	async connect() {
		let socket, diagnostic = null;
		const mark = this.connecting = {};
		this.drop();
		this.hear.wire(this.attempt === 0 ? "connecting" : this.lost);
		try {
			const address = await this.address();
			if (this.isOver || this.connecting !== mark) return;
			socket = this.socket = new WebSocket(address);
		} catch {
			if (!this.isOver && this.connecting === mark) this.retry(null);
			return;
		}
		this.timer = setTimeout(() => socket.close(), OPEN_MS);
		socket.onopen = () => {
			if (this.socket !== socket) return;
			clearTimeout(this.timer);
			this.openedAt = Date.now();
			this.hear.wire("live");
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
			this.retry(diagnostic);
		};
	}
	/* Hands on an event; the code of a diagnostic. */
	take(text) {
		const frame = JSON.parse(text);
		if (frame.kind === "diagnostic") return frame.diagnostic?.code;
		if (frame.kind !== "event") return undefined;
		const { cursor, payload } = frame.envelope;
		if (cursor === this.cursor && payload.event !== "snapshot") return undefined;
		this.cursor = cursor;
		this.hear.take(payload);
		return undefined;
	}
	retry(code) {
		const wasOpen = this.openedAt !== 0;
		if (wasOpen && Date.now() - this.openedAt > STABLE_MS) this.attempt = 0;
		this.openedAt = 0;
		const attempt = this.attempt++;
		let ms = backOff(attempt);
		if (code === "backend.cursor_unknown_or_expired" ||
			code === "backend.cursor_malformed") {
			this.cursor = null;
			if (attempt === 0) ms = 0;
		}
		if (code === "backend.worker_not_found") ms = RETRY_MS_MAX;
		this.lost = ENDS[code] ?? "reconnecting";
		this.hear.wire(this.lost);
		this.again(ms);
		/* An upgrade that was refused does not say why; a request does, and may ask for a
		 * token. */
		if (!wasOpen) this.hear.refused();
	}
}
