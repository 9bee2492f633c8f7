// The page's own buttons are the legend: they work by keyboard and act on every chart at once.

// ---- drawing ----
const draw = (id, extra = {}) => {
  const chart = charts[id];
  const config = { displayModeBar: false, responsive: true, doubleClick: "reset" };
  return Plotly.react(byId(id), traces(chart, isDark()), { ...layout(chart, pageColours()), ...extra }, config);
};
const drawAll = (extra) => {
  root.toggleAttribute("data-dark", isDark());
  return Promise.all(Object.keys(charts).map((id) => draw(id, extra)));
};
const resetZoom = () => {
  revision += 1;
  return drawAll();
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
    const arm = chip.dataset.arm;
    if (!hidden.delete(arm)) hidden.add(arm);
    chip.setAttribute("aria-pressed", String(!hidden.has(arm)));
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
