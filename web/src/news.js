// News that is not a call at this phone: a switch that is not heard, a recording that arrived, a night that failed.
import { one } from "./dom.js";
import { toast } from "./shell.js";
import { say, timeOfDay } from "./words.js";

const silent = new Map(); // switch -> since when it is not heard

const TOLD = {
  feed({ switch: name, up, since }) {
    if (up) silent.delete(name);
    else silent.set(name, since);
    paint();
  },
  recording({ call_id: id }) {
    const page = one("[data-call]");
    if (Number(page?.dataset.call) === id && !one("[data-player]")) location.reload();
  },
  "night-failed"() {
    if (document.body.dataset.nights) toast(say("night_failed"), "error");
  },
};

function paint() {
  const strip = one("[data-feed-strip]");
  if (!strip) return;
  const words = [...silent].map(([name, since]) => say("not_heard", { name, time: timeOfDay(Date.parse(since)) }));
  one("[data-f=text]", strip).textContent = words.join(" ");
  strip.hidden = !words.length;
}

export function start() {
  const known = one("[data-feed-strip]")?.dataset.feedStrip;
  for (const [name, since] of JSON.parse(known || "[]")) silent.set(name, since);
  paint();
}

export function told({ kind, data }) {
  TOLD[kind]?.(data);
}
