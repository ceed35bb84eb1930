/* Small things that every part of the page needs. What comes from outside becomes text, never
 * markup. */
const ANNOUNCED_CHARS = 400;

export const byId = (id) => document.getElementById(id);

export function make(tag, className, text) {
	const element = document.createElement(tag);
	if (className) element.className = className;
	if (text !== undefined) element.textContent = text;
	return element;
}

/* A text that stays is not touched: so stays what is selected in it, and nobody hears it twice. */
export function setText(element, text) {
	if (element.textContent !== text) element.textContent = text;
}

/* The outcome of something. */
export function tell(element, text, isBad) {
	element.textContent = text;
	element.classList.toggle("bad", isBad === true);
}

/* Elements stay when what they show stays: so do focus and selection. */
export function arrange(parent, elements) {
	elements.forEach((element, index) => {
		if (parent.children[index] !== element)
			parent.insertBefore(element, parent.children[index] ?? null);
	});
	while (parent.children.length > elements.length) parent.lastElementChild.remove();
}

/* Goes where whoever chose something goes on; a box would bring up the keyboard of a phone. */
export function goOn() {
	const say = byId("say"), isDesk = matchMedia("(pointer: fine)").matches;
	const place = byId("worker").hidden ? byId("sidebar")
		: isDesk && !say.disabled ? say : byId("label");
	place.focus({ preventScroll: true });
}

/* What can be used no more, and has the focus, hands it on. */
export function disable(element, isDisabled, next) {
	const hadFocus = document.activeElement === element;
	element.disabled = isDisabled;
	if (!isDisabled || !hadFocus) return;
	if (next) next.focus({ preventScroll: true });
	else goOn();
}

/* For those who hear the page. */
export function announce(text) {
	byId("announce").textContent = text.length > ANNOUNCED_CHARS
		? `${text.slice(0, ANNOUNCED_CHARS)}…` : text;
}

/* ---- states ---- */

const MOODS = {
	good: ["idle", "available", "active", "running_runtime"],
	busy: ["busy", "running", "starting"],
	warn: ["waiting", "paused", "stopping", "interrupted", "configured", "degraded"],
	bad: ["failed", "errored", "rejected", "unavailable", "gone"],
};

export function showState(chip, state, isRuntime) {
	const word = isRuntime && state === "running" ? "running_runtime" : state;
	setText(chip, state);
	chip.dataset.mood = Object.keys(MOODS).find((name) => MOODS[name].includes(word)) ?? "";
}
