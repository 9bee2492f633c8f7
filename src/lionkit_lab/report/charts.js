"use strict";
// Draws the charts that Python defined (see _charts.py). The page's own buttons are the legend: they work by keyboard
// and act on every chart at once. Nothing here knows what a chart means.
(() => {
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
    !hidden.has(series.optimizer) &&
    (series.kind === "minibatch" ? byId("minibatch").checked : series.best || byId("all-rates").checked);

  const symbols = (series, marker) => {
    const list = series.x.map(() => marker);
    const last = series.y.findLastIndex((value) => value !== null);
    if (series.status !== "finished" && last >= 0) list[last] = series.status === "diverged" ? "x" : `${marker}-open`;
    return list;
  };

  const trace = (series, chart, dark) => {
    const style = styles[series.optimizer];
    const color = dark ? style.dark : style.light;
    const common = { x: series.x, y: series.y, name: escapeText(series.label), type: "scatter" };
    if (series.kind === "minibatch")
      return { ...common, mode: "lines", line: { color, width: 1 }, opacity: dark ? 0.55 : 0.38, hoverinfo: "skip", showlegend: false };
    const points = series.kind === "points";
    return {
      ...common,
      mode: points ? "markers" : "lines+markers",
      opacity: series.best ? 1 : 0.5, zorder: series.best ? 1 : 0,
      line: { color, width: series.best ? 2.2 : 1.2, dash: style.dash },
      marker: { color, symbol: symbols(series, style.marker), size: points ? 10 : series.best ? 7 : 5, opacity: 1 },
      hovertemplate: points && series.status === "diverged" ? "no final loss" : `%{y:${chart.percent ? ".1%" : ".4g"}}`,
      showlegend: !points,
    };
  };

  // ---- layout ----
  const axis = (colours) => ({
    gridcolor: colours.grid, linecolor: colours.rule, zeroline: false, tickfont: { color: colours.soft, size: 11 },
    automargin: true, ticklabelstandoff: 4,
  });

  const xAxis = (chart, colours) => ({
    ...axis(colours), type: chart.log_x ? "log" : "linear", showgrid: false, ticks: "outside", ticklen: 4,
    tickcolor: colours.rule, nticks: 7, spikecolor: colours.soft, spikethickness: 1, spikedash: "dot",
    unifiedhovertitle: { text: `${chart.x_label} %{x}` },
    title: { text: chart.x_label, font: { color: colours.soft, size: 12 }, standoff: 8 },
    ...(chart.log_x ? ticksAt(chart.x_ticks ?? decades(chart)) : {}),
  });

  const yAxis = (chart, colours) => {
    const range = chart.y_range && (chart.log_y ? chart.y_range.map(Math.log10) : chart.y_range);
    return {
      ...axis(colours), type: chart.log_y ? "log" : "linear", nticks: 7, showline: false,
      ...(range ? { range: [...range] } : {}), ...(chart.percent ? { tickformat: ".0%" } : {}),
      ...(chart.log_y && chart.y_range ? logTicks(chart.y_range) : {}),
    };
  };

  // plotly's own labels on log axes are powers of ten in two sizes, or lone digits.
  const ticksAt = (values) => ({ tickvals: values, ticktext: values.map(String) });
  const powers = (low, high, digits) => {
    const values = [];
    for (let decade = Math.floor(Math.log10(low)); decade <= Math.ceil(Math.log10(high)); decade++)
      for (const digit of digits) values.push(Number(`${digit}e${decade}`));
    return values;
  };
  const decades = (chart) => {
    const rates = chart.series.flatMap((series) => series.x);
    return powers(Math.min(...rates), Math.max(...rates), [1]);
  };
  const logTicks = ([low, high]) => ticksAt(powers(low, high, high / low > 1e3 ? [1] : [1, 2, 5]));

  const across = (y, yref, line) => ({ type: "line", xref: "paper", x0: 0, x1: 1, yref, y0: y, y1: y, line });
  const references = (chart, colours) => ({
    shapes: [
      ...chart.references.map(({ value }) => across(value, "y", { color: colours.soft, width: 1, dash: "dot" })),
      across(0, "paper", { color: colours.rule, width: 1 }), // the axis itself: plotly loses its own under zorder
    ],
    annotations: chart.references.map(({ label, value }) => ({
      text: label, xref: "paper", x: 1, y: value, xanchor: "right", yanchor: "bottom", showarrow: false,
      font: { color: colours.soft, size: 11 },
    })),
  });

  // A unified label of more lines than these is taller than the chart, and plotly cuts it off.
  const isCrowded = (chart) => chart.series.filter((one) => one.kind === "line" && isShown(one)).length > 12;

  const layout = (chart, colours) => ({
    ...references(chart, colours),
    font: { family: getComputedStyle(document.body).fontFamily, color: colours.ink },
    paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)", showlegend: false,
    margin: { l: 36, r: 10, t: 10, b: 40 }, xaxis: xAxis(chart, colours), yaxis: yAxis(chart, colours),
    hovermode: chart.log_x || isCrowded(chart) ? "closest" : "x unified", uirevision: revision, dragmode: coarse.matches ? false : "zoom",
    hoverlabel: {
      bgcolor: colours.paper, bordercolor: colours.rule, font: { color: colours.ink, size: 12 }, namelength: -1,
    },
  });

  // ---- drawing ----
  const draw = (id, extra = {}) => {
    const chart = charts[id];
    const traces = chart.series.filter(isShown).map((series) => trace(series, chart, isDark()));
    const config = { displayModeBar: false, responsive: true, doubleClick: "reset" };
    return Plotly.react(byId(id), traces, { ...layout(chart, pageColours()), ...extra }, config);
  };
  const drawAll = (extra) => {
    root.toggleAttribute("data-dark", isDark());
    return Promise.all(Object.keys(charts).map((id) => draw(id, extra)));
  };
  const resetZoom = () => {
    revision += 1;
    return drawAll();
  };

  // ---- downloads: light, titled and with a legend, whatever the page looks like ----
  const exportFigure = (id) => {
    const chart = charts[id];
    const base = layout(chart, LIGHT);
    return {
      data: chart.series.filter(isShown).map((series) => trace(series, chart, false)),
      layout: {
        ...base, ...EXPORT, paper_bgcolor: LIGHT.paper, showlegend: true, margin: { l: 80, r: 30, t: 64, b: 60 },
        title: {
          text: `<b>${chart.title}</b> \u00b7 ${escapeText(chart.task)}`, x: 0.02, xanchor: "left", y: 0.96, yanchor: "top",
          font: { size: 18 },
        },
        legend: { orientation: "h", y: -0.13, yanchor: "top", x: 0 }, // below: with many runs it has many rows,
        yaxis: { ...base.yaxis, title: { text: chart.quantity, font: { color: LIGHT.soft, size: 12 } } },
      },
    };
  };

  const csv = (chart) => {
    const quote = (value) => (/[",\n]/.test(value) ? `"${String(value).replaceAll('"', '""')}"` : value);
    const rows = chart.series.filter(isShown).flatMap((series) =>
      series.x.map((x, index) => [series.label, series.optimizer, series.status, x, series.y[index] ?? "nan"]));
    const head = ["series", "optimizer", "status", chart.x_label, chart.quantity];
    return [head, ...rows].map((row) => row.map(quote).join(",")).join("\n") + "\n";
  };

  const saveText = (text, filename) => {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([text], { type: "text/csv" }));
    link.download = filename;
    link.click();
    URL.revokeObjectURL(link.href);
  };

  const download = (id, format) => {
    if (format === "csv") return saveText(csv(charts[id]), `${id}.csv`);
    return Plotly.downloadImage(exportFigure(id), { format, filename: id, scale: format === "png" ? 2 : 1, ...EXPORT });
  };

  // ---- the table sorts inside each task ----
  const sortTable = (header, column) => {
    const ascending = header.getAttribute("aria-sort") !== "ascending";
    for (const other of header.parentNode.children) other.setAttribute("aria-sort", "none");
    header.setAttribute("aria-sort", ascending ? "ascending" : "descending");
    const key = (row) => row.children[column].dataset.value;
    const compare = (a, b) => key(a).localeCompare(key(b), "en", { numeric: false });
    const byNumber = (a, b) => Number(key(a)) - Number(key(b));
    for (const body of byId("summary-table").tBodies) {
      const rows = [...body.rows].slice(1);
      const known = rows.filter((row) => key(row) !== "").sort(column === 0 ? compare : byNumber);
      body.append(...(ascending ? known : known.reverse()), ...rows.filter((row) => key(row) === ""));
    }
  };

  // ---- events ----
  const setTheme = (theme) => {
    root.dataset.theme = theme;
    try {
      localStorage.setItem("lionkit-theme", theme);
    } catch {
      // Storage is off: the choice lasts until the page closes.
    }
    drawAll();
  };
  byId("theme").addEventListener("click", () => setTheme(isDark() ? "light" : "dark"));
  systemDark.addEventListener("change", () => drawAll());
  byId("all-rates").addEventListener("change", () => drawAll());
  byId("minibatch").addEventListener("change", () => drawAll());
  byId("reset").addEventListener("click", resetZoom);
  for (const chip of document.querySelectorAll(".chip"))
    chip.addEventListener("click", () => {
      const name = chip.dataset.optimizer;
      if (!hidden.delete(name)) hidden.add(name);
      chip.setAttribute("aria-pressed", String(!hidden.has(name)));
      drawAll();
    });
  for (const button of document.querySelectorAll("[data-download]"))
    button.addEventListener("click", () => download(button.dataset.chart, button.dataset.download));
  for (const button of document.querySelectorAll("[data-column]"))
    button.addEventListener("click", () => sortTable(button.closest("th"), Number(button.dataset.column)));

  // Paper is white and has its own width, whatever the screen has; folded settings are printed too.
  let before = null;
  addEventListener("beforeprint", () => {
    before = { theme: root.dataset.theme, folded: [...document.querySelectorAll("details:not([open])")] };
    root.dataset.theme = "light";
    for (const details of before.folded) details.open = true;
    drawAll({ ...PRINT, autosize: false });
  });
  addEventListener("afterprint", () => {
    root.dataset.theme = before.theme;
    for (const details of before.folded) details.open = false;
    drawAll({ autosize: true, width: undefined, height: undefined });
  });

  drawAll();
})();
