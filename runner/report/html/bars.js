// Tokens a second of each model as bars, with the interval of the median.

function speedBars(state) {
  const shown = groups.filter((g) => levelKey(g.level) === state.level && g.tokens_per_sec)
    .sort((a, b) => b.tokens_per_sec.median - a.tokens_per_sec.median);
  if (!shown.length) return [];
  const at = levelText(shown[0].level);
  const title = "Tokens a second" + (at ? ", " + at : "");
  return [figure(title, "Of each request while its answer was written, by the server's account: median, and its 95% interval.", {
    alt: title + ": " + shown.map((g) => `${seriesName(g)} ${digits(g.tokens_per_sec.median)}`).join(", ") + ".",
    plot: drawn((width, place) => new uPlot(barOptions(width, shown), [shown.map((_, i) => i), shown.map((g) => g.tokens_per_sec.median)], place)),
    table: table(title + " as a table", ["Model", "n", "mean", "median", "from", "to"], shown.map(({ tokens_per_sec: s, ...g }) => [
      seriesName(g), count(s.n), digits(s.mean), digits(s.median), s.low === undefined ? "" : digits(s.low), s.high === undefined ? "" : digits(s.high)])),
  })];
}

function barOptions(width, shown) {
  const top = Math.max(...shown.map((g) => g.tokens_per_sec.high ?? g.tokens_per_sec.median));
  const fills = shown.map((g) => colour(colourOf(g.model)));
  const each = { fill: { unit: 3, values: () => fills }, stroke: { unit: 3, values: () => fills } };
  return {
    width, height: shown.length * 40 + 36, legend: { show: false }, cursor: { show: false },
    scales: {
      x: { time: false, ori: 1, dir: -1, range: [-0.5, shown.length - 0.5] },
      y: { ori: 0, dir: 1, range: [0, top * 1.14 || 1] },
    },
    axes: [
      axis(() => shown.map((g) => fitted(seriesName(g), width)), { side: 3, size: nameRoom(width), gap: 8, splits: () => shown.map((_, i) => i), grid: { show: false }, stroke: colour("ink") }),
      axis((u, splits) => splits.map(tick), { side: 2, size: 28, space: 60 }),
    ],
    series: [{}, { fill: fills[0], stroke: fills[0], points: { show: false }, paths: uPlot.paths.bars({ size: [0.6, 26], disp: each, radius: 0.12 }) }],
    hooks: { draw: [(u) => drawIntervals(u, shown)] },
    padding: [0, 8, 0, 0],
  };
}

const nameRoom = (width) => Math.min(190, Math.round(width * 0.34));

// fitted is the name as far as there is room: its middle is left out, since tags are at its end.
function fitted(name, width) {
  const most = Math.max(8, Math.floor((nameRoom(width) - 12) / 7.4));
  const letters = [...name];
  if (letters.length <= most) return name;
  const tail = Math.floor((most - 1) / 2);
  return letters.slice(0, most - 1 - tail).join("") + "…" + letters.slice(-tail).join("");
}

function drawIntervals(u, shown) {
  const { ctx } = u, ratio = devicePixelRatio;
  ctx.save();
  ctx.strokeStyle = ctx.fillStyle = colour("ink");
  ctx.lineWidth = 1.5 * ratio;
  ctx.font = font(12 * ratio);
  ctx.textBaseline = "middle";
  shown.forEach(({ tokens_per_sec: s }, i) => {
    const y = u.valToPos(i, "x", true), x = (value) => u.valToPos(value, "y", true);
    if (s.low !== undefined && s.high !== undefined) whisker(ctx, x(s.low), x(s.high), y, 4 * ratio);
    ctx.textAlign = "left";
    ctx.fillText(digits(s.median), x(Math.max(s.median, s.high ?? 0)) + 6 * ratio, y);
  });
  ctx.restore();
}

function whisker(ctx, from, to, y, size) {
  ctx.beginPath();
  ctx.moveTo(from, y);
  ctx.lineTo(to, y);
  for (const x of [from, to]) {
    ctx.moveTo(x, y - size);
    ctx.lineTo(x, y + size);
  }
  ctx.stroke();
}
