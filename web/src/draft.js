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
  const values = fields(form).map((field) => [field.name, field.type === "checkbox" || field.type === "radio" ? [field.value, field.checked] : field.value]);
  sessionStorage.setItem(key(name), JSON.stringify(values));
}

export function restoreDraft(root, name) {
  const kept = JSON.parse(sessionStorage.getItem(key(name)) || "[]");
  for (const [field, value] of kept) {
    const nodes = all(`[name="${CSS.escape(field)}"]`, root).filter((node) => node.type !== "hidden");
    for (const node of nodes) put(node, value);
  }
}

function put(node, value) {
  if (Array.isArray(value)) {
    if (node.value === value[0]) node.checked = value[1];
  } else if (node.tagName !== "SELECT" || [...node.options].some((option) => option.value === value)) {
    node.value = value;
    if (node.tagName === "SELECT") node.dataset.touched = "1";
  }
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
