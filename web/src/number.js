// A covered number is shown in its place: one click, and the server puts on record who looked.
import { all, csrf, one, write } from "./dom.js";
import { uncovered } from "./pop.js";
import { toast } from "./shell.js";

export function start() {
  document.addEventListener("click", clicked);
}

async function clicked({ target }) {
  const button = target.closest?.("[data-show-number]");
  if (!button || button.getAttribute("aria-busy") === "true") return;
  button.setAttribute("aria-busy", "true");
  const { showNumber: kind, of: id } = button.dataset;
  const headers = { Accept: "application/json", "X-CSRFToken": csrf() };
  const answer = await fetch("/numbers/show", { method: "POST", body: new URLSearchParams({ kind, id }), credentials: "same-origin", headers }).catch(() => null);
  button.removeAttribute("aria-busy");
  if (!answer?.ok) return toast(decodeURIComponent(answer?.headers.get("X-Refusal") ?? "") || one("[data-part-fault]").dataset.partFault, "error");
  show(kind, id, (await answer.json()).shown);
}

// The number stands just before its button, perhaps in several places; that of a call at the phone in the head of its card too.
function show(kind, id, whole) {
  for (const button of all(`[data-show-number="${kind}"][data-of="${CSS.escape(id)}"]`)) {
    const place = button.previousElementSibling;
    if (place?.textContent.includes("*")) write(place, whole);
    button.hidden = true;
  }
  if (kind === "pop") uncovered(Number(id), whole);
}
