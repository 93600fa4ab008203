// The recording of a call: seek in its picture, which came with the page. The server streams by Range and logs each play.
import { icon, one, all } from "./dom.js";
import { clock, say } from "./words.js";

const BARS = 400;
const FLAT = new Uint8Array(BARS).fill(5);
const STEPS = { ArrowLeft: -5, ArrowRight: 5, ArrowDown: -5, ArrowUp: 5, PageDown: -30, PageUp: 30 };

class Player {
  constructor(root) {
    this.root = root;
    this.sound = one("audio", root);
    this.wave = one(".wave", root);
    this.canvas = one("canvas", root);
    this.peaks = bytes(root.dataset.peaks);
    this.silences = JSON.parse(root.dataset.silences || "[]");
    this.pauses = JSON.parse(root.dataset.pauses || "[]"); // silent on purpose: a secret was spoken
    this.wanted = null; // where it shall begin, while nothing is loaded yet
    this.wire();
    this.show();
  }

  wire() {
    const { sound, root } = this;
    one("[data-play]", root).addEventListener("click", () => this.toggle());
    all("[data-skip]", root).forEach((button) => button.addEventListener("click", () => this.seek(this.now + Number(button.dataset.skip))));
    all("[data-rate]", root).forEach((button) => button.addEventListener("click", () => this.rate(Number(button.dataset.rate))));
    for (const event of ["play", "pause", "timeupdate", "seeked", "durationchange", "ended"]) sound.addEventListener(event, () => this.show());
    all("[data-goto]", root).forEach((button) => button.addEventListener("click", () => this.seek(Number(button.dataset.goto))));
    sound.addEventListener("loadedmetadata", () => this.loaded());
    sound.addEventListener("error", () => this.hint(say("no_sound")));
    this.wave.addEventListener("pointerdown", (event) => this.grab(event));
    this.wave.addEventListener("keydown", (event) => this.key(event));
    new ResizeObserver(() => this.draw()).observe(this.wave);
    new MutationObserver(() => this.draw()).observe(document.documentElement, { attributeFilter: ["data-bs-theme"] });
  }

  get length() {
    return Number.isFinite(this.sound.duration) ? this.sound.duration : Number(this.root.dataset.seconds) || 0;
  }

  get now() {
    return this.wanted ?? this.sound.currentTime;
  }

  toggle() {
    if (this.sound.paused) this.sound.play().catch(() => this.hint(say("no_sound")));
    else this.sound.pause();
  }

  // Nothing is fetched before the first play: who only looks has not listened.
  seek(seconds) {
    const place = Math.min(Math.max(0, seconds), this.length || 0);
    if (this.sound.readyState) this.sound.currentTime = place;
    else this.wanted = place;
    this.show();
  }

  loaded() {
    if (this.wanted !== null) this.sound.currentTime = this.wanted;
    this.wanted = null;
  }

  rate(speed) {
    this.sound.playbackRate = speed;
    all("[data-rate]", this.root).forEach((button) => button.setAttribute("aria-pressed", String(Number(button.dataset.rate) === speed)));
  }

  grab(event) {
    this.wave.setPointerCapture(event.pointerId);
    const move = ({ clientX }) => {
      const box = this.wave.getBoundingClientRect();
      this.seek(((clientX - box.left) / box.width) * this.length);
    };
    const done = () => this.wave.removeEventListener("pointermove", move);
    move(event);
    this.wave.addEventListener("pointermove", move);
    for (const end of ["pointerup", "pointercancel"]) this.wave.addEventListener(end, done, { once: true });
  }

  key(event) {
    const step = STEPS[event.key];
    if (step) this.seek(this.now + step);
    else if (event.key === "Home" || event.key === "End") this.seek(event.key === "Home" ? 0 : this.length);
    else if (event.key === " ") this.toggle();
    else return;
    event.preventDefault();
  }

  show() {
    const { sound, root } = this;
    const button = one("[data-play]", root);
    const name = sound.paused ? "player-play-filled" : "player-pause-filled";
    if (button.dataset.icon !== name) {
      button.dataset.icon = name;
      button.replaceChildren(icon(name));
      button.setAttribute("aria-label", say(sound.paused ? "play" : "pause"));
    }
    const at = clock(Math.floor(this.now));
    one("[data-f=at]", root).textContent = at;
    one("[data-f=length]", root).textContent = clock(Math.round(this.length));
    this.wave.setAttribute("aria-valuemax", String(Math.round(this.length)));
    this.wave.setAttribute("aria-valuenow", String(Math.round(this.now)));
    const quiet = within(this.pauses, this.now) ? ` · ${say("paused")}` : this.silent(this.now) ? ` · ${say("silence")}` : "";
    this.wave.setAttribute("aria-valuetext", `${at} / ${clock(Math.round(this.length))}${quiet}`);
    this.draw();
  }

  silent(second) {
    return within(this.silences, second) || within(this.pauses, second);
  }

  hint(text) {
    one(".hint", this.root).textContent = text;
  }

  draw() {
    const { canvas } = this;
    const scale = devicePixelRatio || 1;
    const width = (canvas.width = Math.max(1, Math.round(canvas.clientWidth * scale)));
    const height = (canvas.height = Math.max(1, Math.round(canvas.clientHeight * scale)));
    const pen = canvas.getContext("2d");
    const style = getComputedStyle(document.documentElement);
    const colour = (name) => style.getPropertyValue(name);
    const played = this.length ? this.now / this.length : 0;
    this.hatch(pen, width, height, scale, colour);
    const bars = fewer(this.peaks ?? FLAT, Math.max(1, Math.floor(width / (3 * scale))));
    const room = width / bars.length;
    bars.forEach((peak, i) => {
      if (this.peaks && this.silent(((i + 0.5) / bars.length) * this.length)) return;
      pen.fillStyle = colour(i / bars.length < played ? "--fill" : "--ln3");
      const tall = Math.max(2 * scale, (peak / 255) * height * 0.92);
      pen.fillRect(i * room, (height - tall) / 2, Math.max(1, room * 0.6), tall);
    });
    pen.fillStyle = colour("--red");
    pen.fillRect(Math.min(width - 2 * scale, played * width), 0, 2 * scale, height);
  }

  // Hatching means that there is no sound.
  hatch(pen, width, height, scale, colour) {
    if (!this.length) return;
    const draw = (ground, line) => ([begin, length]) => {
      const left = (begin / this.length) * width;
      const wide = Math.max(scale, (length / this.length) * width);
      pen.save();
      pen.beginPath();
      pen.rect(left, 0, wide, height);
      pen.clip();
      pen.fillStyle = colour(ground);
      pen.fillRect(left, 0, wide, height);
      pen.strokeStyle = colour(line);
      pen.lineWidth = 2 * scale;
      pen.beginPath();
      for (let x = left - height; x < left + wide; x += 7 * scale) {
        pen.moveTo(x, height);
        pen.lineTo(x + height, 0);
      }
      pen.stroke();
      pen.restore();
    };
    this.silences.forEach(draw("--mu", "--ln2"));
    this.pauses.forEach(draw("--blue-tint", "--blue-line"));
    this.pauses.forEach((pause) => this.label(pen, pause, width, height, scale, colour));
  }

  // Named where there is room; the list below names all of them.
  label(pen, [begin, length], width, height, scale, colour) {
    const text = say("paused");
    pen.font = `${12 * scale}px ${getComputedStyle(this.root).fontFamily}`;
    pen.textBaseline = "middle";
    const wide = pen.measureText(text).width;
    const middle = ((begin + length / 2) / this.length) * width;
    if (wide + 12 * scale > (length / this.length) * width) return;
    pen.fillStyle = colour("--bg");
    pen.fillRect(middle - wide / 2 - 4 * scale, height / 2 - 9 * scale, wide + 8 * scale, 18 * scale);
    pen.fillStyle = colour("--blue");
    pen.fillText(text, middle - wide / 2, height / 2 + scale);
  }
}

const within = (spans, second) => spans.some(([begin, length]) => second >= begin && second < begin + length);

function bytes(encoded) {
  return encoded ? Uint8Array.from(atob(encoded), (letter) => letter.charCodeAt(0)) : null;
}

// The loudest of each group, so that a narrow screen shows no fewer peaks than it has room for.
function fewer(peaks, most) {
  if (peaks.length <= most) return [...peaks];
  return Array.from({ length: most }, (_, i) => Math.max(...peaks.slice(Math.floor((i * peaks.length) / most), Math.max(Math.floor((i * peaks.length) / most) + 1, Math.floor(((i + 1) * peaks.length) / most)))));
}

all("[data-player]").forEach((root) => new Player(root));
