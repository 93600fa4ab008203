// Lists: ticked rows, columns that move and widen. Everything works by plain forms; this makes it quick.
import { all, csrf, one, write } from "./dom.js";

export function start() {
  document.addEventListener("click", ticked);
  document.addEventListener("click", moved);
  document.addEventListener("keydown", keys);
  document.addEventListener("pointerdown", grabbed);
  document.addEventListener("dragstart", ({ target }) => target.closest?.("[data-columns] li")?.classList.add("is-held"));
  document.addEventListener("dragend", () => all("[data-columns] .is-held").forEach((item) => item.classList.remove("is-held")));
  document.addEventListener("dragover", over);
  document.addEventListener("htmx:afterSwap", () => { fit(); bar(); });
  addEventListener("pageshow", bar); // a page that comes back may have ticks
  fit();
}

// ---- ticks: a click with Shift ticks the rows between, X the current one, Esc none
const boxes = () => all("[data-tick]");
let last = null;

function ticked(event) {
  if (event.target.matches("[data-untick]")) return set(boxes(), false);
  if (event.target.matches("[data-tick-all]")) return set(boxes(), event.target.checked);
  const cell = event.target.closest("td.tick");
  if (!cell) return;
  const box = one("[data-tick]", cell);
  if (event.target !== box) box.checked = !box.checked; // the whole cell is the target
  const list = boxes();
  const [from, to] = [list.indexOf(last), list.indexOf(box)].sort((a, b) => a - b);
  if (event.shiftKey && from >= 0) set(list.slice(from, to + 1), box.checked);
  last = box;
  bar();
}

function set(some, on) {
  some.forEach((box) => { box.checked = on; });
  bar();
}

function bar() {
  const form = one("[data-bulk]");
  if (!form) return;
  const list = boxes();
  const on = list.filter((box) => box.checked);
  list.forEach((box) => box.closest("tr").classList.toggle("is-ticked", box.checked));
  form.classList.toggle("is-on", on.length > 0);
  const count = one("[data-f=count]", form);
  write(count, count.dataset.words.replace("{n}", on.length));
  const head = one("[data-tick-all]");
  head.checked = on.length === list.length;
  head.indeterminate = on.length > 0 && on.length < list.length;
}

function keys(event) {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const edge = event.target.closest?.(".edge");
  if (edge && ["ArrowLeft", "ArrowRight"].includes(event.key)) return resized(event, edge);
  if (event.target.matches?.("input:not([type=checkbox]), textarea, select, [contenteditable]")) return;
  if (event.key === "Escape" && one("[data-bulk].is-on") && !one("details[open][data-menu]")) return set(boxes(), false);
  if (event.key !== "x") return;
  const box = one("tr.is-row-current [data-tick]");
  if (box) box.click();
}

// ---- columns: dragged, or moved by their buttons
function moved(event) {
  const button = event.target.closest("[data-move]");
  if (!button) return;
  const item = button.closest("li");
  if (button.dataset.move === "-1") item.previousElementSibling?.before(item);
  else item.nextElementSibling?.after(item);
  button.focus();
}

function over(event) {
  const held = one("[data-columns] .is-held");
  const item = held && event.target.closest?.("[data-columns] li");
  if (!item) return;
  event.preventDefault();
  const box = item.getBoundingClientRect();
  if (item !== held) item[event.clientY > box.top + box.height / 2 ? "after" : "before"](held);
}

// ---- widths: the edge of a head is dragged, or moved with the arrow keys
const NARROWEST = 40, WIDEST = 900, STEP = 16, ROOM = 180;
const colOf = (head) => all("col", head.closest("table"))[[...head.parentElement.children].indexOf(head)];

function widen(head, width) {
  const now = Math.round(Math.min(WIDEST, Math.max(NARROWEST, width)));
  colOf(head).width = now;
  head.dataset.width = now;
  one(".edge", head).setAttribute("aria-valuenow", now);
  fit();
}

function grabbed(event) {
  const edge = event.target.closest?.(".edge");
  if (!edge || event.button) return;
  event.preventDefault();
  const head = edge.closest("th");
  const from = head.getBoundingClientRect().width - event.clientX;
  const follow = (move) => widen(head, from + move.clientX);
  edge.setPointerCapture(event.pointerId);
  edge.addEventListener("pointermove", follow);
  edge.addEventListener("lostpointercapture", () => { edge.removeEventListener("pointermove", follow); keep(head); }, { once: true });
}

let timer = 0;
function resized(event, edge) {
  event.preventDefault();
  const head = edge.closest("th");
  widen(head, head.getBoundingClientRect().width + (event.key === "ArrowRight" ? STEP : -STEP));
  clearTimeout(timer);
  timer = setTimeout(keep, 600, head);
}

// The widths are the person's from now on; the form of columns knows them too.
function keep(head) {
  const columns = all("th[data-column]", head.parentElement).map(({ dataset }) => (dataset.width > 0 ? `${dataset.column}:${dataset.width}` : dataset.column));
  for (const name of columns) {
    const box = all("[data-columns] [name=column]").find(({ value }) => value.split(":")[0] === name.split(":")[0]);
    if (box) box.value = name;
  }
  const body = new URLSearchParams({ columns: columns.join(",") });
  fetch(head.closest("[data-layout]").dataset.layout, { method: "POST", body, headers: { "HX-Request": "true", "X-CSRFToken": csrf() } });
}

// A table never squeezes its columns to nothing: it is at least as wide as they are, and its pane scrolls.
function fit() {
  all("table.known").forEach((table) => {
    const heads = all("th[data-column]", table);
    const least = heads.reduce((sum, { dataset }) => sum + (Number(dataset.width) || ROOM), one("th.tick", table) ? 40 : 0);
    table.style.minWidth = `${least}px`;
  });
}
