// What one agent's phones are doing, rebuilt from news. Pure: a Map in, the same Map changed by one event.

const FOLDED = { "pop-answered": "answered", "pop-gone": "gone" };

export function hear(pops, kind, data) {
  if (kind === "snapshot") return snapshot(pops, data.pops || []);
  if (kind === "pop") pops.set(data.pop_id, { state: "ringing", ...data });
  const pop = pops.get(data.pop_id);
  if (!pop) return pops;
  if (kind === "pop-talking") Object.assign(pop, { state: "talking", talking_at: data.at });
  if (kind === "pop-ended") Object.assign(pop, { state: "ended", ended_at: data.at });
  if (kind === "pop-party") Object.assign(pop, { party_id: data.party_id, matches: data.matches });
  if (kind in FOLDED) Object.assign(pop, { state: FOLDED[kind], by: data.by, reason: data.reason, folded_at: Date.now() });
  return pops;
}

// The server's list is the truth: calls it no longer names are over, whatever news was missed.
function snapshot(pops, rows) {
  const named = new Set(rows.map((row) => row.pop_id));
  for (const [id, pop] of pops) {
    if (named.has(id)) continue;
    if (pop.state === "talking") Object.assign(pop, { state: "ended" });
    if (pop.state === "ringing") Object.assign(pop, { state: "gone", folded_at: Date.now() });
  }
  for (const row of rows) pops.set(row.pop_id, { ...pops.get(row.pop_id), ...row });
  return pops;
}

// Which switches are not heard: the snapshot names them all, news changes one. null means nobody has said yet.
export function hearing(unheard, kind, data) {
  if (kind === "snapshot") return data.unheard ?? unheard;
  if (kind !== "feed") return unheard;
  const others = (unheard ?? []).filter(([name]) => name !== data.switch);
  return data.up ? others : [...others, [data.switch, data.since]];
}

// The person's own state at their phone, as last told.
export function ownAgent(agent, kind, data) {
  if (kind === "snapshot") return data.agent ?? null;
  return kind === "agent" ? data : agent;
}

// Folded cards have said what they had to say; ended ones stay until the agent puts them away.
export function forget(pops, now, keep = 8000) {
  for (const [id, pop] of pops) {
    if (pop.folded_at && now - pop.folded_at > keep) pops.delete(id);
    if (pop.state === "ended" && now - (pop.closed_at ??= now) > 30 * 60000) pops.delete(id);
  }
  return pops;
}

export const KINDS = ["snapshot", "pop", "pop-talking", "pop-answered", "pop-gone", "pop-ended", "pop-party", "resync", "blind", "beat", "feed", "agent", "order", "recording-pause", "floor", "recording", "night-failed", "forged", "missed", "patrol"];
