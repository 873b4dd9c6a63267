// The command palette: Ctrl-K or the search button; places, actions, and records found by the server.

const WAIT = 150;

const fold = (text) =>
  text
    .normalize("NFD")
    .replace(/\p{M}/gu, "")
    .toLowerCase();

class Palette {
  constructor(dialog) {
    this.dialog = dialog;
    this.input = dialog.querySelector("input");
    this.list = dialog.querySelector("ul");
    this.found = dialog.querySelector("[data-found]");
    this.none = dialog.querySelector(".none");
    this.at = 0;
    this.asked = 0;
    this.input.addEventListener("input", () => this.filter());
    dialog.addEventListener("keydown", (event) => this.key(event));
    dialog.addEventListener("click", (event) => this.click(event));
  }

  open() {
    if (this.dialog.open) return;
    this.input.value = "";
    this.filter();
    this.dialog.showModal();
  }

  options() {
    return [...this.list.querySelectorAll("[role=option]:not([hidden])")];
  }

  select(at) {
    const options = this.options();
    for (const option of this.list.querySelectorAll("[aria-selected]")) option.removeAttribute("aria-selected");
    this.none.hidden = options.length > 0;
    this.input.removeAttribute("aria-activedescendant");
    if (!options.length) return;
    this.at = (at + options.length) % options.length;
    const chosen = options[this.at];
    chosen.setAttribute("aria-selected", "true");
    chosen.scrollIntoView({ block: "nearest" });
    this.input.setAttribute("aria-activedescendant", chosen.id);
  }

  filter() {
    const wanted = fold(this.input.value.trim());
    const places = [...this.list.querySelectorAll("[role=option]:not([data-record])")];
    for (const option of places) option.hidden = !fold(option.textContent).includes(wanted);
    this.list.querySelector(".sec").hidden = places.every((option) => option.hidden);
    this.select(0);
    clearTimeout(this.timer);
    if (wanted.length > 1) this.timer = setTimeout(() => this.search(), WAIT);
    else this.show([]);
  }

  async search() {
    const ask = ++this.asked;
    const address = new URL(this.dialog.dataset.search, location.href);
    address.searchParams.set("q", this.input.value.trim());
    const answer = await fetch(address, { headers: { Accept: "application/json" } });
    if (!answer.ok || ask !== this.asked) return;
    this.show((await answer.json()).results ?? []);
  }

  show(results) {
    for (const old of this.list.querySelectorAll("[data-record]")) old.remove();
    this.found.hidden = !results.length;
    results.forEach((result, index) => this.list.append(this.record(result, index)));
    this.select(this.at < this.options().length ? this.at : 0);
  }

  record(result, index) {
    const item = document.createElement("li");
    item.id = `palette-record-${index}`;
    item.dataset.record = "";
    item.dataset.href = result.url;
    item.setAttribute("role", "option");
    const title = document.createElement("span");
    title.textContent = result.title;
    const kind = document.createElement("small");
    kind.textContent = result.label ?? "";
    item.append(title, kind);
    return item;
  }

  key(event) {
    if (event.key === "ArrowDown") this.select(this.at + 1);
    else if (event.key === "ArrowUp") this.select(this.at - 1);
    else if (event.key === "Enter") this.go(this.options()[this.at]);
    else return;
    event.preventDefault();
  }

  click(event) {
    if (event.target === this.dialog) this.dialog.close();
    else this.go(event.target.closest("[role=option]"));
  }

  go(option) {
    if (option?.dataset.href) location.assign(option.dataset.href);
  }
}

export function start() {
  const dialog = document.querySelector("dialog.palette");
  if (!dialog) return;
  const palette = new Palette(dialog);
  document.addEventListener("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && event.key === "k") {
      event.preventDefault();
      palette.open();
    }
  });
  for (const button of document.querySelectorAll("[data-palette]")) {
    button.hidden = false;
    button.addEventListener("click", () => palette.open());
  }
}
