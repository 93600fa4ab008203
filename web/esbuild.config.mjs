// Bundles every entry into service/static/dist with hashed names, writes manifest.json (entry -> file),
// the sprite of the icons that are used, and a .gz beside each file that a browser asks for.
import { build } from "esbuild";
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

const here = dirname(fileURLToPath(import.meta.url));
const out = join(here, "..", "service", "static", "dist");

// Scripts are classic (iife): a SharedWorker and a page without modules read the same files.
const entries = {
  app: "src/app.js",
  "live-worker": "src/live-worker.js",
  player: "src/player.js",
  place: "src/place.js",
  scan: "src/scan.js",
  plotly: "src/plotly.js",
  theme: "src/theme.js",
  desk: "src/desk.css",
  boards: "src/boards.css",
};

const hashed = (name, bytes) => {
  const dot = name.lastIndexOf(".");
  const mark = createHash("sha256").update(bytes).digest("hex").slice(0, 8).toUpperCase();
  return `${name.slice(0, dot)}-${mark}${name.slice(dot)}`;
};

function sprite() {
  const wanted = JSON.parse(readFileSync(join(here, "icons.json"), "utf8"));
  const set = JSON.parse(readFileSync(join(here, "node_modules/@iconify-json/tabler/icons.json"), "utf8"));
  const symbols = wanted.map((name) => {
    const icon = set.icons[name];
    if (!icon) throw new Error(`icons.json names "${name}", which Tabler does not have.`);
    return `<symbol id="${name}" viewBox="0 0 24 24">${icon.body}</symbol>`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg">${symbols.join("")}</svg>`;
}

rmSync(out, { recursive: true, force: true });
mkdirSync(out, { recursive: true });

const result = await build({
  absWorkingDir: here,
  entryPoints: entries,
  outdir: out,
  bundle: true,
  minify: true,
  format: "iife",
  target: ["chrome109", "firefox115", "safari16.4"],
  entryNames: "[name]-[hash]",
  assetNames: "[name]-[hash]",
  loader: { ".woff2": "file", ".svg": "file" },
  legalComments: "none",
  logLevel: "warning",
  metafile: true,
});

const manifest = {};
for (const [file, info] of Object.entries(result.metafile.outputs)) {
  if (!info.entryPoint) continue;
  const entry = Object.keys(entries).find((name) => entries[name] === info.entryPoint);
  const suffix = file.slice(file.lastIndexOf("."));
  manifest[entry + suffix] = basename(file);
}

const icons = sprite();
manifest["icons.svg"] = hashed("icons.svg", icons);
writeFileSync(join(out, manifest["icons.svg"]), icons);
const copies = { "favicon.svg": "src/favicon.svg", "zxing_reader.wasm": "node_modules/zxing-wasm/dist/reader/zxing_reader.wasm" };
for (const [name, source] of Object.entries(copies)) {
  const bytes = readFileSync(join(here, source));
  manifest[name] = hashed(name, bytes);
  writeFileSync(join(out, manifest[name]), bytes);
}
for (const name of readdirSync(out)) {
  if (/\.(js|css|svg|wasm)$/.test(name)) writeFileSync(join(out, `${name}.gz`), gzipSync(readFileSync(join(out, name)), { level: 9 }));
}
const sorted = Object.fromEntries(Object.entries(manifest).sort());
writeFileSync(join(out, "manifest.json"), JSON.stringify(sorted, null, 1) + "\n");
