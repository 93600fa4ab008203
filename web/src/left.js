// Limits count down without a reload, in the same steps and words as the server writes them.
import { all, one, write } from "./dom.js";
import { say, until } from "./words.js";

const kindOf = (left) => (left < 0 ? "over" : left < 900 ? "now" : left < 7200 ? "soon" : "calm");

export function count() {
  all(".left-time[data-due]").forEach(draw);
}

function draw(node) {
  const left = until(node.dataset.due);
  const kind = kindOf(left);
  if (!node.classList.contains(kind)) node.className = `left-time ${kind}`;
  write(one("[data-f=words]", node), say(left < 0 ? "time_over" : "time_left", { time: length(Math.abs(left)) }));
  const whole = Math.max(left - until(node.dataset.began), 1);
  const share = String(Math.round((100 * Math.max(left, 0)) / whole));
  const bar = one(".gauge rect", node);
  if (bar.getAttribute("width") !== share) bar.setAttribute("width", share);
}

function length(seconds) {
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return say("minutes", { m: minutes });
  if (minutes < 2880) return say("hours", { h: Math.floor(minutes / 60), m: String(minutes % 60).padStart(2, "0") });
  return say("days", { d: Math.floor(minutes / 1440), h: Math.floor((minutes % 1440) / 60) });
}
