// Axes, ticks, reference lines and hover texts.
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
  if (!(low > 0 && high < Infinity)) return values; // zero has no decade, and none has an infinite one
  for (let decade = Math.floor(Math.log10(low)); decade <= Math.ceil(Math.log10(high)); decade++)
    for (const digit of digits) values.push(Number(`${digit}e${decade}`));
  return values;
};
const decades = (chart) => {
  const rates = chart.series.flatMap((series) => series.x).filter((rate) => rate > 0);
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
