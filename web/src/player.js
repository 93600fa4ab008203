// The recording of a call: seek in a waveform made of the sound itself. The server streams it by Range and logs each play.
import { icon, one, all } from "./dom.js";
import { clock, say } from "./words.js";

const LARGEST = 48 * 1024 * 1024; // about 50 minutes; longer calls get a plain bar
const BARS = 320;

class Player {
  constructor(root) {
    this.root = root;
    this.sound = one("audio", root);
    this.wave = one(".wave", root);
    this.canvas = one("canvas", root);
    this.peaks = null;
    this.wire();
    this.show();
  }

  wire() {
    const { sound, root } = this;
    one("[data-play]", root).addEventListener("click", () => this.toggle());
    all("[data-skip]", root).forEach((button) => button.addEventListener("click", () => this.seek(sound.currentTime + Number(button.dataset.skip))));
    all("[data-rate]", root).forEach((button) => button.addEventListener("click", () => this.rate(Number(button.dataset.rate))));
    for (const event of ["play", "pause", "timeupdate", "seeked", "durationchange", "ended"]) sound.addEventListener(event, () => this.show());
    sound.addEventListener("play", () => this.hear(), { once: true });
    sound.addEventListener("error", () => this.hint(say("no_sound")));
    this.wave.addEventListener("pointerdown", (event) => this.grab(event));
    this.wave.addEventListener("keydown", (event) => this.key(event));
    new ResizeObserver(() => this.draw()).observe(this.wave);
    new MutationObserver(() => this.draw()).observe(document.documentElement, { attributeFilter: ["data-bs-theme"] });
  }

  get length() {
    return Number.isFinite(this.sound.duration) ? this.sound.duration : Number(this.root.dataset.seconds) || 0;
  }

  toggle() {
    if (this.sound.paused) this.sound.play().catch(() => this.hint(say("no_sound")));
    else this.sound.pause();
  }

  seek(seconds) {
    this.sound.currentTime = Math.min(Math.max(0, seconds), this.length || 0);
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
    move(event);
    this.wave.addEventListener("pointermove", move);
    this.wave.addEventListener("pointerup", () => this.wave.removeEventListener("pointermove", move), { once: true });
  }

  key(event) {
    const step = { ArrowLeft: -5, ArrowRight: 5, PageDown: -30, PageUp: 30 }[event.key];
    if (step) this.seek(this.sound.currentTime + step);
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
    one("[data-f=at]", root).textContent = clock(Math.floor(sound.currentTime));
    one("[data-f=length]", root).textContent = clock(Math.round(this.length));
    this.wave.setAttribute("aria-valuemax", String(Math.round(this.length)));
    this.wave.setAttribute("aria-valuenow", String(Math.round(sound.currentTime)));
    this.wave.setAttribute("aria-valuetext", clock(Math.floor(sound.currentTime)));
    this.draw();
  }

  // Decoded after the first play began, so that nothing is heard or fetched which the log does not know of.
  async hear() {
    try {
      const answer = await fetch(this.root.dataset.wave, { credentials: "same-origin" });
      if (!answer.ok || Number(answer.headers.get("Content-Length")) > LARGEST) throw new Error("too long");
      const context = new OfflineAudioContext(1, 1, 8000);
      const decoded = await context.decodeAudioData(await answer.arrayBuffer());
      this.peaks = loudness(decoded.getChannelData(0));
      this.hint("");
    } catch {
      this.hint(say("no_wave"));
    }
    this.draw();
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
    const played = this.length ? this.sound.currentTime / this.length : 0;
    const bars = this.peaks ?? new Float32Array(BARS).fill(0.02);
    const room = width / bars.length;
    bars.forEach((peak, i) => {
      pen.fillStyle = style.getPropertyValue(i / bars.length < played ? "--fill" : "--ln3");
      const tall = Math.max(2 * scale, peak * height * 0.92);
      pen.fillRect(i * room, (height - tall) / 2, Math.max(1, room * 0.6), tall);
    });
    pen.fillStyle = style.getPropertyValue("--red");
    pen.fillRect(Math.min(width - 2 * scale, played * width), 0, 2 * scale, height);
  }
}

// The loudest moment of each slice, against the loudest of the whole call.
function loudness(samples) {
  const slice = Math.max(1, Math.floor(samples.length / BARS));
  const peaks = new Float32Array(BARS);
  for (let i = 0; i < BARS; i++) {
    for (let j = i * slice; j < Math.min((i + 1) * slice, samples.length); j += 4) peaks[i] = Math.max(peaks[i], Math.abs(samples[j]));
  }
  const top = Math.max(...peaks, 0.001);
  return peaks.map((peak) => peak / top);
}

all("[data-player]").forEach((root) => new Player(root));
