// Turns the charts that Python defined (see _charts.py) into plotly's traces. Nothing here knows what a chart means.
// All scripts of the page run inside one function (see template.html): what stands at the top of one is known to the next.
const { charts, styles } = JSON.parse(document.getElementById("payload").textContent);
const root = document.documentElement;
const systemDark = matchMedia("(prefers-color-scheme: dark)");
const coarse = matchMedia("(pointer: coarse)"); // a finger on a chart should scroll the page, not zoom
const hidden = new Set();
let revision = 1; // while this (never 0) stays the same, plotly keeps the zoom through a redraw
const byId = (id) => document.getElementById(id);
const PRINT = { width: 325, height: 172 }; // CSS pixels: five figures fill one A4 or Letter page
const EXPORT = { width: 900, height: 560 };
const LIGHT = { ink: "#1b1e24", soft: "#555c68", rule: "#b9b5ab", grid: "#e9e6df", paper: "#ffffff" };

// ---- colours ----
const isDark = () => root.dataset.theme === "dark" || (root.dataset.theme !== "light" && systemDark.matches);
const pageColours = () => {
  const css = getComputedStyle(root);
  const value = (name) => css.getPropertyValue(name).trim();
  return Object.fromEntries(Object.keys(LIGHT).map((name) => [name, value(`--${name}`)]));
};

// ---- traces ----
// plotly reads its texts as a kind of HTML, and names come from recipes.
const escapeText = (text) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");

const isShown = (series) =>
  !hidden.has(series.arm) &&
  (series.kind === "minibatch" ? byId("minibatch").checked : series.best || byId("all-rates").checked);

const symbols = (series, marker) => {
  const list = series.x.map(() => marker);
  const last = series.y.findLastIndex((value) => value !== null);
  if (series.status !== "finished" && last >= 0) list[last] = series.status === "diverged" ? "x" : `${marker}-open`;
  return list;
};

const faded = (hex, alpha) => `rgba(${[1, 3, 5].map((i) => parseInt(hex.slice(i, i + 2), 16)).join(", ")}, ${alpha})`;
const isBanded = (series) => series.best && series.low.length > 0;

// From the least to the largest of the seeds, around their mean: there along the top, and back along the bottom.
const band = (series, dark) => {
  const style = styles[series.arm];
  const places = series.x.map((_, index) => index).filter((index) => series.low[index] !== null);
  const back = [...places].reverse();
  return {
    x: [...places, ...back].map((index) => series.x[index]),
    y: [...places.map((index) => series.high[index]), ...back.map((index) => series.low[index])],
    type: "scatter", mode: "lines", fill: "toself", line: { width: 0 }, hoverinfo: "skip", showlegend: false,
    fillcolor: faded(dark ? style.dark : style.light, 0.18),
  };
};

const law = (series, index) => ({
  x: series.x, y: series.y, name: escapeText(series.label), type: "scatter", mode: "lines", hoverinfo: "name",
  line: { color: pageColours().soft, width: 1, dash: ["solid", "dash", "dot"][index % 3] },
});

const traces = (chart, dark) => {
  const shown = chart.series.filter(isShown);
  const laws = shown.filter((series) => series.kind === "law").map(law);
  const bands = shown.filter(isBanded).map((series) => band(series, dark));
  return [...laws, ...bands, ...shown.filter((series) => series.kind !== "law").map((series) => trace(series, chart, dark))];
};

const trace = (series, chart, dark) => {
  const style = styles[series.arm];
  const color = dark ? style.dark : style.light;
  const common = { x: series.x, y: series.y, name: escapeText(series.label), type: "scatter" };
  if (series.kind === "minibatch")
    return { ...common, mode: "lines", line: { color, width: 1 }, opacity: dark ? 0.55 : 0.38, hoverinfo: "skip", showlegend: false };
  const points = series.kind === "points" || series.kind === "scatter";
  return {
    ...common,
    mode: points ? "markers" : series.kind === "trace" ? "lines" : "lines+markers",
    opacity: series.best ? 1 : 0.5, zorder: series.best ? 1 : 0,
    line: { color, width: series.best ? 2.2 : 1.2, dash: style.dash },
    marker: { color, symbol: symbols(series, style.marker), size: points ? 10 : series.best ? 7 : 5, opacity: 1 },
    hovertemplate: points && series.status === "diverged" ? "no final loss" : `%{y:${chart.percent ? ".1%" : ".4g"}}`,
    showlegend: series.kind !== "points",
  };
};
