// The cards of the calls at this person's phone. A card appears from the event alone; details follow.
import { all, clone, icon, one, write } from "./dom.js";
import { clock, say, since } from "./words.js";

const ICONS = { ringing: "phone-incoming", talking: "phone-call", ended: "phone-check", answered: "phone-check", gone: "phone-x" };

const tray = one("[data-pops]");
const floating = Boolean(tray?.classList.contains("floating"));
const cards = new Map();
const listeners = new Set();

export const onCards = (heard) => listeners.add(heard);
export const cardOf = (id) => cards.get(Number(id))?.node;
export const popOf = (id) => cards.get(Number(id))?.pop;
export const currentId = () => Number(one("article.pop.is-current", tray)?.dataset.pop || 0);
export const pops = () => [...cards.values()].map((card) => card.pop);

// Draw what is, at once: new cards first, then states, then cards that are no more.
export function draw(list, keep = () => false) {
  if (!tray) return;
  const named = new Set(list.map((pop) => pop.pop_id));
  for (const pop of list) paint(pop);
  for (const id of [...cards.keys()]) if (!named.has(id)) put(id);
  tray.classList.toggle("has-pops", cards.size > 0);
  choose(keep);
  listeners.forEach((heard) => heard());
}

function put(id) {
  cards.get(id).node.remove();
  cards.delete(id);
}

function paint(pop) {
  let card = cards.get(pop.pop_id);
  if (!card) {
    card = { node: clone("pop-card"), pop };
    card.node.dataset.pop = pop.pop_id;
    cards.set(pop.pop_id, card);
    tray.append(card.node);
  }
  card.pop = pop;
  fill(card.node, pop);
}

// textContent only: what a caller sends as a name is never markup.
function fill(node, pop) {
  const text = (field, value) => write(one(`[data-f=${field}]`, node), value ?? "");
  if (node.dataset.state !== pop.state) one("[data-f=icon]", node).replaceChildren(icon(ICONS[pop.state] ?? "phone"));
  node.dataset.state = pop.state;
  text("display", whole.get(pop.pop_id) || pop.display || say("withheld"));
  cover(node, pop);
  text("state", stateWords(pop));
  text("queue", [pop.queue, pop.called].filter(Boolean)[0]);
  const best = pop.matches ?? [];
  text("who", best.length === 1 ? best[0].name : best.length ? say("several", { n: best.length }) : pop.name || say("unknown"));
  text("contact", best.length === 1 ? best[0].contact : "");
  const grade = one("[data-f=grade]", node);
  grade.hidden = !(best.length === 1 && best[0].grade && best[0].grade !== "standard");
  write(grade.lastElementChild, grade.hidden ? "" : say(`grade_${best[0].grade}`));
  one("[data-act=small]", node).hidden = !floating;
  node.classList.toggle("is-small", small.has(pop.pop_id));
  one("[data-act=away]", node).hidden = ["ringing", "talking"].includes(pop.state);
  tick(node, pop);
}

// What was shown stays shown on this page; the next page covers it again.
const whole = new Map();
export function uncovered(id, shown) {
  whole.set(id, shown);
  draw(pops());
}

function cover(node, pop) {
  const button = one(".pop-acts [data-show-number]", node);
  if (!button) return;
  button.dataset.of = pop.pop_id;
  button.hidden = !pop.covered || whole.has(pop.pop_id);
}

function stateWords(pop) {
  if (pop.state === "answered") return say("answered_by", { by: pop.by || "" });
  if (pop.state === "gone") return pop.reason ? say(`gone_${pop.reason}`.replaceAll(" ", "_")) : say("gone");
  return say(pop.direction === "outbound" && pop.state === "ringing" ? "calling" : pop.state);
}

function tick(node, pop) {
  const from = pop.state === "talking" ? pop.talking_at || pop.answered_at || pop.at : pop.state === "ringing" ? pop.at : null;
  const timer = one("[data-f=timer]", node);
  timer.hidden = !from;
  if (from) write(timer, clock(since(from)));
}

// A call at the phone stays current; one that has ended is current only until the phone has another, though its form stays open.
function choose(keep) {
  const now = popOf(currentId());
  if (["talking", "ringing"].includes(now?.state)) return;
  const inState = (state) => pops().find((pop) => pop.state === state);
  const live = inState("talking") ?? inState("ringing");
  if (!live && now && (now.state === "ended" || keep(now.pop_id))) return;
  const next = live ?? inState("ended");
  if (next) makeCurrent(next.pop_id);
}

export function makeCurrent(id) {
  for (const node of all("article.pop", tray)) {
    const mine = Number(node.dataset.pop) === Number(id);
    node.classList.toggle("is-current", mine);
    one("button.pop-head", node).setAttribute("aria-expanded", String(mine));
  }
}

// Away from the desk a card lies above the page: it can be made small, and a click on its head makes it whole again.
const small = new Set(JSON.parse(sessionStorage.getItem("small-pops") || "[]"));

function fold({ target }) {
  const act = target.closest("[data-act]")?.dataset.act;
  const card = target.closest("article.pop");
  if (!card || !["small", "current"].includes(act)) return;
  const id = Number(card.dataset.pop);
  if (act === "small") small.add(id);
  else small.delete(id);
  sessionStorage.setItem("small-pops", JSON.stringify([...small].slice(-20)));
  draw(pops());
}

if (floating) tray.addEventListener("click", fold);

setInterval(() => cards.forEach(({ node, pop }) => tick(node, pop)), 1000);
