// Small verbs for the page.
import { Idiomorph } from "idiomorph";

export const one = (selector, root = document) => root.querySelector(selector);
export const all = (selector, root = document) => [...root.querySelectorAll(selector)];

// A text that stays as it is is left alone: who listens to the page hears only what changed.
export function write(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

export function csrf() {
  return one("meta[name=csrf-token]")?.content ?? "";
}

export function clone(id) {
  return document.getElementById(id).content.firstElementChild.cloneNode(true);
}

export function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  use.setAttribute("href", `${document.documentElement.dataset.icons}#${name}`);
  svg.append(use);
  return svg;
}

// A field the person has touched keeps what was typed, whatever the server sends for its neighbours.
export const touched = (node) =>
  (node.matches?.("input:not([type=hidden]), textarea") && node.value !== node.defaultValue && node.type !== "checkbox" && node.type !== "radio") ||
  (node.matches?.("input[type=checkbox], input[type=radio]") && node.checked !== node.defaultChecked) ||
  (node.matches?.("select") && node.dataset.touched === "1") ||
  node === document.activeElement && node.matches?.("input, textarea, select");

export function morph(target, html) {
  Idiomorph.morph(target, html, {
    morphStyle: "innerHTML",
    callbacks: { beforeNodeMorphed: (old) => !touched(old) && !old.matches?.("[data-found]") }, // hits belong to what was typed
  });
}

export async function fragment(url, options = {}) {
  const headers = { "HX-Request": "true", "X-CSRFToken": csrf(), ...options.headers };
  const answer = await fetch(url, { credentials: "same-origin", ...options, headers });
  const refusal = decodeURIComponent(answer.headers.get("X-Refusal") ?? "");
  return { ok: answer.ok, status: answer.status, html: await answer.text(), url: answer.url, refusal };
}
