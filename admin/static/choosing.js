// Choosing records of a list: how many there are, all that are shown, and a row of them with the shift key.

const boxes = () => [...document.querySelectorAll('table.list input[name="id"]')];
let last = null;

function count() {
  const place = document.querySelector("[data-chosen]");
  if (!place) return;
  const all = document.querySelector('#bulk input[name="all"]');
  const chosen = boxes().filter((box) => box.checked).length;
  if (!chosen && all) all.checked = false;
  place.textContent = all?.checked ? all.nextElementSibling.textContent : chosen;
  const head = document.querySelector("[data-all]");
  if (!head) return;
  head.hidden = false;
  head.checked = chosen > 0 && chosen === boxes().length;
  head.indeterminate = chosen > 0 && !head.checked;
}

function choose(event) {
  if (event.target.matches?.("[data-all]")) for (const box of boxes()) box.checked = event.target.checked;
  else if (!event.target.matches?.('table.list input[name="id"], #bulk input[name="all"]')) return;
  count();
}

/** With shift, everything from the last one that was clicked to this one becomes as this one is. */
function row(event) {
  if (!event.target.matches?.('table.list input[name="id"]')) return;
  const shown = boxes();
  const [from, to] = [shown.indexOf(last), shown.indexOf(event.target)];
  if (event.shiftKey && from >= 0)
    for (const box of shown.slice(Math.min(from, to), Math.max(from, to) + 1)) box.checked = event.target.checked;
  last = event.target;
  count();
}

export function start() {
  document.addEventListener("change", choose);
  document.addEventListener("click", row);
  document.body.addEventListener("htmx:afterSettle", count);
  addEventListener("pageshow", count);
  count();
}
