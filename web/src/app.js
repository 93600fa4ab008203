// Every page: htmx without eval, our shell, and for a signed-in person the calls at their phone.
import htmx from "htmx.org";
import * as agent from "./agent.js";
import * as choice from "./choice.js";
import * as desk from "./desk.js";
import { csrf, one } from "./dom.js";
import * as list from "./list.js";
import { listen } from "./live.js";
import * as imports from "./imports.js";
import * as news from "./news.js";
import * as passkey from "./passkey.js";
import * as number from "./number.js";
import * as pop from "./pop.js";
import * as secret from "./secret.js";
import * as shell from "./shell.js";
import * as wallboard from "./wallboard.js";

htmx.config.allowEval = false;
htmx.config.includeIndicatorStyles = false;
htmx.config.historyCacheSize = 0; // customers' data stays out of localStorage
htmx.config.refreshOnHistoryMiss = true; // the way back is a page of its own
htmx.config.defaultSettleDelay = 0; // what arrives listens at once: nothing typed into it in the first moment is lost
htmx.config.responseHandling = [
  { code: "204", swap: false },
  { code: "[23]..", swap: true },
  { code: "422", swap: true },
  { code: "...", swap: false, error: true },
];
window.htmx = htmx;

document.addEventListener("htmx:configRequest", ({ detail }) => { detail.headers["X-CSRFToken"] = csrf(); });
document.addEventListener("htmx:responseError", ({ detail }) => {
  const sentence = detail.xhr.getResponseHeader("X-Refusal");
  shell.toast(sentence ? decodeURIComponent(sentence) : one("[data-part-fault]")?.dataset.partFault ?? "", "error");
});
document.addEventListener("htmx:afterRequest", ({ detail }) => detail.elt.querySelectorAll?.("[aria-busy=true]").forEach((node) => node.removeAttribute("aria-busy")));

shell.start();
choice.start();
list.start();
news.start();
agent.start();
number.start();
secret.start();
imports.start();
passkey.start();
wallboard.start();

const { staff, worker } = document.body.dataset;
if (staff) {
  shell.link({ up: false });
  const live = listen({ worker, staff }, (message) => {
    if (message.type === "link") return shell.link(message, agent.stale);
    news.told(message);
    pop.draw(desk.withKept(message.pops), desk.busyWith);
    desk.reopen();
    agent.told(message);
    secret.told(message);
    wallboard.told(message);
  });
  desk.start(live);
  document.addEventListener("desk:ticket", () => {
    if (one("[data-desk]")) return desk.openForm();
    if (pop.currentId()) location.assign(`/desk#pop=${pop.currentId()}`);
  });
}
