// The position of whoever stands at a site goes into two fields; a picture is sent as soon as it is chosen; coordinates are copied.
import { all, one } from "./dom.js";

const form = one("[data-place]");
if (form) {
  const button = one("[data-locate]", form);
  const hint = one("[data-locate-hint]", form);
  button.addEventListener("click", () => locate(button, hint));
}

function locate(button, hint) {
  const words = button.dataset;
  if (!window.isSecureContext || !navigator.geolocation) return say(hint, words.insecure);
  button.setAttribute("aria-busy", "true");
  say(hint, words.asking);
  navigator.geolocation.getCurrentPosition(
    ({ coords }) => {
      button.removeAttribute("aria-busy");
      one("[name=latitude]", form).value = coords.latitude.toFixed(6);
      one("[name=longitude]", form).value = coords.longitude.toFixed(6);
      const within = one("[name=accuracy]", form);
      if (within) within.value = String(Math.round(coords.accuracy));
      say(hint, words.taken.replace("{metres}", Math.max(1, Math.round(coords.accuracy))));
      if (form.hasAttribute("data-at-once")) form.requestSubmit();
    },
    (error) => {
      button.removeAttribute("aria-busy");
      say(hint, error.code === 1 ? words.refused : words.failed);
    },
    { enableHighAccuracy: true, timeout: 20000, maximumAge: 10000 },
  );
}

function say(hint, text) {
  hint.textContent = text;
  hint.hidden = false;
}

all("[data-send-at-once]").forEach((field) => field.addEventListener("change", () => {
  if (!field.files.length) return;
  field.closest("form").requestSubmit();
  field.closest("label").setAttribute("aria-busy", "true");
}));

all("[data-copy]").forEach((button) => button.addEventListener("click", async () => {
  const done = one("[data-copied]", button.parentElement);
  if (await copied(button.dataset.copy)) {
    done.hidden = false;
    setTimeout(() => { done.hidden = true; }, 2000);
  }
}));

// On plain http there is no clipboard to ask for; a selection can still be copied.
async function copied(text) {
  if (navigator.clipboard) return navigator.clipboard.writeText(text).then(() => true, () => false);
  const field = Object.assign(document.createElement("textarea"), { value: text, className: "vh" });
  document.body.append(field);
  field.select();
  const done = document.execCommand("copy");
  field.remove();
  return done;
}

// A patrol is sent without leaving the page: when the link is lost, everything typed and photographed is still there to be sent again,
// under the same key, so that the office has it once.
const LONG_SIDE = 2400, HEAVY = 12 << 20;
const kept = one("[data-keeps]");
if (kept) kept.addEventListener("submit", (event) => {
  event.preventDefault();
  if (kept.hasAttribute("aria-busy")) return;
  send(kept);
});

async function send(form) {
  const refusal = one("[data-refusal]", form);
  form.setAttribute("aria-busy", "true");
  refusal.hidden = true;
  const words = await answered(form);
  form.removeAttribute("aria-busy");
  if (!words) return;
  say(refusal, words);
  refusal.scrollIntoView({ block: "center" });
}

// The words that refuse it; nothing once the next page opens.
async function answered(form) {
  try {
    const answer = await fetch(form.action, { method: "POST", body: await light(new FormData(form)), headers: { Accept: "application/json" } });
    if (answer.status === 401) return form.dataset.signedOut;
    const told = answer.headers.get("Content-Type")?.startsWith("application/json") ? await answer.json() : {};
    if (!answer.ok) return told.message || form.dataset.lost;
    location.assign(told.next);
    return "";
  } catch {
    return form.dataset.lost;
  }
}

// Pictures that are too heavy together are made smaller here; the position of the visit travels beside them.
async function light(data) {
  const shots = data.getAll("picture").filter((file) => file.size);
  data.delete("picture");
  const heavy = shots.reduce((sum, file) => sum + file.size, 0) > HEAVY;
  for (const file of shots) data.append("picture", heavy ? await smaller(file) : file, file.name);
  return data;
}

async function smaller(file) {
  const image = await createImageBitmap(file).catch(() => null);
  if (!image) return file;
  const scale = Math.min(1, LONG_SIDE / Math.max(image.width, image.height));
  const canvas = Object.assign(document.createElement("canvas"), { width: Math.round(image.width * scale), height: Math.round(image.height * scale) });
  canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
  return new Promise((done) => canvas.toBlob((blob) => done(blob || file), "image/jpeg", 0.82));
}

all("[data-shots]").forEach((field) => field.addEventListener("change", () => {
  const count = one("[data-shot-count]", field.form);
  count.textContent = field.dataset.shots.replace("{n}", field.files.length);
  count.hidden = !field.files.length;
}));
