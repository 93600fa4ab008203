// What a label says, by camera, by photo or by a hardware scanner that types: each fills the field and sends it.
import { BarcodeDetector, prepareZXingModule } from "barcode-detector/ponyfill";
import { one } from "./dom.js";

const root = one("[data-scan]");
const field = one("[name=code]", root);
const hint = one("[data-scan-hint]", root);
const video = one("video", root);
const start = one("[data-camera]", root);
const FORMATS = ["qr_code", "data_matrix", "code_128", "code_39", "ean_13", "ean_8"];
const LONG_SIDE = 1800; // of a photo; a code that fills a fifth of it is still read

prepareZXingModule({ overrides: { locateFile: () => root.dataset.wasm } });
const detector = new BarcodeDetector({ formats: FORMATS });
const words = (name) => root.dataset[name];
let stream = null;

function say(name) {
  hint.textContent = words(name);
  hint.hidden = false;
}

function found(text) {
  field.value = text;
  stop();
  say("found");
  field.form.requestSubmit();
}

async function first(source) {
  const hits = await detector.detect(source);
  return hits.map((hit) => hit.rawValue.trim()).find(Boolean);
}

// ---- camera

async function open() {
  if (!window.isSecureContext || !navigator.mediaDevices) return say("insecure");
  try {
    stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment", width: { ideal: 1280 } }, audio: false });
  } catch (error) {
    return say(error.name === "NotAllowedError" ? "refused" : "nocamera");
  }
  video.srcObject = stream;
  await video.play();
  root.classList.add("is-looking");
  start.hidden = true;
  say("looking");
  look();
}

async function look() {
  while (stream) {
    const text = await first(video).catch(() => undefined);
    if (!stream) return;
    if (text) return found(text);
    await new Promise((then) => setTimeout(then, 150));
  }
}

function stop() {
  stream?.getTracks().forEach((track) => track.stop());
  stream = null;
  root.classList.remove("is-looking");
  start.hidden = false;
}

// ---- photo

async function photo(file) {
  say("reading");
  const text = await read(file).catch(() => null);
  if (text) return found(text);
  say(text === null ? "nopicture" : "nocode");
}

async function read(file) {
  const whole = await createImageBitmap(file);
  const scale = Math.min(1, LONG_SIDE / Math.max(whole.width, whole.height));
  return (await first(drawn(whole, scale))) ?? (scale < 1 ? await first(drawn(whole, 1)) : undefined);
}

function drawn(image, scale) {
  const canvas = Object.assign(document.createElement("canvas"), { width: Math.round(image.width * scale), height: Math.round(image.height * scale) });
  const pen = canvas.getContext("2d", { willReadFrequently: true });
  pen.drawImage(image, 0, 0, canvas.width, canvas.height);
  return pen.getImageData(0, 0, canvas.width, canvas.height);
}

start.addEventListener("click", open);
one("[data-photo]", root).addEventListener("change", ({ target }) => { if (target.files[0]) photo(target.files[0]); target.value = ""; });
addEventListener("pagehide", stop);
