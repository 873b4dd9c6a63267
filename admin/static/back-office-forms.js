// piccolo-admin's own forms have texts only: fields of ours are shown as choices, text areas and files.
const store = () => document.getElementById("app")?.__vue_app__?.config.globalProperties.$store;

function made(tag, values = {}, ...inside) {
  const element = Object.assign(document.createElement(tag), values);
  element.append(...inside);
  return element;
}

function choice(name, choices) {
  const options = Object.entries(choices).map(([value, label]) => made("option", { value, textContent: label }));
  return [made("select", { name }, made("option", { value: "", textContent: "" }), ...options)];
}

function several(name, choices) {
  const chosen = made("input", { type: "hidden", name });
  const boxes = Object.entries(choices).map(([value, label]) => {
    const box = made("input", { type: "checkbox", value });
    return made("label", { className: "one-of-several" }, box, label);
  });
  const all = made("div", { className: "several" }, ...boxes);
  all.addEventListener("change", () => {
    chosen.value = [...all.querySelectorAll(":checked")].map((box) => box.value).join(",");
  });
  return [all, chosen];
}

function area(name) {
  return [made("textarea", { name, rows: 14, spellcheck: false, className: "source" })];
}

function file(name) {
  const sent = made("input", { type: "hidden", name });
  const picked = made("input", { type: "file", accept: ".zip,application/zip" });
  picked.addEventListener("change", () => {
    sent.value = "";
    if (!picked.files.length) return;
    const reader = new FileReader();
    const button = picked.form?.querySelector("[data-uitest=submit_custom_form_button]");
    if (button) button.disabled = true;
    reader.addEventListener("loadend", () => {
      sent.value = reader.result ?? "";
      if (button) button.disabled = false;
    });
    reader.readAsDataURL(picked.files[0]);
  });
  return [picked, sent];
}

const SHOWN = { choice, several, area, file };

function dress() {
  const button = document.querySelector("[data-uitest=submit_custom_form_button]");
  const properties = store()?.state.formSchema?.properties ?? {};
  for (const [name, { shown, choices, title }] of Object.entries(properties)) {
    const theirs = button?.form?.querySelector(`input[type=text][name="${CSS.escape(name)}"]`);
    if (!theirs || !(shown in SHOWN)) continue;
    const ours = SHOWN[shown](name, choices);
    ours[0].setAttribute("aria-label", title);
    theirs.removeAttribute("name");
    theirs.hidden = true;
    theirs.after(...ours);
  }
}

new MutationObserver(dress).observe(document.body, { childList: true, subtree: true });

// What a form answered stays there until it is used again; another form begins anew.
window.addEventListener("hashchange", () => {
  document.querySelector("#success_message:not(:empty) ~ ul a")?.click();
});
