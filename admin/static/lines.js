// Lines that are written: rows are added from a template, put in another order and taken away before the form is sent.
let made = 0;

function ready(root) {
  for (const row of root.querySelectorAll("[data-spare]")) row.remove(); // for who has no script to add rows with
  for (const button of root.querySelectorAll("[data-lines] :is([data-add], [data-up], [data-down], [data-remove])"))
    button.hidden = false;
}

function added(box) {
  const name = box.dataset.lines;
  const key = `added${++made}`;
  const template = document.createElement("template");
  template.innerHTML = box.querySelector("template").innerHTML.replaceAll(`${name}.new.`, `${name}.${key}.`);
  const row = template.content.querySelector("[data-line]");
  row.querySelector(`input[name="${name}"]`).value = key;
  box.querySelector("tbody").append(row);
  ready(box);
  document.dispatchEvent(new CustomEvent("maille:filled", { detail: row }));
  row.querySelector(":is(input:not([type=hidden], [hidden]), select:not([hidden]), textarea)")?.focus();
}

const rows = (row) => [...row.parentElement.querySelectorAll(":scope > [data-line]")];

function moved(row, button) {
  const all = rows(row);
  const at = all.indexOf(row);
  if (button.hasAttribute("data-up")) all[at - 1]?.before(row);
  else all[at + 1]?.after(row);
  button.focus();
}

function removed(row) {
  const box = row.closest("[data-lines]");
  const all = rows(row);
  const next = all[all.indexOf(row) + 1] ?? all[all.indexOf(row) - 1];
  row.remove();
  (next?.querySelector("[data-remove]") ?? box.querySelector("[data-add]"))?.focus();
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-lines] button");
  if (!button) return;
  if (button.hasAttribute("data-add")) added(button.closest("[data-lines]"));
  else if (button.hasAttribute("data-remove")) removed(button.closest("[data-line]"));
  else moved(button.closest("[data-line]"), button);
});

ready(document);
document.body.addEventListener("htmx:load", (event) => ready(event.detail.elt));
