// A covered number is shown in its place: one click, and the server puts on record who looked.
import { all, csrf, one, write } from "./dom.js";
import { uncovered } from "./pop.js";
import { toast } from "./shell.js";

export function start() {
  document.addEventListener("submit", submitted, true);
}

async function submitted(event) {
  const form = event.target.closest?.("form[data-show-number]");
  if (!form) return;
  event.preventDefault();
  event.stopPropagation();
  const button = one("button", form);
  if (button.getAttribute("aria-busy") === "true") return;
  button.setAttribute("aria-busy", "true");
  const answer = await fetch(form.action, { method: "POST", body: new FormData(form), credentials: "same-origin", headers: { Accept: "application/json", "X-CSRFToken": csrf() } }).catch(() => null);
  button.removeAttribute("aria-busy");
  if (!answer?.ok) return toast(decodeURIComponent(answer?.headers.get("X-Refusal") ?? "") || one("[data-part-fault]").dataset.partFault, "error");
  show(form, (await answer.json()).shown);
}

// The number stands just before its button; that of a call at the phone stands in the head of its card too.
function show(form, whole) {
  const { kind, id } = Object.fromEntries(new FormData(form));
  if (kind === "pop") uncovered(Number(id), whole);
  const same = all("form[data-show-number]").filter((other) => other === form || (other.elements.kind.value === kind && other.elements.id.value === id));
  for (const other of same) {
    const place = other.previousElementSibling;
    if (place && /[*]/.test(place.textContent)) write(place, whole);
    other.hidden = true;
  }
}
