// Runs before the first paint: the page never flashes in the wrong colours.
// <html data-theme> is the person's choice: auto, light or dark.
const root = document.documentElement;
const dark = matchMedia("(prefers-color-scheme: dark)");

function paint() {
  const choice = root.dataset.theme || "auto";
  root.dataset.bsTheme = choice === "auto" ? (dark.matches ? "dark" : "light") : choice;
  // Boards draw their charts on the server: it must know how wide and how dark this window is.
  document.cookie = `view=${innerWidth}.${root.dataset.bsTheme}; path=/; samesite=lax`;
}

paint();
dark.addEventListener("change", paint);
addEventListener("resize", paint);
new MutationObserver(paint).observe(root, { attributeFilter: ["data-theme"] });
