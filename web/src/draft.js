// What is half-typed survives a reload and a walk to another page; it dies with the tab and with the sign-out.
import { all, one } from "./dom.js";

const key = (name) => `draft:${document.body.dataset.person}:${name}`;
const fields = (root) => all("input[name]:not([type=hidden]):not([type=password]), textarea[name], select[name]", root);

export function keepDraft(root, name) {
  root.addEventListener("input", () => write(root, name));
  root.addEventListener("change", () => write(root, name));
}

function write(root, name) {
  const form = root.matches("form") ? root : one("form[data-draft]", root);
  if (!form) return;
  const before = read(name);
  const draft = fields(form).map((node) => [nameOf(node), { now: now(node), from: before[nameOf(node)]?.from ?? proposed(node) }]);
  sessionStorage.setItem(key(name), JSON.stringify(Object.fromEntries(draft)));
}

const read = (name) => JSON.parse(sessionStorage.getItem(key(name)) || "{}");
const nameOf = (node) => (node.type === "checkbox" ? `${node.name}=${node.value}` : node.name);
const group = (node) => all(`[type=radio][name="${CSS.escape(node.name)}"]`, node.form);

function now(node) {
  if (node.type === "radio") return group(node).find((radio) => radio.checked)?.value ?? "";
  return node.type === "checkbox" ? node.checked : node.value;
}

// What the page said before anybody typed.
function proposed(node) {
  if (node.type === "radio") return group(node).find((radio) => radio.defaultChecked)?.value ?? "";
  if (node.type === "checkbox") return node.defaultChecked;
  return node.tagName === "SELECT" ? [...node.options].find((option) => option.defaultSelected)?.value ?? "" : node.defaultValue;
}

// A field whose proposal is another than the one that was typed over keeps its proposal.
export function restoreDraft(root, name) {
  const draft = read(name);
  for (const node of fields(root)) {
    const kept = draft[nameOf(node)];
    if (kept && kept.from === proposed(node)) put(node, kept.now);
  }
}

function put(node, value) {
  if (node.type === "radio") node.checked = node.value === value;
  else if (node.type === "checkbox") node.checked = value;
  else if (node.tagName !== "SELECT") node.value = value;
  else if ([...node.options].some((option) => option.value === value)) Object.assign(node, { value }).dataset.touched = "1";
}

export function dropDraft(name) {
  sessionStorage.removeItem(key(name));
}

// Calls whose form is open on the desk, so that a reload finds them again.
export function keepCalls(pops) {
  sessionStorage.setItem(key("calls"), JSON.stringify(pops));
}

export function keptCalls() {
  return JSON.parse(sessionStorage.getItem(key("calls")) || "[]");
}

export function forgetDrafts() {
  sessionStorage.clear();
}
