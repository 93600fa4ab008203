// The person's own state at their phone: told by the server, counted here; and what is asked of the phone by a click.
import { all, csrf, one, write } from "./dom.js";
import { popOf } from "./pop.js";
import { toast } from "./shell.js";
import { clock, say, since, until } from "./words.js";

const box = one("[data-agent]");
const chip = one("[data-own-state]");
let agent = JSON.parse(box?.dataset.agent || "null");
let pops = [];
let heard = false;

// What the stream says: the state, and the calls at the phone, which are known a moment before the state is.
export function told(message) {
  heard = true;
  pops = message.pops;
  if (message.agent !== undefined && message.agent !== null) agent = message.agent;
  if (message.kind === "order" && document.visibilityState === "visible") ordered(message.data);
  paint();
}

export const stale = () => paint();

function now() {
  if (document.body.classList.contains("is-stale")) return { state: "offline" };
  const talking = pops.find((pop) => pop.state === "talking");
  if (talking) return { state: agent?.state === "hold" ? "hold" : "talking", since: talking.talking_at || talking.answered_at || talking.at };
  if (pops.some((pop) => pop.state === "ringing")) return { state: "ringing" };
  return ["talking", "hold"].includes(agent.state) && pops.length && pops.every((pop) => pop.state === "ended") ? { ...agent, state: agent.chosen } : agent;
}

function paint() {
  if (!chip || !agent || !(heard || document.body.classList.contains("is-stale"))) return; // it says that it connects
  const own = now();
  if (chip.dataset.ownState !== own.state) chip.dataset.ownState = own.state;
  write(one("[data-f=state]", chip), own.state === "pause" && own.reason ? say(`pause_${own.reason}`).replace(/^pause_/, "") : say(`own_${own.state}`));
  write(one("[data-f=timer]", chip), timer(own));
  all("[data-of]", box).forEach((part) => { part.hidden = part.dataset.of !== own.state; });
  all("[data-not]", box).forEach((part) => { part.hidden = part.dataset.not === own.state; });
  all("[name=choice]", box).forEach((button) => button.classList.toggle("is-chosen", button.value === chosen()));
}

const chosen = () => (agent.chosen === "pause" ? `pause:${agent.reason}` : agent.chosen);

function timer(own) {
  if (own.state === "acw" && own.acw_until) return clock(Math.max(0, until(own.acw_until)));
  return ["offline", "ringing"].includes(own.state) || !own.since ? "" : clock(since(own.since));
}

// ---- choosing: by click, or F9 and the digit of a line

export function start() {
  setInterval(paint, 1000);
  paint();
  document.addEventListener("submit", submitted, true);
  document.addEventListener("keydown", keys);
  document.addEventListener("click", onCall);
}

function keys(event) {
  if (event.key === "F9" && box) {
    event.preventDefault();
    box.open = !box.open;
    if (box.open) all("[data-agent-form] button", box).find((button) => button.offsetParent)?.focus();
    return;
  }
  if (!box?.open || event.target.matches?.("input, select, textarea") || event.ctrlKey || event.altKey || event.metaKey) return;
  const button = all(`[data-digit="${CSS.escape(event.key)}"]`, box).find((one) => one.offsetParent);
  if (button) { event.preventDefault(); event.stopPropagation(); button.click(); }
}

// ---- forms that need no other page: own state, somebody else's, and orders

async function submitted(event) {
  const form = event.target.closest?.("form[data-agent-form], form[data-order]");
  if (!form) return;
  if (event.submitter?.value === "offline" && form.matches("[data-agent-form]")) return; // the page changes with it
  event.preventDefault();
  event.stopPropagation();
  const button = event.submitter ?? one("button", form);
  if (button.getAttribute("aria-busy") === "true") return;
  button.setAttribute("aria-busy", "true");
  await send(form, new FormData(form, button.name ? button : undefined));
  button.removeAttribute("aria-busy");
  form.closest("details[data-menu]")?.removeAttribute("open");
}

async function send(form, body) {
  const answer = await fetch(form.action, { method: "POST", body, credentials: "same-origin", headers: { Accept: "application/json", "X-CSRFToken": csrf() } }).catch(() => null);
  if (!answer?.ok) return refused(answer);
  if (answer.status === 204) return;
  ordered(await answer.json());
  const key = one("[name=key]", form);
  if (key) key.value = crypto.randomUUID(); // the next click is another order
}

async function refused(answer) {
  const told = (await answer?.json().catch(() => null))?.message;
  const sentence = told || decodeURIComponent(answer?.headers.get("X-Refusal") ?? "");
  toast(sentence || one("[data-part-fault]")?.dataset.partFault || "", "error");
}

// One sentence for each step that the person has to know of.
function ordered({ kind, state, error, number }) {
  const words = (key) => { const said = say(key, { number: number ?? "" }); return said === key ? "" : said; };
  if (state === "failed") return toast(words(`order_${error}`) || words("order_failed"), "error");
  if (state === "unknown") return toast(words("order_unknown"), "error");
  const text = words(`order_${state}_${kind}`) || (state === "requested" && ["dial", "listen", "whisper", "barge"].includes(kind) ? words("order_asked") : "");
  if (text) toast(text);
}

// ---- the call at the phone: pass on, park, hang up

function onCall({ target }) {
  const button = target.closest?.("[data-call-act]");
  if (!button) return;
  const form = button.closest("form");
  const place = one(".pop-to", form);
  if (button.dataset.callAct === "to") {
    place.hidden = !place.hidden;
    button.setAttribute("aria-expanded", String(!place.hidden));
    return place.hidden || one("input", place).focus();
  }
  act(form, button);
}

async function act(form, button) {
  const pop = popOf(button.closest("[data-pop]").dataset.pop);
  const body = new FormData(form);
  body.set("kind", button.dataset.callAct);
  body.set("pop", pop.pop_id);
  body.set("key", crypto.randomUUID());
  if (button.getAttribute("aria-busy") === "true") return;
  button.setAttribute("aria-busy", "true");
  await send(form, body);
  button.removeAttribute("aria-busy");
}
