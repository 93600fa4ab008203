// The agent desk: the caller's details beside the card, the ticket form of each call in a tab of its own.
import { renew } from "./choice.js";
import { all, fragment, morph, one, write } from "./dom.js";
import { cardOf, currentId, draw, makeCurrent, onCards, popOf, pops } from "./pop.js";
import { dropDraft, keepCalls, keepDraft, keptCalls, restoreDraft } from "./draft.js";
import { say } from "./words.js";

const desk = one("[data-desk]");
const asked = new Map(); // pop id -> what its details were asked for

// A call with an open form is kept on the desk, whatever the telephone says, until the agent puts it away.
export const busyWith = (id) => Boolean(desk && panelOf(id));
const kept = new Map(desk ? keptCalls().map((pop) => [pop.pop_id, pop]) : []);

export function withKept(list) {
  const named = new Set(list.map((pop) => pop.pop_id));
  for (const pop of list) if (kept.has(pop.pop_id)) kept.set(pop.pop_id, pop);
  const others = [...kept.values(), ...pops().filter((pop) => busyWith(pop.pop_id))].filter((pop) => !named.has(pop.pop_id));
  const ended = new Map(others.map((pop) => [pop.pop_id, { ...pop, state: "ended", folded_at: undefined }]));
  return [...list, ...ended.values()].map((pop) => (busyWith(pop.pop_id) && pop.state === "gone" ? { ...pop, state: "ended" } : pop));
}

// Forms that were open before a reload open again with what was typed; the page stays where it is.
export function reopen() {
  if (!desk || reopen.done) return;
  reopen.done = true;
  for (const id of kept.keys()) openForm(id, false);
}

function remember(id, pop) {
  if (pop) kept.set(Number(id), pop);
  else kept.delete(Number(id));
  keepCalls([...kept.values()]);
}

export function start(live) {
  if (!desk) return;
  onCards(refresh);
  desk.addEventListener("click", (event) => onClick(event, live));
  all("[data-show]").forEach((button) => button.addEventListener("click", () => turnTo(button.dataset.show)));
  desk.addEventListener("submit", onSubmit);
  desk.addEventListener("change", ({ target }) => target.matches("select") && (target.dataset.touched = "1"));
  turnTo("calls");
  desk.addEventListener("htmx:afterSwap", settle);
  document.body.addEventListener("ticket-saved", ({ detail }) => saved(detail, live));
}

// Another page sent its F2 here: open that call's form as soon as its card is there.
function called() {
  const id = Number(/^#pop=(\d+)$/.exec(location.hash)?.[1] || 0);
  if (!id || !popOf(id)) return;
  history.replaceState(null, "", location.pathname);
  openForm(id);
}

function refresh() {
  called();
  comeForward();
  const id = currentId();
  [...asked.keys()].filter((known) => !popOf(known)).forEach(forget);
  for (const pop of pops()) { load(pop); hungUp(pop); }
  all("[data-context]", desk).forEach((pane) => { pane.hidden = Number(pane.dataset.context) !== id; });
  one("[data-idle]", desk)?.toggleAttribute("hidden", pops().length > 0);
  one("[data-idle-context]", desk)?.toggleAttribute("hidden", Boolean(id));
  all("article.pop [data-act=ticket]", desk).forEach((button) => {
    button.hidden = Boolean(panelOf(button.closest("article").dataset.pop));
  });
}

// A call that comes back to this phone has its old number: what its first card was told is not told to the second.
function forget(id) {
  asked.delete(id);
  contextOf(id).remove();
}

// The details are asked for once a card is there, again when the call was answered (facts may have been added) and when
// it was said, perhaps in another tab, who calls.
function load(pop, force = false) {
  if (["answered", "gone"].includes(pop.state)) return;
  const before = asked.get(pop.pop_id);
  const wanted = { talked: Boolean(before?.talked) || pop.state === "talking", party: pop.party_id, over: before?.over };
  if (!force && before?.talked === wanted.talked && before.party === wanted.party) return;
  asked.set(pop.pop_id, wanted);
  if (before && before.party !== wanted.party) renewParty(pop.pop_id);
  details(pop.pop_id, `/desk/pops/${pop.pop_id}`);
}

// A call is stored a moment after its card hears that it ended; then its length stands among the last calls.
const STORED = [1500, 6000];
function hungUp(pop) {
  const known = asked.get(pop.pop_id);
  if (!known?.talked || known.over || pop.state !== "ended") return;
  known.over = true;
  for (const wait of STORED) setTimeout(() => { if (popOf(pop.pop_id)) load(popOf(pop.pop_id), true); }, wait);
}

async function details(id, url, options) {
  const answer = await fragment(url, options).catch(() => ({ ok: false, status: 0, html: "" }));
  if (answer.html.includes("data-slot")) return place(id, answer.html);
  refused(id, answer.refusal);
  if (!options) asked.delete(id);
}

// The server's own sentence where it gave one; without it nothing but that it did not work is known.
function refused(id, refusal = "") {
  const fault = cardOf(id) && one(".pop-fault", cardOf(id));
  if (!fault) return;
  write(one("[data-f=refusal]", fault), refusal || fault.dataset.unread);
  fault.hidden = false;
}

function place(id, html) {
  const card = cardOf(id);
  if (!card) return;
  const parts = new DOMParser().parseFromString(html, "text/html");
  one(".pop-fault", card).hidden = true;
  const details = one(".pop-details", card);
  morph(details, one("[data-slot=caller]", parts).innerHTML);
  window.htmx.process(details); // its search field is wired only now
  morph(contextOf(id), one("[data-slot=context]", parts).innerHTML);
  contextOf(id).hidden = id !== currentId();
}

function contextOf(id) {
  const found = one(`[data-context="${id}"]`, desk);
  if (found) return found;
  const pane = document.createElement("div");
  pane.dataset.context = id;
  pane.hidden = id !== currentId();
  one("[data-contexts]", desk).append(pane);
  return pane;
}

const ACTS = {
  current: (id) => { makeCurrent(id); refresh(); show(panelOf(id) ? id : "home", false); turnTo("calls"); },
  ticket: (id) => openForm(id),
  again: (id) => load(popOf(id), true),
  away: (id, live) => away(id, live),
};

function onClick(event, live) {
  const tab = event.target.closest("[data-tab]");
  if (tab) return takeUp(tab.dataset.tab);
  const button = event.target.closest("[data-act]");
  if (!button) return;
  const id = Number(button.closest("[data-pop]")?.dataset.pop || button.closest("[data-panel]")?.dataset.panel || 0);
  ACTS[button.dataset.act]?.(id, live);
}

const sending = new Set(); // a second Enter while the first one travels is not a second customer

// Choosing, attaching and creating a caller answer with the same details, now with a customer.
async function onSubmit(event) {
  const form = event.target.closest("form[data-pop-form]");
  if (!form) return;
  event.preventDefault();
  const id = Number(form.dataset.popForm);
  if (sending.has(id)) return;
  sending.add(id);
  const button = event.submitter;
  const body = new FormData(form, button);
  button?.setAttribute("aria-busy", "true");
  await details(id, form.action, { method: "POST", body });
  sending.delete(id);
  button?.removeAttribute("aria-busy");
  renewParty(id);
}

// ---- the ticket form of a call

const panelOf = (id) => one(`[data-panel="${id}"]`, desk ?? document);

// The tab of a call brings its caller along.
function takeUp(id) {
  if (cardOf(id)) makeCurrent(id);
  refresh();
  show(id);
}

export async function openForm(id = currentId(), inFront = true) {
  if (!id || !popOf(id)) return;
  if (panelOf(id)) return takeUp(id);
  const panel = addPanel(id);
  remember(id, popOf(id));
  if (inFront) takeUp(id);
  const answer = await fragment(`/tickets/new?pop=${id}`).catch(() => ({ ok: false, html: "" }));
  if (!answer.ok) return fault(panel, id);
  panel.innerHTML = answer.html;
  window.htmx.process(panel);
  restoreDraft(panel, `pop-${id}`);
  keepDraft(panel, `pop-${id}`);
  if (inFront) one("[autofocus]", panel)?.focus();
  refresh();
}

function fault(panel, id) {
  panel.replaceChildren(one("#part-fault").content.cloneNode(true));
  one("button", panel).addEventListener("click", () => { panel.remove(); openForm(id); });
}

function addPanel(id) {
  const pop = popOf(id);
  const tab = one("#tab").content.firstElementChild.cloneNode(true);
  tab.dataset.tab = id;
  tab.id = `tab-${id}`;
  one("[data-f=label]", tab).textContent = say("new_ticket", { number: pop.display || say("withheld") });
  one("[data-tabs]", desk).append(tab);
  const panel = document.createElement("div");
  panel.dataset.panel = id;
  panel.hidden = true;
  panel.setAttribute("role", "tabpanel");
  panel.setAttribute("aria-labelledby", tab.id);
  one("[data-panels]", desk).append(panel);
  return panel;
}

export function show(id, turn = true) {
  all("[data-tab]", desk).forEach((tab) => tab.setAttribute("aria-selected", String(tab.dataset.tab === String(id))));
  all("[data-panel]", desk).forEach((panel) => { panel.hidden = panel.dataset.panel !== String(id); });
  if (turn) turnTo("work");
}

// On a narrow screen one part is seen at a time.
export function turnTo(view) {
  desk.dataset.view = view;
  all("[data-show]").forEach((button) => button.setAttribute("aria-pressed", String(button.dataset.show === view)));
}

// A new call comes to the front of a phone's screen, but never under fingers that type.
const met = new Set();
function comeForward() {
  const fresh = pops().filter((pop) => !met.has(pop.pop_id) && pop.state === "ringing");
  met.clear();
  pops().forEach((pop) => met.add(pop.pop_id));
  if (fresh.length && !document.activeElement?.matches("input, textarea, select")) turnTo("calls");
}

// The customer of the call was settled while the form was half-typed: only what hangs on the customer is renewed.
function renewParty(id) {
  const form = panelOf(id) && one("form[data-draft]", panelOf(id));
  if (form) return renew(form, `/tickets/new?pop=${id}`);
}

function settle({ target }) {
  const panel = target.closest("[data-panel]");
  if (panel) (one("[aria-invalid=true]", panel) ?? one("[data-saved]", panel))?.focus();
}

function saved({ pop, number }) {
  const tab = one(`[data-tab="${pop}"]`, desk);
  if (!tab) return;
  one("[data-f=label]", tab).textContent = number;
  dropDraft(`pop-${pop}`);
  remember(pop, null);
  const current = popOf(pop);
  if (current) load(current, true);
}

function away(id, live) {
  one(`[data-tab="${id}"]`, desk)?.remove();
  panelOf(id)?.remove();
  dropDraft(`pop-${id}`);
  remember(id, null);
  live.drop(id);
  draw(pops().filter((pop) => pop.pop_id !== id));
  show("home", false);
  refresh();
}
