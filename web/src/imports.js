// A table is dropped or chosen; while it is sent the page says how far it is, and a refusal stands where the file was.
import { csrf, one, write } from "./dom.js";

export function start() {
  const form = one("[data-bring]");
  if (!form) return;
  const zone = one("[data-drop]", form);
  const input = one("input[type=file]", zone);
  input.addEventListener("change", () => named(form, input));
  zone.addEventListener("dragover", (event) => { event.preventDefault(); zone.classList.add("over"); });
  zone.addEventListener("dragleave", () => zone.classList.remove("over"));
  zone.addEventListener("drop", (event) => {
    event.preventDefault();
    zone.classList.remove("over");
    if (event.dataTransfer.files.length) { input.files = event.dataTransfer.files; named(form, input); }
  });
  form.addEventListener("submit", (event) => { event.preventDefault(); send(form); });
}

function named(form, input) {
  const file = input.files[0];
  if (file) write(one("[data-name]", form), `${file.name} · ${file.size < 1048576 ? `${Math.ceil(file.size / 1024)} kB` : `${(file.size / 1048576).toFixed(1)} MB`}`);
  refuse(form, "");
}

function refuse(form, sentence) {
  const place = one("[data-wrong]", form);
  place.hidden = !sentence;
  write(one("span", place), sentence);
}

function send(form) {
  const button = one("button.primary", form);
  if (button.disabled) return;
  const request = new XMLHttpRequest();
  const bar = one("[data-sending]", form);
  const share = (part) => { one("progress", bar).value = part; write(one("[data-share]", bar), `${part}%`); };
  const ended = (sentence) => { bar.hidden = true; button.disabled = false; if (sentence) refuse(form, sentence); };
  request.open("POST", form.action);
  request.setRequestHeader("X-CSRFToken", csrf());
  request.setRequestHeader("Accept", "text/html");
  request.upload.addEventListener("progress", (event) => { if (event.lengthComputable) share(Math.floor((100 * event.loaded) / event.total)); });
  request.addEventListener("load", () => {
    if (request.status < 400) return location.assign(request.responseURL);
    ended(decodeURIComponent(request.getResponseHeader("X-Refusal") ?? "") || form.dataset.fault);
  });
  request.addEventListener("error", () => ended(one("[data-part-fault]")?.dataset.partFault ?? ""));
  button.disabled = true;
  bar.hidden = false;
  share(0);
  refuse(form, "");
  request.send(new FormData(form));
}
