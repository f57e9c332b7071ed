// Passkeys: the one thing of these pages that needs a script. Forms stay hidden without it.
const bytes = (text) =>
  Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (sign) => sign.charCodeAt(0));
const words = (buffer) =>
  btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
const known = (list) => (list || []).map((one) => ({ ...one, id: bytes(one.id) }));

// Options as WebAuthn level 3 writes them in JSON; older browsers have no parser of their own.
const readOptions = (given, how) => {
  const key = given.publicKey;
  const read = { ...key, challenge: bytes(key.challenge) };
  if (how === "create") {
    read.user = { ...key.user, id: bytes(key.user.id) };
    read.excludeCredentials = known(key.excludeCredentials);
  } else {
    read.allowCredentials = known(key.allowCredentials);
  }
  return { publicKey: read };
};

const written = (credential) => {
  const response = {};
  for (const name of ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"]) {
    if (credential.response[name]) response[name] = words(credential.response[name]);
  }
  return {
    id: credential.id,
    rawId: words(credential.rawId),
    type: credential.type,
    response,
    clientExtensionResults: credential.getClientExtensionResults(),
  };
};

const optionsOf = async (form) => {
  if (form.dataset.options) return JSON.parse(form.dataset.options);
  const answer = await fetch(form.dataset.url, { headers: { Accept: "application/json" } });
  return (await answer.json()).request_options;
};

for (const form of document.querySelectorAll("form[data-passkey]")) {
  if (!window.PublicKeyCredential) continue;
  form.hidden = false;
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const how = form.dataset.passkey;
    const said = form.querySelector("[data-passkey-said]");
    said.textContent = "";
    try {
      const credential = await navigator.credentials[how](readOptions(await optionsOf(form), how));
      form.elements.credential.value = JSON.stringify(written(credential));
      form.submit();
    } catch {
      said.textContent = said.dataset.passkeySaid;
    }
  });
}
