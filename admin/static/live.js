// A page that stays open follows the network: when a new version of the definitions is published, it loads itself again,
// unless somebody is in the middle of something: then it says so, and waits. The bell and the tasks count what is new meanwhile.

const EVERY = 3000;
const RING = 10000;
const EDITED = "form:not([method=get]) :is(input:not([type=hidden]), textarea, select)";

const meta = () => document.querySelector('meta[name="version"]');

function changed(field) {
  if (field.type === "checkbox" || field.type === "radio") return field.checked !== field.defaultChecked;
  if (field instanceof HTMLSelectElement)
    return [...field.options].some((option) => option.selected !== option.defaultSelected) && field.dataset.touched;
  return field.value !== field.defaultValue;
}

/** Whether loading the page again would take something away from who looks at it. */
function busy() {
  if (document.querySelector("dialog[open], .drag, [aria-busy='true']")) return true;
  if (document.activeElement?.matches("input, textarea, select, [contenteditable]")) return true;
  return [...document.querySelectorAll(EDITED)].some(changed);
}

function tell() {
  if (document.querySelector(".moved-on")) return;
  const note = document.querySelector("#moved-on").content.firstElementChild.cloneNode(true);
  note.querySelector("button").addEventListener("click", () => location.reload());
  document.querySelector(".toasts").append(note);
}

async function look() {
  if (document.hidden) return;
  let now;
  try {
    const answer = await fetch(meta().dataset.address, { cache: "no-store" });
    if (!answer.ok) return;
    now = await answer.text();
  } catch {
    return; // the server is being restarted, or the network is away: later
  }
  if (now === meta().content) return;
  if (busy()) tell();
  else location.reload();
}

function show(link, count) {
  let shown = link.querySelector(".n");
  if (count === "0") return shown?.remove();
  if (!shown) {
    shown = document.createElement("span");
    shown.className = "n num";
    link.append(shown);
  }
  shown.textContent = count;
}

async function ring() {
  if (document.hidden) return;
  for (const link of document.querySelectorAll("[data-unread]")) {
    try {
      const answer = await fetch(link.dataset.unread, { cache: "no-store", credentials: "omit" });
      if (answer.ok) show(link, await answer.text());
    } catch {
      return; // later, as above
    }
  }
}

export function start() {
  if (!meta()) return;
  document.addEventListener("change", (event) => (event.target.dataset.touched = "true"));
  document.addEventListener("visibilitychange", look);
  setInterval(look, EVERY);
  setInterval(ring, RING);
}
