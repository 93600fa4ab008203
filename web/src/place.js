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
