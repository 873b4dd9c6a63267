// The studio: numbers beside the lines, those with problems marked, and the way from a problem to its line.
const LINE = 20;

function lines(area) {
  const gutter = area.parentElement.querySelector(".gutter") ?? document.createElement("pre");
  gutter.className = "gutter";
  gutter.ariaHidden = "true";
  const buttons = area.closest(".file").querySelectorAll(".problems [data-line]");
  const wrong = new Set([...buttons].map((button) => Number(button.dataset.line)));
  const count = area.value.split("\n").length;
  gutter.replaceChildren(
    ...Array.from({ length: count }, (_, index) => {
      const line = document.createElement(wrong.has(index + 1) ? "b" : "span");
      line.textContent = `${index + 1}\n`;
      return line;
    }),
  );
  if (!gutter.isConnected) area.before(gutter);
  gutter.style.maxHeight = `${area.offsetHeight}px`;
  gutter.scrollTop = area.scrollTop;
}

function all() {
  for (const area of document.querySelectorAll(".file[open] .code textarea")) lines(area);
}

function show(button) {
  const area = button.closest(".file").querySelector(".code textarea");
  const before = area.value.split("\n").slice(0, button.dataset.line - 1);
  const at = before.reduce((sum, line) => sum + line.length + 1, 0) + Number(button.dataset.column) - 1;
  area.focus();
  area.setSelectionRange(at, at);
  area.scrollTop = Math.max(0, (button.dataset.line - 4) * LINE);
}

document.addEventListener("click", (event) => {
  const button = event.target.closest(".problems [data-line]");
  if (button) show(button);
});
document.addEventListener("input", (event) => {
  if (event.target.matches(".code textarea")) lines(event.target);
});
for (const name of ["scroll", "toggle"]) document.addEventListener(name, all, true);
document.body.addEventListener("htmx:afterSettle", all);
all();
