// A select of records becomes a box in which one searches; without scripts it stays the select it is.

const WAIT = 150;
let made = 0;

class Picker {
  constructor(select) {
    this.select = select;
    this.list = document.createElement("ul");
    this.list.id = `picker-${++made}`;
    this.list.setAttribute("role", "listbox");
    this.list.hidden = true;
    this.input = this.box();
    this.wrap = document.createElement("div");
    this.wrap.className = "picker";
    select.before(this.wrap);
    this.wrap.append(this.input, this.list);
    select.hidden = true;
    select.required = false;
    this.at = -1;
    this.input.addEventListener("input", () => this.later());
    this.input.addEventListener("focus", () => this.search());
    this.input.addEventListener("blur", () => this.leave());
    this.input.addEventListener("keydown", (event) => this.key(event));
    this.list.addEventListener("pointerdown", (event) => {
      event.preventDefault();
      const item = event.target.closest("li");
      if (item) this.choose(item);
    });
  }

  box() {
    const input = document.createElement("input");
    input.className = "input";
    input.type = "text";
    input.autocomplete = "off";
    input.required = this.select.required;
    input.setAttribute("role", "combobox");
    input.setAttribute("aria-expanded", "false");
    input.setAttribute("aria-controls", this.list.id);
    input.setAttribute("aria-autocomplete", "list");
    for (const name of ["aria-describedby", "aria-invalid", "aria-label"])
      if (this.select.hasAttribute(name)) input.setAttribute(name, this.select.getAttribute(name));
    if (this.select.id) input.id = this.select.id;
    this.select.removeAttribute("id");
    input.value = this.chosen();
    return input;
  }

  chosen() {
    return this.select.selectedOptions[0]?.textContent ?? "";
  }

  later() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.search(), WAIT);
  }

  async search() {
    const address = new URL(this.select.dataset.picker, location.href);
    const typed = this.input.value.trim();
    address.searchParams.set("q", typed === this.chosen() ? "" : typed);
    const asked = (this.asked = Symbol("ask"));
    const answer = await fetch(address, { headers: { Accept: "application/json" } });
    if (answer.ok && asked === this.asked && document.activeElement === this.input) this.show(await answer.json());
  }

  show(found) {
    this.list.replaceChildren(
      ...found.map(({ id, label }, index) => {
        const item = document.createElement("li");
        item.id = `${this.list.id}-${index}`;
        item.dataset.value = id;
        item.textContent = label;
        item.setAttribute("role", "option");
        return item;
      }),
    );
    this.at = -1;
    this.open(found.length > 0);
  }

  open(shown) {
    this.list.hidden = !shown;
    this.input.setAttribute("aria-expanded", String(shown));
    if (!shown) this.input.removeAttribute("aria-activedescendant");
  }

  key(event) {
    const items = [...this.list.children];
    if (event.key === "Escape" && !this.list.hidden) {
      this.open(false);
      event.stopPropagation();
    } else if (event.key === "Enter" && !this.list.hidden && items[this.at]) {
      this.choose(items[this.at]);
    } else if ((event.key === "ArrowDown" || event.key === "ArrowUp") && items.length) {
      this.open(true);
      this.at = (this.at + (event.key === "ArrowDown" ? 1 : -1) + items.length) % items.length;
      for (const item of items) item.setAttribute("aria-selected", String(item === items[this.at]));
      this.input.setAttribute("aria-activedescendant", items[this.at].id);
      items[this.at].scrollIntoView({ block: "nearest" });
    } else return;
    event.preventDefault();
  }

  choose(item) {
    const { value } = item.dataset;
    if (![...this.select.options].some((option) => option.value === value))
      this.select.append(new Option(item.textContent, value));
    this.select.value = value;
    this.input.value = item.textContent;
    this.open(false);
  }

  leave() {
    this.open(false);
    if (!this.input.value.trim()) this.select.value = "";
    this.input.value = this.chosen();
  }
}

export function pickers(root = document) {
  for (const select of root.querySelectorAll("select[data-picker]:not([hidden])")) new Picker(select);
}

pickers();
document.addEventListener("maille:filled", (event) => pickers(event.detail));
document.body.addEventListener("htmx:load", (event) => pickers(event.detail.elt));
