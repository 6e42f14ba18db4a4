// Lines over the levels of load, by uPlot.

// figure is a chart in its frame: a heading, what it shows, a legend, the drawing with its
// summary for those who don't see it, and its figures as a table.
function figure(title, about, parts) {
  return el("figure", { class: "card chart" },
    el("figcaption", {}, el("h3", { text: title }), el("p", { text: about })),
    parts.legend ? legend(parts.legend) : null,
    el("div", { class: "plot", role: "img", "aria-label": parts.alt }, parts.plot),
    parts.table ? el("details", {}, el("summary", { text: "As a table" }), parts.table) : null);
}

// drawn keeps a chart as wide as its place and in the theme's colours. make gets the
// width and gives a uPlot.
function drawn(make) {
  const place = el("div");
  let chart = null, width = 0;
  const draw = () => {
    if (chart) chart.destroy();
    chart = width > 0 ? make(width, place) : null;
  };
  new ResizeObserver(([entry]) => {
    const now = Math.floor(entry.contentRect.width);
    if (now === width || now === 0) return;
    width = now;
    draw();
  }).observe(place);
  onTheme(draw);
  return place;
}

const font = (size) => `${size}px system-ui, "Liberation Sans", sans-serif`;

function axis(values, more = {}) {
  return { stroke: colour("soft"), font: font(12), grid: { stroke: colour("line"), width: 1 }, ticks: { show: false }, values, ...more };
}

const fromZero = (u, min, max) => [0, (max > 0 ? max : 1) * 1.08];

// overLoad is a chart of groups over their levels of one kind: concurrency or rate.
// lines are its figures: {of, dash, mark}.
function overLoad(kind, title, about, unit, lines) {
  const measured = groups.filter((g) => g.level[kind] && lines.some((line) => line.of(g) !== undefined));
  const xs = unique(measured.map((g) => g.level[kind])).sort((a, b) => a - b);
  if (xs.length < 2) return null;
  const names = unique(measured.map(seriesName));
  const all = names.flatMap((name) => lines.map((line) => overLoadSeries(measured, xs, name, line)));
  const shown = all.filter((s) => s.ys.some((y) => y !== null));
  const words = kind === "rate" ? "requests started a second" : "requests in flight";
  return figure(title, `${about} Across: ${words}.`, {
    legend: names.map((name) => [name, colourOf(measured.find((g) => seriesName(g) === name).model)]),
    alt: `${title} over ${words}, from ${xs[0]} to ${xs.at(-1)}, for ${names.join(", ")}. The same figures are in the table below.`,
    plot: drawn((width, place) => new uPlot(overLoadOptions(width, xs, shown, unit), [xs, ...shown.map((s) => s.ys)], place)),
    table: table(`${title} as a table`, [words, ...shown.map((s) => s.label)],
      xs.map((x, i) => [tick(x), ...shown.map((s) => s.ys[i] === null ? "" : unit.text(s.ys[i]))])),
  });
}

function overLoadSeries(measured, xs, name, line) {
  const own = measured.filter((g) => seriesName(g) === name);
  const ys = xs.map((x) => {
    const g = own.find((o) => (o.level.concurrency || o.level.rate) === x);
    return (g && line.of(g)) ?? null;
  });
  return { label: name + (line.mark ? " " + line.mark : ""), group: own[0], dash: line.dash, ys };
}

function overLoadOptions(width, xs, shown, unit) {
  const wide = xs.at(-1) / xs[0] >= 8; // then levels are doubled, as a rule
  return {
    width, height: 260, legend: { show: false }, cursor: { drag: { x: false, y: false }, points: { size: 7 } },
    scales: { x: { time: false, distr: wide ? 3 : 1, log: 2 }, y: { range: fromZero } },
    axes: [
      axis((u, splits) => splits.map(tick), { size: 30, splits: () => xs, filter: (u, splits) => splits, grid: { show: false } }),
      axis((u, splits) => splits.map((y) => unit.tick(y, splits.at(-1))), { size: 62 }),
    ],
    series: [{}, ...shown.map((s) => ({
      label: s.label, stroke: colour(colourOf(s.group.model)), width: s.dash ? 1.5 : 2, dash: s.dash || dashOf(s.group),
      spanGaps: true, points: { show: !s.dash, size: 6, fill: colour("card") },
    }))],
    plugins: [tooltip((i) => [tick(xs[i]), ...shown.filter((s) => s.ys[i] !== null)
      .map((s) => [s.label + ": " + unit.text(s.ys[i]), colourOf(s.group.model)])])],
  };
}

// tooltip shows what lines(i) says of the place under the pointer.
function tooltip(lines) {
  const box = el("div", { class: "tip", hidden: true });
  return { hooks: {
    init: (u) => u.over.append(box),
    setCursor: (u) => {
      const i = u.cursor.idx;
      box.hidden = i === null || i === undefined || u.cursor.left < 0;
      if (!box.hidden) fillTip(box, lines(i), u.cursor.left, u.cursor.top, u.over);
    },
  } };
}

function fillTip(box, lines, left, top, within) {
  box.replaceChildren(...lines.map((line) => Array.isArray(line) ? el("p", {}, swatch(line[1]), written(line[0])) : el("p", {}, el("b", {}, written(line)))));
  const right = left > within.clientWidth / 2;
  box.style.left = right ? "" : left + 14 + "px";
  box.style.right = right ? within.clientWidth - left + 14 + "px" : "";
  box.style.top = Math.max(0, Math.min(top + 8, within.clientHeight - box.offsetHeight)) + "px";
}

const time = { text: seconds, tick: tickSeconds };
const rate = { text: (x) => digits(x) + "/s", tick };

function sweeps(kind) {
  return [
    overLoad(kind, "Throughput", "Tokens a second of all requests together.", { text: (x) => digits(x) + " tok/s", tick },
      [{ of: (g) => g.host_tokens_per_sec }]),
    overLoad(kind, "Latency", "To the last byte: median, and p95 dotted.", time,
      [{ of: (g) => g.latency?.median, mark: "median" }, { of: (g) => g.latency?.p95, dash: [2, 4], mark: "p95" }]),
    overLoad(kind, "Time to first token", "Median, and p95 dotted.", time,
      [{ of: (g) => g.ttft?.median, mark: "median" }, { of: (g) => g.ttft?.p95, dash: [2, 4], mark: "p95" }]),
    overLoad(kind, "Latency from schedule", "From when a request was to start, whether or not it could: median, and p95 dotted.", time,
      [{ of: (g) => g.schedule_latency?.median, mark: "median" }, { of: (g) => g.schedule_latency?.p95, dash: [2, 4], mark: "p95" }]),
    overLoad(kind, "Goodput", "Requests a second that kept all limits.", rate, [{ of: (g) => g.goodput }]),
  ].filter((part) => part);
}

function startCharts() {
  const body = byID("charts-body");
  if (!body) return;
  const levels = unique(groups.map((g) => levelKey(g.level)));
  const state = { level: levels[0], figure: "latency" };
  const speed = el("div"), spread = el("div");
  const draw = () => {
    speed.replaceChildren(...speedBars(state));
    spread.replaceChildren(...spreads(state));
  };
  const texts = new Map(groups.map((g) => [levelKey(g.level), levelText(g.level)]));
  if (levels.length > 1) {
    byID("charts-controls").append(choice("Speed and distribution at", levels.map((key) => [key, texts.get(key)]),
      (value) => { state.level = value; draw(); }));
  }
  const kinds = Object.entries(spreadFigures).filter(([name]) => groups.some((g) => g[name]?.histogram?.length));
  if (kinds.length) {
    state.figure = kinds[0][0];
    byID("charts-controls").append(choice("Distribution of", kinds.map(([name, kind]) => [name, kind.title]),
      (value) => { state.figure = value; draw(); }));
  }
  draw();
  body.append(...sweeps("concurrency"), ...sweeps("rate"), speed, spread);
  if (!speed.hasChildNodes()) speed.remove();
  if (!spread.hasChildNodes()) spread.remove();
  if (!body.hasChildNodes()) byID("charts").remove();
}
