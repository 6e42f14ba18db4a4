// The distribution of a figure: a histogram for each model, one below the other on one axis.

const spreadFigures = {
  latency: { title: "Latency", unit: time },
  ttft: { title: "Time to first token", unit: time },
  tpot: { title: "Time per output token", unit: time },
  queue: { title: "Queue time", unit: time },
  tokens_per_sec: { title: "Tokens a second", unit: { text: digits, tick } },
};

function spreads(state) {
  const kind = spreadFigures[state.figure];
  const shown = groups.filter((g) => levelKey(g.level) === state.level && g[state.figure]?.histogram?.length);
  if (!shown.length) return [];
  const top = Math.max(...shown.map((g) => g[state.figure].max)) || 1;
  const at = levelText(shown[0].level);
  const title = `${kind.title}: distribution${at ? ", " + at : ""}`;
  return [figure(title, "How many requests took how long, each model on its own height; the line is the median.", {
    alt: title + ": " + shown.map((g) => spreadWords(g, state.figure, kind)).join("; ") + ".",
    plot: el("div", { class: "spreads" }, ...shown.map((g, i) => spreadOf(g, state.figure, kind, top, i === shown.length - 1))),
    table: table(title + " as a table", ["Model", "n", "min", "median", "p90", "p95", "p99", "max"], shown.map((g) => {
      const s = g[state.figure];
      return [seriesName(g), count(s.n), ...[s.min, s.median, s.p90, s.p95, s.p99, s.max].map(kind.unit.text)];
    })),
  })];
}

function spreadWords(g, name, kind) {
  const s = g[name];
  return `${seriesName(g)} from ${kind.unit.text(s.min)} to ${kind.unit.text(s.max)}, median ${kind.unit.text(s.median)}`;
}

function spreadOf(g, name, kind, top, last) {
  const s = g[name];
  return el("div", {},
    el("h4", {}, el("div", { class: "model" }, swatch(colourOf(g.model)), written(seriesName(g))),
      el("span", { text: `median ${kind.unit.text(s.median)}, p95 ${kind.unit.text(s.p95)}, n ${count(s.n)}` })),
    drawn((width, place) => new uPlot(spreadOptions(g, s, kind, width, top, last), spreadData(s), place)));
}

// spreadData are the counts as the outline of their steps.
function spreadData(s) {
  const step = (s.max - s.min) / s.histogram.length || s.max * 0.002 || 0.001;
  const xs = [s.min], ys = [0];
  s.histogram.forEach((n, i) => {
    xs.push(s.min + i * step, s.min + (i + 1) * step);
    ys.push(n, n);
  });
  xs.push(xs.at(-1));
  ys.push(0);
  return [xs, ys];
}

function spreadOptions(g, s, kind, width, top, last) {
  const stroke = colour(colourOf(g.model));
  return {
    width, height: last ? 84 : 58, legend: { show: false }, cursor: { show: false }, padding: [4, 18, 0, 18],
    scales: { x: { time: false, range: [0, top] }, y: { range: [0, Math.max(...s.histogram) * 1.05] } },
    axes: [
      axis((u, splits) => splits.map((x) => kind.unit.tick(x, top)), { show: last, size: 26, grid: { show: false } }),
      { show: false },
    ],
    series: [{}, { stroke, width: 1.5, fill: translucent(stroke, 0.28), points: { show: false } }],
    hooks: { draw: [(u) => drawMedian(u, s.median)] },
  };
}

const translucent = (value, share) => `color-mix(in srgb, ${value} ${share * 100}%, transparent)`;

function drawMedian(u, median) {
  const x = u.valToPos(median, "x", true);
  u.ctx.save();
  u.ctx.strokeStyle = colour("ink");
  u.ctx.lineWidth = 2 * devicePixelRatio;
  u.ctx.beginPath();
  u.ctx.moveTo(x, u.bbox.top);
  u.ctx.lineTo(x, u.bbox.top + u.bbox.height);
  u.ctx.moveTo(u.bbox.left, u.bbox.top + u.bbox.height);
  u.ctx.lineTo(u.bbox.left + u.bbox.width, u.bbox.top + u.bbox.height);
  u.ctx.stroke();
  u.ctx.restore();
}
