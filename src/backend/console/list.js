/* The list of all Workers by Runtime, its filter, and what the sources have to say. */
import { arrange, byId, make, setText, showState } from "./dom.js";
import { hasEnded, isSame, linkTo, model, profileOf, stateOf, watch } from "./model.js";

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

function showLink(group, worker) {
	let link = group.links.get(worker.worker_id);
	if (!link) group.links.set(worker.worker_id, link = newLink(worker));
	link.name.textContent = worker.label || worker.worker_id;
	link.about.textContent = [worker.role, profileOf(worker),
		worker.label !== worker.worker_id && worker.worker_id].filter(Boolean).join(" · ");
	showState(link.chip, stateOf(worker));
	if (model.current && isSame(worker, model.current))
		link.link.setAttribute("aria-current", "page");
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
		worker.status, worker.runtime_id, model.runtimes.get(worker.runtime_id)?.label]
		.join(" ").toLowerCase();
	return words.every((word) => text.includes(word));
}

function showGroups(shown, isFiltered) {
	const sources = new Map(model.runtimes), elements = [];
	for (const { runtime_id } of shown)
		if (!sources.has(runtime_id)) sources.set(runtime_id, { runtime_id });
	for (const runtime of sources.values()) {
		const items = shown.filter((worker) => worker.runtime_id === runtime.runtime_id);
		if (items.length > 0 || !isFiltered) elements.push(showGroup(runtime, items));
	}
	for (const id of groups.keys()) if (!sources.has(id)) groups.delete(id);
	arrange(byId("groups"), elements);
}

function showCount(shown, isFiltered) {
	const all = model.workers.length;
	const count = isFiltered ? `${shown.length} of ${all} Workers`
		: `${all} Worker${all === 1 ? "" : "s"}`;
	setText(byId("count"), model.runtimes.size === 0 ? ""
		: count + (model.isCut ? ", the first ones of more" : ""));
}

function showNotices() {
	const notices = model.notices, box = byId("notices");
	box.hidden = notices.length === 0;
	box.querySelector("summary").textContent =
		`${notices.length} notice${notices.length === 1 ? "" : "s"}`;
	box.querySelector("ul").replaceChildren(
		...notices.map((notice) => make("li", "", `${notice.message} (${notice.code})`)));
}

function showLists() {
	const words = byId("filter").value.toLowerCase().split(/\s+/).filter(Boolean);
	const isFiltered = words.length > 0;
	/* Those that have ended stand last. */
	const shown = model.workers.filter((worker) => isWanted(worker, words))
		.sort((a, b) => hasEnded(a) - hasEnded(b));
	showGroups(shown, isFiltered);
	showCount(shown, isFiltered);
	showNotices();
}

watch("lists", showLists);
byId("filter").addEventListener("input", showLists);
