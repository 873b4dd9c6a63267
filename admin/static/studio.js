// The studio: numbers beside the lines, those with problems marked, the way from a problem to its line, and trying out.
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

async function* told(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  for (let rest = "", part = await reader.read(); !part.done; part = await reader.read()) {
    const whole = (rest + part.value).split("\n");
    rest = whole.pop();
    for (const line of whole) yield JSON.parse(line);
  }
}

async function tryOut(form, button) {
  const [trial, result] = [document.querySelector("#trial"), document.querySelector("#tried")];
  const [bar, said, stop] = ["progress", "p", "button"].map((name) => trial.querySelector(name));
  const ending = new AbortController();
  stop.onclick = () => ending.abort();
  button.ariaBusy = "true";
  stop.hidden = bar.hidden = trial.hidden = false;
  result.replaceChildren();
  said.textContent = trial.dataset.begin;
  bar.removeAttribute("value");
  try {
    const sent = {
      method: "post",
      body: new URLSearchParams(new FormData(form, button)),
      headers: { accept: "application/x-ndjson" },
      signal: ending.signal,
    };
    const answer = await fetch(form.action, sent);
    if (!answer.ok) throw new Error(answer.status);
    for await (const now of told(answer.body)) {
      if (now.html !== undefined) {
        result.innerHTML = now.html;
        trial.hidden = true;
        result.focus();
        return;
      }
      said.textContent = trial.dataset[now.what] ?? "";
      if (now.total) [bar.max, bar.value] = [now.total, now.done];
      else bar.removeAttribute("value");
    }
    throw new Error("cut");
  } catch {
    said.textContent = ending.signal.aborted ? trial.dataset.stopped : trial.dataset.lost;
    stop.hidden = bar.hidden = true;
  } finally {
    button.ariaBusy = null;
  }
}

function submit(event) {
  if (event.submitter?.value !== "simulate") return;
  event.preventDefault();
  event.stopPropagation(); // the page stays, and its other buttons with it
  if (event.submitter.ariaBusy !== "true") tryOut(event.target, event.submitter);
}

document.addEventListener("submit", submit, true);
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
