// The Cartesian half of plotly.js, made before Dash asks for it. Charts stay in the house: no "Share chart", no server.
import Plotly from "plotly.js-cartesian-dist-min";
import chinese from "plotly.js-locales/zh-cn.js";

Plotly.register(chinese);
Plotly.setPlotConfig({
  showSendToCloud: false,
  plotlyServerURL: "",
  displaylogo: false,
  locale: document.documentElement.lang.startsWith("zh") ? "zh-CN" : "en-US",
});
window.Plotly = Plotly;

// Dash puts the caret back into an input that waits for Enter; a date has none, and the browser would complain.
const caret = HTMLInputElement.prototype.setSelectionRange;
HTMLInputElement.prototype.setSelectionRange = function (...span) {
  if (this.type !== "date") caret.apply(this, span);
};

// Tables come as data and are drawn here, text as text: Dash's renderer needs seconds for a thousand cells.
const TAGS = { A: "a", Link: "a", Span: "span", Progress: "progress", B: "b" };

function make(tag, className, ...children) {
  const node = document.createElement(tag);
  if (className) node.className = className;
  node.append(...children);
  return node;
}

function cell(value) {
  if (typeof value !== "object") return String(value);
  const { className, href, title, value: share, max } = value.props;
  const node = make(TAGS[value.tag] ?? "span", className, ...value.children.map(cell));
  if (href?.startsWith("/")) node.setAttribute("href", href);
  if (title) node.title = title;
  if (value.tag === "Link") node.dataset.within = "";
  if (value.tag === "Progress") Object.assign(node, { max: Number(max), value: Number(share) }).setAttribute("aria-hidden", "true");
  return node;
}

function table({ kind, heads, rows, nothing }) {
  const head = heads.map(([text, style]) => Object.assign(make("th", style, text), { scope: "col" }));
  const body = rows.map((row) => make("tr", "", ...row.map((value, at) => make("td", heads[at][1], cell(value)))));
  const empty = make("tr", "", Object.assign(make("td", "mut", nothing), { colSpan: heads.length }));
  return make("table", kind, make("thead", "", make("tr", "", ...head)), make("tbody", "", ...(rows.length || !nothing ? body : [empty])));
}

function draw() {
  for (const place of document.querySelectorAll("[data-table]")) {
    if (place.shown === place.dataset.table) continue;
    place.shown = place.dataset.table;
    place.replaceChildren(table(JSON.parse(place.shown)));
  }
}

new MutationObserver(draw).observe(document, { subtree: true, childList: true, attributes: true, attributeFilter: ["data-table"] });

// A link within the boards changes the address; Dash hears that and draws the page anew.
document.addEventListener("click", (event) => {
  const link = event.target.closest?.("a[data-within]");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  history.pushState({}, "", link.href);
  dispatchEvent(new CustomEvent("_dashprivate_pushstate"));
});
