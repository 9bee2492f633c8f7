// Downloads: light, titled and with a legend, whatever the page looks like.
const exportFigure = (id) => {
  const chart = charts[id];
  const base = layout(chart, LIGHT);
  return {
    data: traces(chart, false),
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
  const shown = chart.series.filter(isShown);
  const banded = shown.some((series) => series.low.length > 0);
  const ends = (series, index) => (series.low.length > 0 ? [series.low[index] ?? "nan", series.high[index] ?? "nan"] : ["", ""]);
  const rows = shown.flatMap((series) => series.x.map((x, index) => [
    series.label, styles[series.arm]?.title ?? "", series.status, x, series.y[index] ?? "nan",
    ...(banded ? ends(series, index) : []),
  ]));
  const head = ["series", "optimizer", "status", chart.x_label, chart.quantity, ...(banded ? ["least", "largest"] : [])];
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
