// Forms: a second click sends nothing, dialogs open from buttons, a choice can send its form at once.

/** Mark the button that was pressed as busy, and refuse to send the same form again until the page answers. */
function busy(event) {
  const form = event.target;
  if (event.defaultPrevented || form.method === "dialog" || form.method === "get") return;
  if (event.submitter?.hasAttribute("data-stays")) return; // what comes is a file: the page stays
  if (form.dataset.sent) {
    event.preventDefault();
    return;
  }
  form.dataset.sent = "true";
  event.submitter?.setAttribute("aria-busy", "true");
}

function rest(root) {
  for (const form of root.querySelectorAll("form[data-sent]")) delete form.dataset.sent;
  for (const button of root.querySelectorAll('[aria-busy="true"]')) button.removeAttribute("aria-busy");
}

function click(event) {
  const opener = event.target.closest("[data-dialog]");
  if (opener) {
    const dialog = document.getElementById(opener.dataset.dialog);
    if (dialog) {
      event.preventDefault();
      dialog.showModal();
    }
  }
  if (event.target.closest("[data-close]")) {
    event.preventDefault();
    event.target.closest("dialog")?.close();
  }
}

export function start() {
  document.addEventListener("submit", busy);
  document.addEventListener("click", click);
  document.addEventListener("change", (event) => event.target.closest("[data-sends]")?.form.requestSubmit());
  addEventListener("pageshow", () => rest(document));
  document.body.addEventListener("htmx:afterRequest", () => rest(document));
}
