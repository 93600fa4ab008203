// The one EventSource on /live. It reconnects by itself with Last-Event-ID; each connection begins with a snapshot,
// so a missed event can never leave a stale card. `tell` hears {type: "news" | "link", ...}.
import { KINDS, forget, hear, hearing, ownAgent } from "./live-state.js";

const RETRY = 3000;
const SILENT = 40000; // the server beats every 15 s; two missed and the link is taken for dead

export class Stream {
  constructor(url, tell) {
    Object.assign(this, { url, tell, pops: new Map(), unheard: null, agent: null, up: false, good: 0, seen: new Set(), source: null, timer: 0 });
    setInterval(() => this.watch(), 5000);
  }

  open() {
    this.source?.close();
    clearTimeout(this.timer);
    const source = (this.source = new EventSource(this.url));
    source.onopen = () => this.link(true);
    source.onerror = () => this.lost(source);
    for (const kind of KINDS) source.addEventListener(kind, (event) => this.news(kind, event));
  }

  // A refused stream (signed out, server stopped) is not retried by the browser: ask again ourselves.
  lost(source) {
    this.link(false);
    if (source.readyState !== EventSource.CLOSED) return;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.open(), RETRY); // the snapshot at its start makes up for what was missed
  }

  link(up) {
    if (up) this.good = Date.now();
    if (up !== this.up) this.beats = false;
    this.up = up;
    this.tell({ type: "link", up, good: this.good });
  }

  watch() {
    if (this.up && this.beats && Date.now() - this.good > SILENT) return this.open(), this.link(false);
    const before = this.pops.size;
    if (forget(this.pops, Date.now()).size !== before) this.tell(this.state("tidy", {}));
  }

  news(kind, event) {
    this.good = Date.now();
    if (kind === "beat") return void (this.beats = true);
    if (kind === "resync") return this.open();
    if (kind === "blind") return this.link(false); // the server itself hears nothing; it says resync when it does
    if (event.lastEventId && this.twice(kind, event.lastEventId)) return;
    const data = event.data ? JSON.parse(event.data) : {};
    hear(this.pops, kind, data);
    this.unheard = hearing(this.unheard, kind, data);
    this.agent = ownAgent(this.agent, kind, data);
    this.tell(this.state(kind, data));
  }

  // Replay after a reconnect overlaps on purpose; ids already heard are dropped. A snapshot's id is a place and no event:
  // what happened while the snapshot was read may have that very id and still be on its way.
  twice(kind, id) {
    if (kind === "snapshot") return false;
    if (!this.seen.has(id)) return void this.remember(id);
    return true;
  }

  remember(id) {
    this.seen.add(id);
    if (this.seen.size > 500) this.seen.delete(this.seen.values().next().value);
  }

  drop(id) {
    if (this.pops.delete(id)) this.tell(this.state("tidy", {}));
  }

  state(kind, data) {
    return { type: "news", kind, data, pops: [...this.pops.values()], unheard: this.unheard, agent: this.agent };
  }
}
