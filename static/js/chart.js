// Draws every <div class="chart" data-chart="#id"> with uPlot. #id is a JSON script (Django's json_script) that holds
// {"x": [...], "series": [{"label", "values", "tone"?, "kind"?: "line"|"bars"|"points"|"band", "low"?, "high"?}], "x_label"?, "y_label"?,
//  "time"?: bool (x in seconds since 1970), "y_range"?: [low, high], "diagonal"?: bool}. Colours come from the tokens, by `tone`.
(() => {
  "use strict";
  const plots = new Map();
  const colour = (tone) => {
    const probe = document.createElement("i"); // light-dark() is resolved only where it is used
    probe.style.color = `var(--${tone})`;
    document.body.append(probe);
    const value = getComputedStyle(probe).color;
    probe.remove();
    return value;
  };
  const fade = (value, share) => `color-mix(in srgb, ${value} ${share}%, transparent)`;

  const paths = { bars: () => uPlot.paths.bars({ size: [0.7, 48] }), points: () => () => null, line: () => uPlot.paths.linear() };

  const axis = (label, extra = {}) => ({
    label,
    labelSize: label ? 20 : 0,
    labelFont: "13px sans-serif",
    font: "12px sans-serif",
    stroke: colour("muted"),
    grid: { stroke: colour("line"), width: 1 },
    ticks: { stroke: colour("line"), width: 1, size: 4 },
    ...extra,
  });

  const columns = (data) => {
    const series = [{ label: data.x_label ?? "" }];
    const values = [data.x];
    const bands = [];
    for (const one of data.series) {
      const tone = colour(one.tone ?? "accent");
      const kind = one.kind ?? "line";
      series.push({
        label: one.label,
        stroke: tone,
        width: 1.5,
        fill: kind === "bars" ? fade(tone, 60) : undefined,
        paths: paths[kind === "band" ? "line" : kind](),
        points: { show: kind === "points" || data.x.length < 2, size: 6, fill: tone },
        spanGaps: false,
      });
      values.push(one.values);
      if (!one.low || !one.high) continue;
      for (const edge of ["high", "low"]) {
        series.push({ label: `${one.label}, ${edge}`, class: "u-edge", stroke: fade(tone, 30), width: 0.5, points: { show: false } });
        values.push(one[edge]);
      }
      bands.push({ series: [series.length - 2, series.length - 1], fill: fade(tone, 18) });
    }
    if (data.diagonal) {
      series.push({ label: "as it should be", stroke: colour("edge"), dash: [4, 4], width: 1, points: { show: false } });
      values.push(data.x);
    }
    return { series, values, bands };
  };

  // Bars need half a step of room at either end, or the outer ones are cut; so does a point that is alone, for which
  // uPlot would make up a scale. With a diagonal both axes measure the same.
  const padded = ({ x, series, time, diagonal, y_range }) => {
    if (diagonal && y_range) return y_range;
    const step = x.length > 1 ? (x.at(-1) - x[0]) / (x.length - 1) : time ? DAY : 1;
    const half = x.length < 2 || series.some((one) => one.kind === "bars") ? step / 2 : 0;
    return (_, low, high) => (x.length ? [x[0] - half, x.at(-1) + half] : [low, high]);
  };

  // What is counted is marked at whole numbers only.
  const WHOLE = [1, 2, 5].flatMap((lead) => Array.from({ length: 9 }, (_, power) => lead * 10 ** power)).sort((a, b) => a - b);
  const ticks = (values) => (values.every((value) => value === null || Number.isInteger(value)) ? { incrs: WHOLE } : {});

  // Times are days, counted in UTC as the server counts them, and fit on one line.
  const DAY = 86400;
  const day = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", timeZone: "UTC" });
  const days = { incrs: [1, 2, 7, 14, 30, 91, 365].map((many) => many * DAY), values: (_, splits) => splits.map((at) => day.format(at * 1000)) };

  const draw = (place) => {
    const source = document.querySelector(place.dataset.chart);
    if (!source) return;
    const data = JSON.parse(source.textContent);
    plots.get(place)?.destroy();
    const { series, values, bands } = columns(data);
    const size = () => ({ width: place.clientWidth, height: Math.max(place.classList.contains("low") ? 120 : 240, 80) });
    const options = {
      ...size(),
      series,
      bands,
      tzDate: (at) => uPlot.tzDate(new Date(at * 1000), "Etc/UTC"),
      scales: { x: { time: Boolean(data.time), range: padded(data) }, y: data.y_range ? { range: data.y_range } : { range: { min: { soft: 0, mode: 1 }, max: { pad: 0.1 } } } },
      axes: [
        axis(data.x_label, { size: 30, ...(data.time ? days : ticks(data.x)) }),
        axis(data.y_label, { size: 56, ...(data.y_range ? {} : ticks(data.series.flatMap((one) => [...one.values, ...(one.high ?? [])]))) }),
      ],
      legend: { show: data.series.length > 1, live: true },
      cursor: { drag: { x: false, y: false }, points: { size: 6 } },
    };
    place.replaceChildren();
    plots.set(place, new uPlot(options, values, place));
    widths.observe(place);
  };

  const widths = new ResizeObserver((entries) => {
    for (const { target, contentRect } of entries) {
      const plot = plots.get(target);
      if (plot && Math.abs(plot.width - contentRect.width) > 1) plot.setSize({ width: contentRect.width, height: plot.height });
    }
  });

  const drawAll = (root = document) => {
    for (const [place] of plots) {
      if (place.isConnected) continue;
      plots.get(place).destroy();
      plots.delete(place);
    }
    root.querySelectorAll("[data-chart]").forEach(draw);
  };

  document.addEventListener("DOMContentLoaded", () => drawAll());
  document.addEventListener("htmx:afterSettle", (event) => drawAll(event.detail.elt));
  document.addEventListener("stepwise:theme", () => document.body && drawAll());
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => drawAll());
})();
