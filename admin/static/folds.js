// Panels that fold out of a button close again: with Escape, with a click elsewhere, when another one opens.

const open = () => document.querySelectorAll("details.fold[open]");

document.addEventListener("click", (event) => {
  for (const fold of open()) if (!fold.contains(event.target)) fold.open = false;
});

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  for (const fold of open()) {
    fold.open = false;
    fold.querySelector("summary").focus();
  }
});

document.addEventListener(
  "toggle",
  (event) => {
    if (!event.target.matches?.("details.fold") || !event.target.open) return;
    for (const fold of open()) if (fold !== event.target && !fold.contains(event.target)) fold.open = false;
  },
  true,
);
