// Who a form is about. Enter in a search goes to the first hit; only the hit itself chooses.
import { all, fragment, morph, one, touched } from "./dom.js";
import { toast } from "./shell.js";

export function start() {
  document.addEventListener("keydown", toHits);
  document.addEventListener("click", ({ target }) => choose(target.closest("[data-party]")));
  document.addEventListener("htmx:afterSwap", ({ target }) => choose(one("[data-party][data-made]", target))); // just put on file
  document.addEventListener("keydown", toSave);
  document.addEventListener("htmx:afterSwap", () => made(one("[data-made]")));
}

function toHits(event) {
  if (event.key !== "Enter" || event.isComposing || event.ctrlKey || event.metaKey) return;
  const field = event.target.closest?.("[data-hits]");
  if (!field) return;
  event.preventDefault();
  one(".option", document.getElementById(field.dataset.hits))?.focus();
}

// Enter in the fields of a new customer creates the customer, never the ticket around them.
function toSave(event) {
  if (event.key !== "Enter" || event.isComposing || event.ctrlKey || event.metaKey || !event.target.matches?.("[data-quick]")) return;
  event.preventDefault();
  one("[data-quick-save]", event.target.closest("fieldset"))?.click();
}

// A customer or contact who was just created is the ticket's; what was typed of the ticket stays.
async function made(mark) {
  const form = mark?.closest("form");
  if (!form) return;
  const { made: party, contact } = mark.dataset;
  delete mark.dataset.made;
  const about = form.elements.pop.value ? `pop=${form.elements.pop.value}` : `party=${party}&call=${form.elements.call.value}`;
  await renew(form, `/tickets/new?${about}&contact=${contact}`);
  form.elements.subject.focus();
}

async function choose(hit) {
  if (!hit) return;
  const form = hit.closest("form");
  if (hit.dataset.device) return locate(form, hit.dataset);
  await renew(form, `/tickets/new?party=${hit.dataset.party}&call=${form.elements.call.value}`);
  (one("[name=party_id]", form) ? form.elements.subject : one("[data-hits]", form)).focus();
}

// The form is about that device, and about its customer unless a call has said who it is. What came back is chosen, whatever was before.
async function locate(form, { party, device, part = "" }) {
  const about = form.elements.pop.value ? `pop=${form.elements.pop.value}` : `party=${party}&call=${form.elements.call.value}`;
  await renew(form, `/tickets/new?${about}&device=${device}&part=${part}`);
  if (form.elements.device_id) form.elements.device_id.value = device;
  if (form.elements.component_id) form.elements.component_id.value = part;
  form.elements.subject.focus();
}

// The form's customer is another: what hangs on the customer is read again, what was typed elsewhere stays.
export async function renew(form, url) {
  const answer = await fragment(url).catch(() => ({ ok: false }));
  if (!answer.ok) return toast(answer.refusal || one("[data-part-fault]").dataset.partFault, "error");
  const fresh = new DOMParser().parseFromString(answer.html, "text/html");
  for (const block of all("[data-block]", form)) exchange(block, one(`[data-block=${block.dataset.block}]`, fresh));
}

const partyOf = (block) => one("[name=party_id]", block)?.value;

function exchange(block, fresh) {
  if (all("[type=radio]", block).some(touched)) return; // what the person set stays
  if (partyOf(block) && partyOf(block) === partyOf(fresh)) morph(block, fresh.innerHTML);
  else block.innerHTML = fresh.innerHTML;
  window.htmx.process(block);
}
