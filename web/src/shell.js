// What every page has: keys, busy buttons, drafts, toasts, the strip that says when the link is down.
import { dropDraft, forgetDrafts, keepDraft, restoreDraft } from "./draft.js";
import { all, icon, one, write } from "./dom.js";
import { count } from "./left.js";
import { clock, say, since, timeOfDay } from "./words.js";

export function start() {
  document.addEventListener("keydown", keys);
  document.addEventListener("submit", lock);
  document.addEventListener("click", clicks);
  addEventListener("pageshow", () => all("[aria-busy=true]").forEach((node) => node.removeAttribute("aria-busy")));
  all("[data-draft-done]").forEach((node) => dropDraft(node.dataset.draftDone)); // only the server knows that it has them
  all("form[data-draft]").forEach((form) => { restoreDraft(form, form.dataset.draft); keepDraft(form, form.dataset.draft); });
  all("[data-toast]").forEach(vanish);
  setInterval(ticks, 1000);
  ticks();
  rows();
  one(".views [aria-current]")?.scrollIntoView({ block: "nearest", inline: "nearest" });
}

// ---- keys: Ctrl+K search, Ctrl+Enter the primary of this form, F2 ticket of the call, J K Enter in lists, N new
const typing = (node) => node.matches?.("input, textarea, select, [contenteditable]");

function keys(event) {
  const plain = !event.ctrlKey && !event.metaKey && !event.altKey;
  if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") return act(event, () => one("[data-search]")?.focus());
  if ((event.ctrlKey || event.metaKey) && event.key === "Enter") return act(event, () => submitNear(event.target));
  if (event.key === "F2") return act(event, () => document.dispatchEvent(new CustomEvent("desk:ticket")));
  if (event.key === "Escape") return escape(event);
  if (["ArrowDown", "ArrowUp"].includes(event.key) && event.target.closest("[data-finder]")) return act(event, () => hit(event));
  if (plain && !typing(event.target)) list(event);
}

// Up and down through the field and what it found; Enter on a hit is the link's own.
function hit({ key, target }) {
  const stops = all("[data-search], #found a", target.closest("[data-finder]"));
  stops[stops.indexOf(target) + (key === "ArrowDown" ? 1 : -1)]?.focus();
}

function act(event, then) {
  event.preventDefault();
  then();
}

function submitNear(node) {
  const form = node.closest?.("form") ?? one("form[data-primary]:not([hidden] *)") ?? one("[data-panel]:not([hidden]) form");
  const button = form && one("button[data-key=submit], button[type=submit]:not([aria-busy=true])", form);
  if (button) form.requestSubmit(button);
}

function escape(event) {
  const open = one("details[open][data-menu]");
  if (open) { open.open = false; one("summary", open).focus(); return; }
  if (event.target.matches?.("input[data-hotkey]") && !event.target.value) return event.target.blur(); // back to the rows and their keys
  if (!event.target.closest?.("[data-finder]")) return;
  one("[data-search]").value = "";
  one("#found").replaceChildren();
  event.target.blur();
}

function list(event) {
  const row = { j: 1, k: -1, ...(event.target === document.body && { ArrowDown: 1, ArrowUp: -1 }) }[event.key];
  if (row && one("table[data-rows]")) return act(event, () => step(row));
  if (event.key === "Enter" && event.target === document.body) return one("tr.is-row-current a")?.click();
  const link = one(`[data-hotkey="${CSS.escape(event.key)}"]`);
  if (link) act(event, () => (link.matches("input, select") ? link.focus() : link.click()));
}

function step(by) {
  const lines = all("table[data-rows] tbody tr");
  if (!lines.length) return;
  const now = lines.findIndex((line) => line.classList.contains("is-row-current"));
  const next = lines[Math.min(lines.length - 1, Math.max(0, now + by))];
  lines[now]?.classList.remove("is-row-current");
  next.classList.add("is-row-current");
  next.scrollIntoView({ block: "nearest" });
}

// A click anywhere on a row opens what its link opens; text that is being selected is left alone.
function rows() {
  document.addEventListener("click", (event) => {
    const row = event.target.closest("table[data-rows] tbody tr");
    if (row && !event.target.closest("a, button, input, label, summary, select, textarea") && !String(getSelection())) one("a", row)?.click();
  });
}

// ---- a running button is locked; a second click does nothing
function lock(event) {
  const button = event.submitter;
  if (!button || event.target.dataset.popForm) return;
  if (button.getAttribute("aria-busy") === "true") return event.preventDefault();
  if (event.defaultPrevented) return;
  button.setAttribute("aria-busy", "true");
}

function clicks(event) {
  all("details[open][data-menu]").forEach((menu) => { if (!menu.contains(event.target)) menu.open = false; });
  if (event.target.closest("[data-sign-out]")) forgetDrafts();
  if (event.target.closest("#print")) print();
  const copy = event.target.closest("[data-copy]");
  if (copy) navigator.clipboard?.writeText(copy.dataset.copy).then(() => copy.classList.add("is-done"));
  event.target.closest("[data-toast-close]")?.closest("[data-toast]").remove();
}

function vanish(node) {
  if (node.dataset.toast !== "error") setTimeout(() => node.remove(), 8000);
}

// ---- clocks that run without a reload
function ticks() {
  all("time[data-since]").forEach((node) => write(node, clock(since(node.dataset.since))));
  count();
}

// ---- the link to the telephone; each attempt that fails says again that it is down, and only the first one counts
const known = { up: undefined, good: 0, heard: false, timer: 0, painted: () => {} };

export function link({ up, good }, painted = () => {}) {
  known.painted = painted;
  known.good = good || known.good;
  if (up === known.up) return;
  known.up = up;
  clearTimeout(known.timer);
  if (up) return stale(!(known.heard = true));
  known.timer = setTimeout(stale, known.heard ? 1500 : 4000, true); // a reconnect within a second and a half is nobody's business
}

function stale(is) {
  const strip = one("[data-live-strip]");
  if (!strip) return;
  if (is) write(one("[data-f=since]", strip), known.good ? say("last_good", { time: timeOfDay(known.good) }) : say("never_good"));
  strip.hidden = !is;
  document.body.classList.toggle("is-stale", is);
  known.painted();
}

export function toast(text, kind = "info") {
  const node = one("#toast").content.firstElementChild.cloneNode(true);
  node.dataset.toast = kind;
  one("[data-f=icon]", node).replaceChildren(icon(kind === "error" ? "alert-circle" : "circle-check"));
  one("[data-f=text]", node).textContent = text;
  one("[data-toasts]").replaceChildren(node);
  vanish(node);
}
