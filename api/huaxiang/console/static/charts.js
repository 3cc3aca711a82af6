// Draws the charts of a page with ECharts from the JSON beside them: tokens become colours, names formats.

const FORMATS = {
  number: (value) => (value == null ? "–" : Number(value.toFixed(1)).toLocaleString("en-US")),
  percent: (value) => (value == null ? "–" : `${Math.round(100 * value)}%`),
  score: (value) => (value == null ? "–" : String(Math.round(value * 10) / 10)),
};
const styles = getComputedStyle(document.documentElement);
const token = (name) => styles.getPropertyValue(name).trim();
const drawn = new Map();
const LABEL_WIDTH = 110;
const CELL_WIDTH = 38;

// The whiskers of an interval: a line with two ends, along x or along y.
function interval(across) {
  return (params, api) => {
    const [index, low, high] = [0, 1, 2].map((dimension) => api.value(dimension));
    const ends = [low, high].map((value) => api.coord(across ? [value, index] : [index, value]));
    const colour = token("--ink-2");
    const line = ([x1, y1], [x2, y2]) => ({ type: "line", shape: { x1, y1, x2, y2 }, style: { stroke: colour, lineWidth: 1.3 } });
    const cap = ([x, y]) => (across ? line([x, y - 4], [x, y + 4]) : line([x - 4, y], [x + 4, y]));
    return { type: "group", children: [line(...ends), ...ends.map(cap)] };
  };
}

// Puts colours in the place of tokens and functions in the place of their names.
function resolved(value, key, format) {
  if (typeof value === "string") {
    if (value.startsWith("--")) return token(value);
    if (key === "formatter" && value in FORMATS) return FORMATS[value];
    if (key === "formatter" && value === "cell-value") return (cell) => FORMATS[format](cell.value[2]);
    if (key === "formatter" && value === "point") return (point) => `${point.name || point.seriesName}  ${FORMATS[format](point.value[0])}`;
    if (key === "formatter" && value === "cell") return (cell) => FORMATS[format](cell.value[2]);
    if (key === "renderItem") return interval(value === "interval-across");
    return value;
  }
  if (Array.isArray(value)) return value.map((part) => resolved(part, key, format));
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, resolved(part, name, format)]));
}

function dressed(option, width) {
  const narrow = width < 480;
  const format = option.format ?? "number";
  const chart = resolved(option, "", format);
  const columns = chart.visualMap ? chart.xAxis.data.length : 0;
  const cell = (width - LABEL_WIDTH) / columns;
  if (columns && cell < CELL_WIDTH) {
    // Cells too small for their figures: colours alone, the table below has the values.
    chart.series[0].label.show = false;
    chart.xAxis.axisLabel = { ...chart.xAxis.axisLabel, rotate: 50, width: 70 };
  } else if (columns) {
    // Every column keeps its name, in lines where it is wider than its cells.
    chart.xAxis.axisLabel = { ...chart.xAxis.axisLabel, hideOverlap: false, width: cell - 8, overflow: "break", lineHeight: 15 };
  }
  const axis = (given) => given && ({
    axisLine: { lineStyle: { color: token("--line") } },
    splitLine: { show: given.type === "value", lineStyle: { color: token("--line") } },
    ...given,
    axisLabel: { color: token("--ink-2"), hideOverlap: true, width: narrow ? 92 : 180, overflow: "truncate", ...given.axisLabel },
  });
  // Room for the half of the last name that stands beyond the edge: under a line a date, else a number.
  const right = chart.xAxis?.boundaryGap === false ? 34 : 20;
  return {
    animation: !matchMedia("(prefers-reduced-motion: reduce)").matches,
    animationDuration: 300,
    animationDurationUpdate: 0, // points would slide to a new width while their intervals are there at once
    textStyle: { fontFamily: token("--font") },
    ...chart,
    xAxis: axis(chart.xAxis),
    yAxis: axis(chart.yAxis),
    grid: { left: 4, right, bottom: 4, top: 12, containLabel: true, ...chart.grid },
    legend: { top: 0, right: 0, type: "scroll", itemWidth: 12, itemHeight: 8, textStyle: { color: token("--ink-2") }, ...chart.legend },
    tooltip: {
      renderMode: "richText", // an HTML one needs inline styles, which the page's policy forbids
      confine: true,
      valueFormatter: FORMATS[format],
      backgroundColor: token("--surface"),
      borderColor: token("--line-strong"),
      textStyle: { color: token("--ink"), fontSize: 12 },
      axisPointer: { type: "line", lineStyle: { color: token("--line-strong") } },
      ...chart.tooltip,
    },
  };
}

function draw(element) {
  const option = JSON.parse(document.querySelector(`#${CSS.escape(element.dataset.chart)}`).textContent);
  const chart = drawn.get(element) ?? window.echarts.init(element, null, { renderer: "canvas" });
  if (!drawn.has(element)) {
    drawn.set(element, chart);
    chart.on("click", ({ data }) => {
      if (data?.url) location.assign(data.url);
    });
    chart.on("mouseover", ({ data }) => {
      element.classList.toggle("is-link", Boolean(data?.url));
    });
    let width = element.clientWidth;
    new ResizeObserver(() => {
      if (element.clientWidth === width) return chart.resize();
      width = element.clientWidth;
      chart.resize();
      draw(element); // labels and cells are laid out for the width
    }).observe(element);
  }
  chart.setOption(dressed(option, element.clientWidth), { notMerge: true });
}

function drawAll(root = document) {
  for (const element of root.querySelectorAll("[data-chart]")) draw(element);
}

if (window.echarts) {
  drawAll();
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => drawAll());
  // What came in, wherever it was put: a swap's own target may be what it took the place of.
  document.addEventListener("htmx:load", (event) => {
    for (const [element, chart] of drawn) {
      if (element.isConnected) continue;
      chart.dispose();
      drawn.delete(element);
    }
    for (const element of event.detail.elt.querySelectorAll("[data-chart]")) if (!drawn.has(element)) draw(element);
  });
} else {
  // Without the library the tables stand open in the charts' place.
  document.documentElement.classList.add("no-charts");
  for (const table of document.querySelectorAll(".chart__table")) table.open = true;
}
