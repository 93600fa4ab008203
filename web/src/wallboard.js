// The wallboard reads itself again when it is told that something has changed, twice a second at most, and never jumps.
import { Idiomorph } from "idiomorph";
import { fragment, one } from "./dom.js";

const page = one("[data-wallboard]");
const PAUSE = 500;
const ROUTINE = 30000; // calls that have just ended leave without anybody telling
let asked = 0;
let running = false;
let waiting = 0;

export function start() {
  if (!page) return;
  page.addEventListener("click", ({ target }) => target.closest("[data-fullscreen]") && whole());
  page.addEventListener("toggle", ({ target }) => target.open && flip(one(".menu", target)), true);
  setInterval(changed, ROUTINE);
}

export function told({ kind }) {
  if (page && ["floor", "feed", "snapshot", "joined"].includes(kind)) changed();
}

function changed() {
  clearTimeout(waiting);
  waiting = setTimeout(read, running ? PAUSE : Math.max(0, PAUSE - (Date.now() - asked)));
}

async function read() {
  if (running) return changed();
  running = true;
  asked = Date.now();
  const answer = await fragment(page.dataset.wallboard).catch(() => ({ ok: false }));
  running = false;
  if (answer.ok) lay(answer.html);
}

// A menu that is open stays open, and a button in flight keeps its wheel.
function lay(html) {
  const kept = (name, node) => (name === "open" && node.matches("details")) || (name === "class" && node.matches(".menu")) || (name === "aria-busy" && node.matches("button"));
  Idiomorph.morph(page, html, {
    morphStyle: "innerHTML",
    callbacks: { beforeAttributeUpdated: (name, node) => !kept(name, node), beforeNodeMorphed: (old) => !(old.matches?.("form") && old.closest("details[open]")) },
  });
}

// A menu at the right edge opens to the left.
function flip(menu) {
  menu.classList.remove("is-flipped");
  menu.classList.toggle("is-flipped", menu.getBoundingClientRect().right > page.clientWidth + page.getBoundingClientRect().left);
}

function whole() {
  if (document.fullscreenElement) document.exitFullscreen();
  else page.requestFullscreen?.();
}
