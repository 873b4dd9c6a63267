// piccolo-admin's pages: its English sentences in the reader's language, fields that are not written here, ways out.
const page = document.querySelector("meta[name=back-office]");
const words = JSON.parse(page.content);
let refused = "";

const PATTERNS = [
  [/^NULL$/, () => ""],
  [/^of (\d+)$/, (found) => words["of {count}"].replace("{count}", found[1])],
  [/^(\d+) per page$/, (found) => words["{count} per page"].replace("{count}", found[1])],
  [/^Select a row from (.*)$/, (found) => words["Select a record: {name}"].replace("{name}", found[1])],
  [/^Are you sure you want to delete row /, () => words["Are you sure you want to delete this row?"]],
  [/^(Invalid column name or value$|Unable to delete|Problem fetching )/, (found) => refused || found.input],
];

function said(text) {
  const bare = text.trim();
  if (bare in words) return text.replace(bare, words[bare]);
  for (const [pattern, telling] of PATTERNS) {
    const found = bare.match(pattern);
    if (found) return telling(found);
  }
  return text;
}

for (const name of ["alert", "confirm"]) {
  const theirs = window[name].bind(window);
  window[name] = (text) => theirs(said(String(text)));
}

if (!localStorage.getItem("defaultTimezone")) localStorage.setItem("defaultTimezone", page.dataset.timezone);
const theme = /(?:^|; )theme=(\w+)/.exec(document.cookie)?.[1];
const night = theme === "dark" || (theme !== "light" && matchMedia("(prefers-color-scheme: dark)").matches);
localStorage.setItem("darkMode", String(night));

const theirs = () => document.getElementById("app")?.__vue_app__?.config.globalProperties;

// What piccolo-admin leaves untold or out of date after a request.
const open = XMLHttpRequest.prototype.open;
XMLHttpRequest.prototype.open = function (method, address, ...more) {
  this.addEventListener("load", () => {
    if (new URL(this.responseURL).pathname.endsWith("/sign-in")) location.reload();
    if (this.status >= 400) refused = typeof this.response === "string" ? this.response : "";
    const { $store } = theirs() ?? {};
    if (method.toUpperCase() === "DELETE" && this.status >= 400)
      setTimeout(() => $store.commit("updateApiResponseMessage", { contents: refused, type: "error" }));
  });
  if (method.toUpperCase() === "PATCH") saving(this);
  return open.call(this, method, address, ...more);
};

// The form is filled again with what was written: what one would type meanwhile would be lost, so it rests until then.
function saving(request) {
  const form = document.querySelector("[data-uitest=save_button]")?.form;
  const rest = (on) => {
    if (!form) return;
    form.inert = on;
    form.setAttribute("aria-disabled", on);
  };
  rest(true);
  request.addEventListener("loadend", async () => {
    const { $store, $router } = theirs() ?? {};
    const { name, params } = $router?.currentRoute.value ?? {};
    try {
      if (name === "editRow" && request.status >= 200 && request.status < 300) await $store.dispatch("fetchSingleRow", params);
    } finally {
      requestAnimationFrame(() => rest(false));
    }
  });
}

function translate(root) {
  const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    if (node.parentElement?.closest(".table_wrapper tbody td, .table_list, textarea")) continue;
    const text = said(node.nodeValue);
    if (text !== node.nodeValue) node.nodeValue = text;
  }
  for (const name of ["title", "placeholder", "label"])
    for (const each of root.querySelectorAll(`[${name}]`)) {
      const text = said(each.getAttribute(name));
      if (text !== each.getAttribute(name)) each.setAttribute(name, text);
    }
}

function label(schema) {
  const title = (name) => schema.properties[name]?.title ?? (name === schema.extra.primary_key_name && schema.extra.key_label);
  for (const option of document.querySelectorAll("[data-uitest=sort_by_selector] option")) rename(option, title(option.value));
  for (const each of document.querySelectorAll('label[for^="csv_"]')) rename(each, title(each.htmlFor.slice(4)));
}

// On phones each value of a row stands beside the name of its column.
function head() {
  for (const table of document.querySelectorAll(".table_wrapper table:has(thead)")) {
    const names = [...table.tHead.rows[0].cells].map((each) => each.textContent.trim());
    for (const row of table.tBodies[0]?.rows ?? [])
      for (const [at, cell] of [...row.cells].entries())
        if (names[at] && cell.dataset.label !== names[at]) cell.dataset.label = names[at];
  }
}

function rename(element, title) {
  if (title && element.textContent !== title) element.textContent = title;
}

function fix(schema) {
  const edits = document.querySelector("[data-uitest=save_button]")?.form;
  const adds = document.querySelector("[data-uitest=create_button]")?.form;
  for (const form of [edits, adds]) {
    if (!form) continue;
    for (const [name, { extra }] of Object.entries(schema.properties)) {
      const field = form.querySelector(`[name="${CSS.escape(name)}"]`)?.closest("form > div > div");
      if (!field) continue;
      const fixed = form === edits ? !extra.written : !extra.given;
      if (name === "version" || (form === adds && fixed)) field.hidden = true;
      if (!fixed || name === "version") continue;
      field.classList.add("fixed");
      for (const control of field.querySelectorAll("input, select, textarea")) control.disabled = true;
      const by = extra.state
        ? "A state changes by a transition: open the record."
        : extra.file && "A file is added or taken away on the record's own screen: open the record.";
      if (by && form === edits && !field.querySelector(".why")) {
        const why = document.createElement("p");
        why.className = "why";
        why.textContent = words[by];
        field.append(why);
      }
    }
  }
}

function way(place, address, text) {
  if (!place) return;
  let link = place.querySelector("a.own-screen");
  if (!link) {
    link = document.createElement("a");
    link.className = "button own-screen";
    place.append(link);
  }
  if (link.getAttribute("href") !== address) link.href = address;
  if (link.textContent !== text) link.textContent = text;
}

function dress() {
  translate(document.body);
  head();
  const { $store, $router } = theirs() ?? {};
  const schema = $store?.state.schema;
  if (!schema?.extra) return;
  for (const right of ["creates", "updates", "deletes"]) document.body.classList.toggle(right, Boolean(schema.extra[right]));
  document.body.classList.toggle("exports", schema.extra.exports !== false);
  label(schema);
  fix(schema);
  const { name, params } = $router.currentRoute.value;
  if (!schema.extra.screen) return;
  if (name === "editRow") way(document.querySelector(".header p"), schema.extra.screen + params.rowID, words["Open the record"]);
  if (name === "rowListing") way(document.querySelector(".title_bar .buttons"), schema.extra.screen, words["Open the list"]);
}

const watch = new MutationObserver(() => {
  watch.disconnect();
  dress();
  look();
});
function look() {
  watch.observe(document.body, { childList: true, subtree: true, characterData: true, attributes: true, attributeFilter: ["title", "placeholder", "label"] });
}
look();
