// Passkeys: the browser makes one, or proves with one who is here. Which, and in which words it fails, stands on the node.
import { all, csrf, one } from "./dom.js";

export function start() {
  all("[data-passkey]").forEach((node) => {
    const make = node.dataset.passkey === "make";
    node.addEventListener(make ? "submit" : "click", (event) => {
      if (!make && !event.target.closest("button")) return;
      event.preventDefault();
      run(node, make);
    });
  });
}

async function run(node, make) {
  const button = one("button", node);
  fault(node, "");
  if (!window.PublicKeyCredential) return fault(node, node.dataset.unable);
  if (button.disabled) return;
  button.disabled = true;
  try {
    const asked = await post(node.dataset.ask, values(node));
    const credential = await (make ? made(asked.options) : proven(asked.options)).catch(() => null);
    if (!credential) throw new Error(node.dataset.refused);
    const told = await post(node.dataset.give, { ...values(node), password: "", challenge: asked.challenge, answer: JSON.stringify(plain(credential)) });
    location.assign(told.go);
  } catch (error) {
    button.disabled = false;
    fault(node, error.message);
  }
}

function values(node) {
  const typed = node.matches("form") ? Object.fromEntries(new FormData(node)) : {};
  return node.dataset.next ? { ...typed, next: node.dataset.next } : typed;
}

async function post(url, fields) {
  const body = new FormData();
  for (const [name, value] of Object.entries(fields)) body.set(name, value);
  const answer = await fetch(url, { method: "POST", body, credentials: "same-origin", headers: { Accept: "application/json", "X-CSRFToken": csrf() } });
  const told = await answer.json();
  if (!answer.ok) throw new Error([told.title, told.detail].filter(Boolean).join(" "));
  return told;
}

function fault(node, words) {
  const place = one("[data-f=fault]", node);
  place.textContent = words;
  place.hidden = !words;
}

const made = (options) => navigator.credentials.create({ publicKey: {
  ...options,
  challenge: bytes(options.challenge),
  user: { ...options.user, id: bytes(options.user.id) },
  excludeCredentials: (options.excludeCredentials ?? []).map(known),
} });

const proven = (options) => navigator.credentials.get({ publicKey: {
  ...options, challenge: bytes(options.challenge), allowCredentials: (options.allowCredentials ?? []).map(known),
} });

const known = (one) => ({ ...one, id: bytes(one.id) });

// What the server checks, with bytes as base64url.
function plain(credential) {
  const { response } = credential;
  const told = { clientDataJSON: text(response.clientDataJSON) };
  for (const name of ["attestationObject", "authenticatorData", "signature", "userHandle"]) {
    if (response[name]) told[name] = text(response[name]);
  }
  return { id: credential.id, rawId: text(credential.rawId), type: credential.type, response: told, clientExtensionResults: credential.getClientExtensionResults() };
}

function bytes(coded) {
  const whole = coded.replaceAll("-", "+").replaceAll("_", "/");
  return Uint8Array.from(atob(whole), (letter) => letter.charCodeAt(0));
}

function text(buffer) {
  const letters = Array.from(new Uint8Array(buffer), (byte) => String.fromCharCode(byte)).join("");
  return btoa(letters).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}
