// The recording of the own talk is silent while somebody is in a field for a secret, or has pressed its button.
// The content goes nowhere from here: only which field it is, and from when to when.
import { all, csrf, one, write } from "./dom.js";
import { popOf, pops } from "./pop.js";
import { toast } from "./shell.js";
import { clock, say, until } from "./words.js";

const FIELD = "input[data-secret], textarea[data-secret]";
const SLOW = 3000; // milliseconds after which somebody who waits for silence is told that there is none yet
const held = new Map(); // the field or button -> what was asked for it

export function start() {
  document.addEventListener("focusin", ({ target }) => target.matches?.(FIELD) && open(target));
  document.addEventListener("focusout", ({ target }) => target.matches?.(FIELD) && document.hasFocus() && close(target, "left"));
  document.addEventListener("click", ({ target }) => toggle(target.closest?.("button[data-secret]")));
  document.addEventListener("submit", ({ target }) => all("[data-secret]", target).forEach((node) => close(node, "sent")), true);
  addEventListener("pagehide", gone);
  setInterval(look, 500);
}

// What the stream says: silent, over or failed; of what another tab asked nothing is known here.
export function told({ kind, data }) {
  if (kind !== "recording-pause") return;
  const node = [...held.keys()].find((one) => held.get(one).key === data.key);
  if (node) settle(node, data);
}

function toggle(button) {
  if (!button) return;
  if (held.has(button)) close(button, "left");
  else open(button);
}

function open(node) {
  if (held.has(node)) return;
  const pop = talk(node);
  if (!pop) return paint(node);
  const hold = { key: crypto.randomUUID(), state: "asked", at: Date.now() };
  held.set(node, hold);
  hold.sent = post("/recordings/pause", { pop: pop.pop_id, field: node.dataset.secret, key: hold.key }).then((answer) => asked(node, hold, answer));
  paint(node);
}

// The talk of the card or the form that it belongs to, else the one that goes on.
function talk(node) {
  const near = node.closest("[data-pop], [data-panel]");
  const own = popOf(near?.dataset.pop || near?.dataset.panel);
  return own?.state === "talking" ? own : pops().find((pop) => pop.state === "talking");
}

async function asked(node, hold, answer) {
  const unheard = !(answer?.status < 500); // it may be silent all the same
  if (!answer?.ok) return settle(node, { key: hold.key, state: "failed", unheard, sentence: decodeURIComponent(answer?.headers.get("X-Refusal") ?? "") });
  settle(node, await answer.json());
}

function close(node, why) {
  const hold = held.get(node);
  if (!hold) return;
  held.delete(node);
  paint(node);
  if (hold.state !== "failed" || hold.unheard) hold.sent.finally(() => post("/recordings/resume", { key: hold.key, why }));
}

function gone() {
  for (const { key } of held.values()) navigator.sendBeacon("/recordings/resume", body({ key, why: "gone" }));
  held.clear();
}

function settle(node, told) {
  const hold = held.get(node);
  if (!hold || hold.key !== told.key) return;
  if (hold.state === "silent" && told.state === "asked") return; // the stream was faster than the answer
  Object.assign(hold, told);
  if (told.state === "failed" && told.error !== "not-recorded") toast(sentence(hold), "error");
  if (told.state === "over") {
    held.delete(node);
    if (told.why === "time") toast(say("secret_time"), "error");
  }
  paint(node, hold);
}

function sentence(hold) {
  const said = (key) => { const words = say(key); return words === key ? "" : words; };
  const why = hold.sentence || said(`secret_${hold.error}`) || said(`order_${hold.error}`);
  return hold.error === "not-recorded" ? why : `${say("secret_failed")} ${why}`.trim();
}

// A field that was taken away with its form was left, whether or not the browser says so.
function look() {
  for (const [node, hold] of [...held]) {
    if (!node.isConnected) close(node, "left");
    else if (hold.state === "asked" && Date.now() - hold.at > SLOW) settle(node, { key: hold.key, state: "failed", error: "too-late", unheard: true });
    else paint(node, hold);
  }
}

function paint(node, hold = held.get(node)) {
  const place = one("[data-secret-state]", node.closest("[data-secret-of]") ?? node.parentElement);
  if (node.matches("button")) node.setAttribute("aria-pressed", String(held.has(node)));
  if (!place) return;
  place.dataset.rest ??= place.textContent;
  place.dataset.secretState = hold?.state ?? "";
  write(place, hold ? words(hold) : place.dataset.rest);
  place.hidden = !place.textContent;
}

function words(hold) {
  if (hold.state === "failed") return sentence(hold);
  if (hold.state === "silent") return say("secret_silent", { time: clock(Math.max(0, until(hold.until))) });
  return say(hold.state === "over" ? "secret_over" : "secret_asked");
}

function body(values) {
  const form = new FormData();
  for (const [name, value] of Object.entries({ ...values, csrf_token: csrf() })) form.set(name, value);
  return form;
}

function post(url, values) {
  return fetch(url, { method: "POST", body: body(values), credentials: "same-origin", keepalive: true, headers: { Accept: "application/json", "X-CSRFToken": csrf() } }).catch(() => null);
}
