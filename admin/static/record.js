// A record's page and its forms: steps ask in a dialog, fields change in place, and one leafs through the list.
import "./folds.js";
import "./pickers.js";
import { around } from "./order.js";
import { sheet } from "./sheet.js";

function leaf() {
  const nav = document.querySelector(".around");
  if (!nav) return;
  const { before, after } = around(nav.dataset.here);
  nav.hidden = !before && !after;
  for (const [name, address] of Object.entries({ before, after })) {
    const link = nav.querySelector(`[data-${name}]`);
    if (address) link.href = address;
    link.toggleAttribute("hidden", !address);
  }
}

document.addEventListener("click", async (event) => {
  const step = event.target.closest("a[data-sheet]");
  if (!step || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  const answer = await sheet(step.href);
  if (answer) location.assign(answer.headers.get("HX-Redirect") ?? location.pathname);
});

// A field that was opened in place is ready to type in; Escape leaves it as it was.
document.body.addEventListener("htmx:afterSettle", (event) => {
  leaf();
  document.querySelector(".editing :is(input:not([type=hidden], [hidden]), select:not([hidden]), textarea)")?.focus();
});

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") event.target.closest?.(".editing")?.querySelector("a.btn")?.click();
});

leaf();
