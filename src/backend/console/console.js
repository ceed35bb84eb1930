/*
 * The console: Runtimes, their Workers, and what one of them says and does, as it happens.
 *
 * Everything flows one way: requests and stream -> model -> list, worker, composer. These know the
 * model and not each other. Nothing is ever shown because it was sent from here: only because a
 * list or the Worker's stream says it. So no line is lost or doubled.
 */
import "./composer.js";
import "./dialogs.js";
import { announce, byId, goOn } from "./dom.js";
import "./list.js";
import { faceOf, isSame, model, open, placeOfLocation, poll, watch } from "./model.js";
import "./worker.js";

/* ---- what stands around it all ---- */

function showTitle() {
	const name = model.workspaceName ?? "Workers";
	const title = model.current ? `${faceOf(model.current).label} – ${name}` : name;
	if (document.title !== title) document.title = title;
}

watch("opened", showTitle);
watch("worker", showTitle);
watch("workspace", () => {
	byId("workspace").textContent = model.workspaceName;
	showTitle();
});
watch("trouble", () => {
	const trouble = byId("trouble");
	if (trouble.textContent === model.trouble) return;
	trouble.textContent = model.trouble;
	trouble.hidden = model.trouble === "";
	announce(model.trouble); /* what is shown anew is not heard by itself */
});

/* ---- where it is ---- */

function route(event) {
	const place = placeOfLocation();
	if (location.hash === "#main") return;
	if (model.current && place && isSame(model.current, place)) return;
	open(place);
	if (event) goOn();
}

addEventListener("hashchange", route);
document.querySelector(".skip").onclick = (event) => {
	event.preventDefault();
	byId("main").focus();
};

/* ---- when it sleeps and wakes ---- */

let hiddenAt = 0;

document.addEventListener("visibilitychange", () => {
	if (document.hidden) {
		hiddenAt = Date.now();
		return;
	}
	model.current?.stream?.wake(hiddenAt === 0 ? 0 : Date.now() - hiddenAt);
	poll();
});
addEventListener("pageshow", (event) => { if (event.persisted) model.current?.stream?.kick(); });
addEventListener("online", () => {
	model.current?.stream?.kick();
	poll();
});

route();
poll();
byId("loading").remove();
