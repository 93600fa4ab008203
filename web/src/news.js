// News that is not a call at this phone: a switch that is not heard, a recording that arrived, a night that failed.
import { one, write } from "./dom.js";
import { toast } from "./shell.js";
import { say, timeOfDay } from "./words.js";

const TOLD = {
  recording({ call_id: id }) {
    const page = one("[data-call]");
    if (Number(page?.dataset.call) === id && !one("[data-player]")) location.reload();
  },
  "night-failed"() {
    if (document.body.dataset.nights) toast(say("night_failed"), "error");
  },
  // The list of who waits reads itself again, unless somebody is typing why a caller need not be called.
  missed() {
    const list = one("[data-missed]");
    if (list && !one("details[open]", list)) document.body.dispatchEvent(new CustomEvent("missed"));
  },
  // The review reads itself again, unless rows are ticked.
  patrol() {
    if (one("[data-patrols]") && !one("[data-tick]:checked")) document.body.dispatchEvent(new CustomEvent("patrol"));
  },
  forged({ switch: name }) {
    if (document.body.dataset.nights) toast(say("forged", { name }), "error");
  },
};

// The strip is painted from the page first and from the stream as soon as it speaks.
function paint(unheard) {
  const strip = one("[data-feed-strip]");
  if (!strip) return;
  const words = unheard.map(([name, since]) => say("not_heard", { name, time: timeOfDay(Date.parse(since)) }));
  write(one("[data-f=text]", strip), words.join(" "));
  strip.hidden = !words.length;
}

// Who listened is written down at the first byte; the list of plays is read again once sound runs. Media events do not bubble.
const heard = new WeakSet();
function played({ target }) {
  if (!target.closest("[data-player]") || heard.has(target)) return;
  heard.add(target);
  document.body.dispatchEvent(new CustomEvent("played"));
}

export function start() {
  document.addEventListener("playing", played, true);
  const known = one("[data-feed-strip]")?.dataset.feedStrip;
  paint(JSON.parse(known || "[]"));
}

export function told({ kind, data, unheard }) {
  if (unheard) paint(unheard);
  TOLD[kind]?.(data);
}
