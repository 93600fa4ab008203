// The Cartesian half of plotly.js, made before Dash asks for it. Charts stay in the house: no "Share chart", no server.
import Plotly from "plotly.js-cartesian-dist-min";
import chinese from "plotly.js-locales/zh-cn.js";

Plotly.register(chinese);
Plotly.setPlotConfig({
  showSendToCloud: false,
  plotlyServerURL: "",
  displaylogo: false,
  locale: document.documentElement.lang.startsWith("zh") ? "zh-CN" : "en-US",
});
window.Plotly = Plotly;

// Dash puts the caret back into an input that waits for Enter; a date has none, and the browser would complain.
const caret = HTMLInputElement.prototype.setSelectionRange;
HTMLInputElement.prototype.setSelectionRange = function (...span) {
  if (this.type !== "date") caret.apply(this, span);
};
