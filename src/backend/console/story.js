/* What a Worker's events say, told to a log (log.js). */

const DEPTH_MAX = 8; /* of items in items */

/* ---- texts ---- */

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
function itemText(item, depth = 0) {
	if (typeof item === "string") return item;
	for (const name of ["content", "text", "body", "message", "summary"])
		if (typeof item?.[name] === "string") return item[name];
	if (Array.isArray(item?.content) && depth < DEPTH_MAX)
		return item.content.map((part) => itemText(part, depth + 1)).filter(Boolean).join("\n");
	return item?.kind ? `[${item.kind}]` : "";
}

const number = (value) => Number(value).toLocaleString();

function usageText(data) {
	const parts = [];
	if (data.input_tokens != null) parts.push(`${number(data.input_tokens)} tokens in`);
	if (data.cache_read_input_tokens != null)
		parts.push(`${number(data.cache_read_input_tokens)} of them cached`);
	if (data.output_tokens != null) parts.push(`${number(data.output_tokens)} out`);
	return parts.join(", ");
}

/* ---- snapshots ---- */

const ENTRIES = {
	__proto__: null,
	user_input: (entry) => ["user", segmentsText(entry.segments)],
	assistant_item: (entry) => ["assistant", itemText(entry.item)],
	system_item: (entry) => ["system", itemText(entry.item)],
	tool_result: (entry) => ["system", itemText(entry.item)],
	run_errored: (entry) => ["error", itemText(entry) || "The run failed."],
};

function tellEntries(log, entries) {
	for (const entry of Array.isArray(entries) ? entries : []) {
		const [kind, text] = ENTRIES[entry?.kind]?.(entry) ?? [];
		if (text) log.say(kind, text, entry.sequence);
	}
}

function tellBlock(log, block) {
	if (block.kind === "tool_call") {
		const line = log.tool(block.id, block.name);
		if (block.args) line.part("args").appendData(block.args);
		return;
	}
	log.close();
	log.grow(block.kind === "thinking" ? "thinking" : "assistant", block.text ?? "");
	if (block.finished) log.close();
}

/* Everything anew. A Runtime that does not say whether there is more may have more. */
function tellAll(log, data, can) {
	log.clear();
	tellEntries(log, data.entries);
	log.hasOlder ||= data.entries_truncated !== false && can.can_read_bounded_transcript === true;
	log.showOlder();
}

function tellSnapshot(log, data, can) {
	tellAll(log, data, can);
	for (const block of data.in_flight?.blocks ?? []) tellBlock(log, block);
	log.follow();
}

/* ---- events ---- */

function tellToolResult(log, data) {
	const line = log.tool(data.id, "");
	line.say(data.summary ?? "");
	if (data.is_error) line.element.dataset.failed = "";
	if (data.output) line.part("output").data = data.output;
	log.tools.delete(data.id);
}

const RESULTS = {
	__proto__: null,
	paused: "Paused.",
	limit_reached: "It reached its limit.",
	rolled_back: "The run was rolled back.",
};

const EVENTS = {
	__proto__: null,
	snapshot: tellSnapshot,
	user_message: (log, data) => log.say("user", segmentsText(data.segments)),
	system_item: (log, data) => log.say("system", itemText(data.item)),
	text_delta: (log, data) => log.grow("assistant", data.text),
	text_done: (log, data) => {
		log.finish("assistant", data.text);
		if (data.text) log.announce(`Assistant: ${data.text}`);
	},
	thinking_start: (log) => log.close(),
	thinking_delta: (log, data) => log.grow("thinking", data.text),
	thinking_done: (log, data) => log.finish("thinking", data.text),
	tool_call_start: (log, data) => log.tool(data.id, data.name),
	tool_call_args_delta: (log, data) =>
		log.tool(data.id, "").part("args").appendData(data.json ?? ""),
	tool_call_done: (log, data) => {
		log.tool(data.id, data.name).part("args").data = data.arguments ?? "";
	},
	tool_result: tellToolResult,
	usage: (log, data) => {
		const text = usageText(data);
		if (text) log.say("note", text);
	},
	error: (log, data) => {
		const text = `${data.message || "It failed."}${data.code ? ` (${data.code})` : ""}`;
		log.say("error", text);
		log.announce(`Error: ${text}`);
	},
	run_end: (log, data) => {
		log.close();
		if (RESULTS[data.result]) log.say("note", RESULTS[data.result]);
	},
	turn_end: (log) => log.close(),
	llm_retry: (log, data) => log.say("note",
		`Attempt ${data.failed_attempt} of ${data.max_attempts} failed: ${data.error}`),
	llm_continuation: (log, data) => log.say("note", `Going on: ${data.reason}`),
	alert: (log, data) => log.say(data.level === "error" ? "error" : "note", data.message),
	memory_worker: (log, data) => log.say("note", `Memory: ${data.message}`),
	compact_start: (log) => log.say("note", "The history is being shortened."),
	compact_done: (log) => log.say("note", "The history was shortened."),
	compact_failed: (log, data) =>
		log.say("error", `The history was not shortened: ${data.error}`),
	rewind_applied: (log, data, can) => {
		tellAll(log, data, can);
		log.say("note", "The conversation was taken back to here.");
	},
	shutdown: (log) => {
		log.say("note", "This Worker has ended.");
		log.announce("This Worker has ended.");
	},
};

/* `can`: the Worker's capabilities. */
export function tellEvent(log, payload, can) {
	try {
		EVENTS[payload.event]?.(log, payload.data ?? {}, can);
	} catch (error) {
		/* One that is not as it should be must not keep the next ones away. */
		console.error("an event could not be shown", error);
		log.say("note", "Something came that this page cannot show.");
	}
}
