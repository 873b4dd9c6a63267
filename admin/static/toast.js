// Notes at the page's edge: shown by the server (in the page or with an HX-Trigger header) or by a script.

const LIFE = 8000;

const place = () => document.querySelector(".toasts");

function expire(note) {
  let timer = setTimeout(() => note.remove(), LIFE);
  const hold = () => clearTimeout(timer);
  const go = () => {
    clearTimeout(timer);
    timer = setTimeout(() => note.remove(), LIFE);
  };
  note.addEventListener("pointerenter", hold);
  note.addEventListener("focusin", hold);
  note.addEventListener("pointerleave", go);
  note.addEventListener("focusout", go);
}

/** Show a note. `undo` is an address to post to, or a function to call; `kind` is "done" or "refused". */
export function toast({ text, undo = null, kind = "done" }) {
  const note = document.querySelector("#toast").content.firstElementChild.cloneNode(true);
  const form = note.querySelector("form");
  note.classList.remove("done");
  note.classList.add(kind);
  note.querySelector("span").textContent = text;
  if (!undo) form.remove();
  else if (typeof undo === "string") form.action = undo;
  else
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      note.remove();
      undo();
    });
  const back = form.querySelector('[name="back"]');
  if (back) back.value = location.pathname + location.search;
  place().append(note);
  expire(note);
  return note;
}

export function start() {
  for (const note of place()?.children ?? []) expire(note);
  document.body.addEventListener("maille:toast", (event) => toast(event.detail));
}
