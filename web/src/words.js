// Sentences and clocks of the page's language; the server hands the sentences over as a JSON block.
const block = document.getElementById("words");
const words = block ? JSON.parse(block.textContent) : {};
const served = Date.parse(document.documentElement.dataset.now || "");
const skew = Number.isNaN(served) ? 0 : Date.now() - served;

export function say(key, values = {}) {
  return (words[key] ?? key).replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "");
}

// Seconds until a moment of the server, by the server's clock; negative once it has passed.
export function until(moment) {
  return Math.floor((Date.parse(moment) - Date.now() + skew) / 1000);
}

// Seconds since a moment of the server, by the server's clock.
export function since(moment) {
  return Math.max(0, Math.floor((Date.now() - skew - Date.parse(moment)) / 1000));
}

export function clock(seconds) {
  const two = (number) => String(number).padStart(2, "0");
  const hours = Math.floor(seconds / 3600);
  const rest = `${two(Math.floor((seconds % 3600) / 60))}:${two(seconds % 60)}`;
  return hours ? `${hours}:${rest}` : rest;
}

export function timeOfDay(milliseconds) {
  return new Date(milliseconds).toLocaleTimeString("en-GB", { timeZone: document.documentElement.dataset.zone || undefined });
}
