// The dialog in which a step asks its questions: its content comes from the server, as the same form that is a page without scripts.
import { toast } from "./toast.js";

const token = () => document.querySelector('meta[name="csrf"]').content;

/** Ask the server; what is refused becomes a note. Returns the answer, or null when it was refused. */
export async function ask(address, options = {}) {
  const headers = { "X-CSRF-Token": token(), "HX-Request": "true", ...options.headers };
  try {
    return await fetch(address, { ...options, headers, redirect: "follow" });
  } catch {
    return null;
  }
}

const isPage = (answer) => (answer.headers.get("content-type") ?? "").startsWith("text/html");

/** The sentence of a refusal, in whichever form it came. */
export async function reason(answer) {
  if (!answer) return document.querySelector("#sheet")?.dataset.offline ?? "";
  const text = await answer.text();
  try {
    return JSON.parse(text).error ?? text;
  } catch {
    return text;
  }
}

function fill(dialog, html) {
  dialog.innerHTML = html;
  window.htmx?.process(dialog);
  document.dispatchEvent(new CustomEvent("maille:filled", { detail: dialog }));
  const wrong = dialog.querySelector('[aria-invalid="true"]');
  (wrong ?? dialog.querySelector("input:not([type=hidden]), select, textarea, button"))?.focus();
}

/**
 * Open the form at `address`; resolves to the server's answer once it was accepted, to null when the dialog was closed.
 * `headers` go with the form.
 */
export async function sheet(address, headers = {}) {
  const dialog = document.querySelector("#sheet");
  const first = await ask(address);
  if (!first?.ok || !isPage(first)) {
    if (first?.headers.get("HX-Redirect")) location.assign(first.headers.get("HX-Redirect"));
    else toast({ text: await reason(first), kind: "refused" });
    return null;
  }
  fill(dialog, await first.text());
  dialog.showModal();
  return new Promise((resolve) => {
    const done = (answer) => {
      dialog.removeEventListener("submit", send);
      dialog.removeEventListener("close", closed);
      if (dialog.open) dialog.close();
      dialog.replaceChildren();
      resolve(answer);
    };
    const closed = () => done(null);
    const send = async (event) => {
      event.preventDefault();
      const form = event.target;
      if (form.dataset.busy) return;
      form.dataset.busy = "true";
      event.submitter?.setAttribute("aria-busy", "true");
      const answer = await ask(form.action, { method: "POST", body: new FormData(form, event.submitter), headers });
      if (answer?.ok) done(answer);
      else if (answer && isPage(answer)) fill(dialog, await answer.text());
      else {
        toast({ text: await reason(answer), kind: "refused" });
        done(null);
      }
    };
    dialog.addEventListener("submit", send);
    dialog.addEventListener("close", closed);
  });
}
