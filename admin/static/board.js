// The board: cards move at once and go back when the server refuses. Dragging is for the mouse; the menu of each card
// does the same for touch and keyboard.
import "./folds.js";
import "./pickers.js";
import { keep } from "./order.js";
import { ask, reason, sheet } from "./sheet.js";
import { toast } from "./toast.js";

const JSON_PLEASE = { Accept: "application/json" };
const all = (selector, root = document) => [...root.querySelectorAll(selector)];
const board = () => document.querySelector(".board");
const most = () => Number(board().dataset.most);
const transitions = () => JSON.parse(document.querySelector("#transitions").textContent);
let dragged = null;

/** The transitions that lead a card from its state to another one. */
function ways(card, state) {
  const known = transitions();
  const granted = card.dataset.moves.split(" ").filter(Boolean);
  return granted
    .map((name) => ({ name, ...known[name], to: state }))
    .filter((way) => way.ways?.[card.dataset.state] === state);
}

/** Write how many cards the columns have; beyond the most that the server counts nobody knows. */
function recount() {
  const format = new Intl.NumberFormat(document.documentElement.lang);
  for (const shown of all(".col [data-count]")) {
    const count = Number(shown.dataset.count);
    shown.textContent = format.format(Math.min(count, most())) + (count > most() ? "+" : "");
  }
}

function count(state, change) {
  const shown = document.querySelector(`.col[data-state="${CSS.escape(state)}"] [data-count]`);
  if (shown && Number(shown.dataset.count) <= most()) shown.dataset.count = Number(shown.dataset.count) + change;
}

/** Put a card on top of another column; returns what puts it back. */
function place(card, state) {
  const from = { parent: card.parentElement, next: card.nextElementSibling, state: card.dataset.state };
  const lane = document.querySelector(`.col[data-state="${CSS.escape(state)}"] .cards`);
  lane?.prepend(card);
  card.dataset.state = state;
  card.classList.add("moving");
  count(from.state, -1);
  count(state, +1);
  recount();
  return () => {
    from.parent.insertBefore(card, from.next);
    card.dataset.state = from.state;
    card.classList.remove("moving");
    card.classList.add("back");
    setTimeout(() => card.classList.remove("back"), 400);
    count(from.state, +1);
    count(state, -1);
    recount();
  };
}

/** Show a card as it is now: in its column, or no longer at all. */
async function refresh(card) {
  const answer = await ask(`${location.pathname}/card/${encodeURIComponent(card.dataset.id)}`);
  if (answer?.status === 404) {
    count(card.dataset.state, -1);
    recount();
    card.remove();
  }
  if (!answer?.ok) return;
  const holder = document.createElement("template");
  holder.innerHTML = await answer.text();
  const fresh = holder.content.querySelector(".kc");
  const { state } = fresh.dataset;
  fresh.dataset.state = card.dataset.state;
  card.replaceWith(fresh);
  ready(fresh);
  if (state === fresh.dataset.state) return;
  place(fresh, state);
  fresh.classList.remove("moving");
}

async function take(card, way) {
  const address = `${card.dataset.href}/move/${board().dataset.process}/${way.name}`;
  const back = place(card, way.to);
  const form = new FormData();
  form.set("version", card.dataset.version);
  const answer = way.asks
    ? await sheet(address, JSON_PLEASE)
    : await ask(address, { method: "POST", body: form, headers: JSON_PLEASE });
  if (!answer?.ok) {
    back();
    if (!way.asks) toast({ text: await reason(answer), kind: "refused" });
    setTimeout(() => refresh(card), 400);
    return;
  }
  const said = await answer.json();
  toast({ text: said.toast, undo: said.undo });
  card.classList.remove("moving");
  if (said.gone) card.remove();
  else await refresh(card);
}

function choose(card, options) {
  const dialog = document.querySelector("#sheet");
  const title = document.createElement("h2");
  title.id = "sheet-title";
  title.textContent = board().dataset.choose;
  const body = document.createElement("div");
  body.className = "body";
  body.append(title);
  for (const way of options) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "btn full";
    button.textContent = way.label;
    button.addEventListener("click", () => {
      dialog.close();
      take(card, way);
    });
    body.append(button);
  }
  const cancel = document.createElement("button");
  cancel.type = "button";
  cancel.className = "btn g";
  cancel.dataset.close = "";
  cancel.textContent = board().dataset.cancel;
  body.append(cancel);
  dialog.replaceChildren(body);
  dialog.showModal();
}

function drop(card, state) {
  const options = ways(card, state);
  if (options.length === 1) take(card, options[0]);
  else if (options.length > 1) choose(card, options);
}

function ready(card) {
  card.draggable = card.dataset.moves !== "";
  window.htmx?.process(card);
}

function dim(card) {
  for (const lane of all(".col")) {
    const same = lane.dataset.state === card.dataset.state;
    lane.classList.toggle("no", !same && ways(card, lane.dataset.state).length === 0);
  }
}

function still() {
  dragged?.classList.remove("drag");
  dragged = null;
  for (const lane of all(".col")) lane.classList.remove("no", "over");
}

document.addEventListener("dragstart", (event) => {
  const card = event.target.closest?.(".kc");
  if (!card) return;
  dragged = card;
  event.dataTransfer.effectAllowed = "move";
  event.dataTransfer.setData("text/plain", card.dataset.title);
  card.classList.add("drag");
  dim(card);
});

document.addEventListener("dragover", (event) => {
  const lane = event.target.closest?.(".col");
  for (const other of all(".col.over")) if (other !== lane) other.classList.remove("over");
  if (!dragged || !lane || lane.classList.contains("no") || lane.dataset.state === dragged.dataset.state) return;
  event.preventDefault();
  lane.classList.add("over");
});

document.addEventListener("drop", (event) => {
  const lane = event.target.closest?.(".col");
  if (!dragged || !lane) return;
  event.preventDefault();
  const card = dragged;
  still();
  if (lane.dataset.state !== card.dataset.state) drop(card, lane.dataset.state);
});

document.addEventListener("dragend", still);

// The menu comes when it is opened: what is allowed depends on the record as it is then.
document.addEventListener(
  "toggle",
  async (event) => {
    const menu = event.target.closest?.("details[data-menu]");
    if (!menu?.open) return;
    const answer = await ask(menu.dataset.menu);
    if (answer?.ok) menu.querySelector(".panel").innerHTML = await answer.text();
  },
  true,
);

document.addEventListener("click", (event) => {
  const item = event.target.closest("[data-move]");
  const card = item?.closest(".kc");
  if (!card || item.dataset.process !== board().dataset.process) return;
  event.preventDefault();
  item.closest("details").open = false;
  const way = { name: item.dataset.move, ...transitions()[item.dataset.move] };
  take(card, { ...way, to: way.ways?.[card.dataset.state] ?? card.dataset.state });
});

function begin() {
  all(".kc").forEach(ready);
  keep(all(".kc").map((card) => card.dataset.href));
}

begin();
document.body.addEventListener("htmx:afterSettle", begin);
