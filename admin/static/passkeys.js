// Passkeys: a form asks the server for a question and the device for the answer, which is sent with the form.

/** Ask, and send the form once there is an answer; what goes wrong is said in the form. */
async function ask(event) {
  const form = event.target;
  if (form.elements.answer.value) return;
  event.preventDefault();
  const failed = form.querySelector("[data-failed]");
  failed.hidden = true;
  try {
    const headers = { Accept: "application/json" };
    const answer = await fetch(form.dataset.passkey, { method: "POST", body: new FormData(form), headers });
    const said = await answer.json();
    if (!answer.ok) throw new Error(said.error);
    const options = JSON.parse(said.options);
    const key = form.hasAttribute("data-new")
      ? await navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(options) })
      : await navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(options) });
    form.elements.token.value = said.token;
    form.elements.answer.value = JSON.stringify(key.toJSON());
    form.requestSubmit();
  } catch (error) {
    const ours = error instanceof Error && !(error instanceof TypeError) && !(error instanceof SyntaxError);
    const sentence = ours && !(error instanceof DOMException) ? error.message : "";
    failed.querySelector("span").textContent = sentence || failed.dataset.failed;
    failed.hidden = false;
  }
}

export function start() {
  if (!window.PublicKeyCredential?.parseCreationOptionsFromJSON) return;
  for (const form of document.querySelectorAll("form[data-passkey]")) {
    form.addEventListener("submit", ask);
    form.closest("[data-passkeys]").hidden = false;
  }
}
