// The run as it went: requests in lanes, the loads of models above them, on a canvas.

function startTimeline() {
  const place = byID("timeline-body");
  if (!place) return;
  const spans = report.timeline;
  const view = newTimeline(spans);
  const box = el("div", { class: "lanes" }, view.canvas, view.tip);
  const failed = spans.filter((s) => s.error).length;
  place.append(el("figure", { class: "card chart" },
    el("figcaption", {}, el("h3", { text: plural(spans.filter((s) => s.kind !== "load").length, "request") + " by their start" }),
      el("p", { text: "Light: waiting in the server's queue; half: until the first token; full: writing. Hatched in the upper band: loads of a model." +
        (failed ? " Red, struck through: failed." : "") + " Drag to look closer." })),
    legend([...models.filter((m) => spans.some((s) => s.model === m)).map((m) => [m || "no model", colourOf(m)]), ...(failed ? [["failed", "bad"]] : [])]),
    timelineControls(view), box,
    el("details", {}, el("summary", { text: "As a table" }), spanTable(spans))));
  new ResizeObserver(() => view.draw()).observe(box);
  onTheme(view.draw);
}

function timelineControls(view) {
  const button = (text, label, click) => el("button", { type: "button", class: "quiet", text, "aria-label": label, on: { click } });
  return el("div", { class: "controls" },
    button("−", "Show a longer time", () => view.zoom(2)), button("+", "Show a shorter time", () => view.zoom(0.5)),
    button("←", "Earlier", () => view.pan(-0.4)), button("→", "Later", () => view.pan(0.4)),
    button("Whole run", null, () => view.show(0, view.end)));
}

function newTimeline(spans) {
  const loads = spans.filter((s) => s.kind === "load"), asked = spans.filter((s) => s.kind !== "load");
  const end = spans.reduce((latest, s) => Math.max(latest, s.to), 0) || 1;
  const view = {
    end, from: 0, to: end, select: null,
    loads: { spans: loads, lanes: lanesOf(loads) }, asked: { spans: asked, lanes: lanesOf(asked) },
    canvas: el("canvas", { role: "img", "aria-label": `Timeline of ${plural(asked.length, "request")} and ${plural(loads.length, "load")} in ${seconds(end)}. The table below sums it up.` }),
    tip: el("div", { class: "tip", hidden: true }),
  };
  view.show = (from, to) => {
    const span = Math.min(end, Math.max(to - from, end / 2000));
    view.from = Math.max(0, Math.min(from, end - span));
    view.to = view.from + span;
    view.tip.hidden = true;
    view.draw();
  };
  view.zoom = (by) => {
    const mid = (view.from + view.to) / 2, half = (view.to - view.from) / 2 * by;
    view.show(mid - half, mid + half);
  };
  view.pan = (by) => view.show(view.from + (view.to - view.from) * by, view.to + (view.to - view.from) * by);
  view.draw = () => drawTimeline(view);
  listenTimeline(view);
  return view;
}

// measure is where things are: lanes as high as fit, the axis below.
function measureTimeline(view) {
  const high = (set) => set.lanes.reduce((most, lane) => Math.max(most, lane + 1), 0);
  const loads = Math.min(high(view.loads), 4), asked = Math.max(1, high(view.asked));
  const each = Math.max(1, Math.min(16, Math.floor(300 / asked)));
  const loadEach = 14, gap = loads ? 8 : 0;
  const top = loads * loadEach + gap;
  return { loadEach, each, top, bottom: top + Math.min(asked * each, 600), width: view.canvas.clientWidth };
}

function drawTimeline(view) {
  const m = measureTimeline(view);
  if (!m.width) return;
  const { canvas } = view, ratio = devicePixelRatio, height = m.bottom + 24;
  canvas.style.height = height + "px";
  canvas.width = Math.round(m.width * ratio);
  canvas.height = Math.round(height * ratio);
  const ctx = canvas.getContext("2d");
  ctx.scale(ratio, ratio);
  const paint = timelinePaint();
  drawTicks(ctx, view, m, paint);
  view.loads.spans.forEach((span, i) => drawLoad(ctx, view, m, paint, span, view.loads.lanes[i]));
  view.asked.spans.forEach((span, i) => drawAsked(ctx, view, m, paint, span, view.asked.lanes[i]));
  if (view.select) {
    ctx.fillStyle = translucent(paint.ink, 0.14);
    ctx.fillRect(Math.min(...view.select), 0, Math.abs(view.select[1] - view.select[0]), m.bottom);
  }
}

function timelinePaint() {
  const shades = (value) => ({ full: value, half: translucent(value, 0.55), light: translucent(value, 0.24) });
  const paint = { soft: colour("soft"), line: colour("line"), ink: colour("ink"), card: colour("card"), bad: shades(colour("bad")) };
  for (let i = 0; i < colours; i++) paint["c" + i] = shades(colour("c" + i));
  return paint;
}

const timelineX = (view, m, at) => (at - view.from) / (view.to - view.from) * m.width;

// tickStep is the next round time from rough seconds on.
function tickStep(rough) {
  const power = 10 ** Math.floor(Math.log10(Math.min(rough, 1)));
  const below = [1, 2, 5, 10].map((n) => n * power), above = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 43200];
  return (rough < 1 ? below : above).find((step) => step >= rough) || Math.ceil(rough / 86400) * 86400;
}

function drawTicks(ctx, view, m, paint) {
  const step = tickStep((view.to - view.from) / Math.max(2, m.width / 90));
  ctx.font = font(12);
  ctx.textBaseline = "top";
  for (let n = Math.ceil(view.from / step); n * step <= view.to; n++) {
    const at = n * step, x = timelineX(view, m, at), text = at < 60 ? tickSeconds(at, 60) : clock(at);
    ctx.fillStyle = paint.line;
    ctx.fillRect(Math.round(x), 0, 1, m.bottom + 4);
    ctx.fillStyle = paint.soft;
    const half = ctx.measureText(text).width / 2;
    ctx.textAlign = "center";
    ctx.fillText(text, Math.min(Math.max(x, half), m.width - half), m.bottom + 7);
  }
}

function drawLoad(ctx, view, m, paint, span, lane) {
  const x = timelineX(view, m, span.from), end = timelineX(view, m, span.to);
  if (end < 0 || x > m.width || lane > 3) return;
  const y = lane * m.loadEach, width = Math.max(2, end - x), shade = paint[colourOf(span.model)];
  ctx.fillStyle = shade.light;
  ctx.fillRect(x, y, width, m.loadEach - 3);
  ctx.save();
  ctx.beginPath();
  ctx.rect(x, y, width, m.loadEach - 3);
  ctx.clip();
  ctx.strokeStyle = shade.full;
  ctx.lineWidth = 1.5;
  ctx.beginPath();
  const first = Math.max(x, 0) - 12 - (Math.max(x, 0) - x) % 6;
  for (let at = first; at < Math.min(end, m.width) + 12; at += 6) {
    ctx.moveTo(at, y + 12);
    ctx.lineTo(at + 12, y);
  }
  ctx.stroke();
  ctx.strokeRect(x + 0.75, y + 0.75, width - 1.5, m.loadEach - 4.5);
  ctx.restore();
}

function drawAsked(ctx, view, m, paint, span, lane) {
  const at = (t) => timelineX(view, m, t);
  const x = at(span.from), end = Math.max(x + 1, at(span.to));
  if (end < 0 || x > m.width) return;
  const y = m.top + lane * m.each, high = Math.max(1, m.each - (m.each > 3 ? 1 : 0));
  if (y >= m.bottom) return;
  const shade = span.error ? paint.bad : paint[colourOf(span.model)];
  const queued = Math.min(end, at(span.from + (span.queue || 0)));
  const first = Math.min(end, Math.max(queued, at(span.from + (span.first || span.queue || 0))));
  const part = (fill, a, b, thick = high) => {
    ctx.fillStyle = fill;
    if (b > a) ctx.fillRect(a, y + (high - thick) / 2, b - a, thick);
  };
  part(shade.light, x, queued);
  part(shade.half, queued, first);
  part(shade.full, first, end);
  if (span.error && high > 2) part(paint.ink, x, end, 1); // struck through: not by colour alone
  if (end - x > 3) part(paint.card, end - 0.5, end); // neighbours in a lane stay apart
}

// spanAt is the span under a point of the canvas.
function spanAt(view, x, y) {
  const m = measureTimeline(view), at = view.from + x / m.width * (view.to - view.from);
  const near = 2 / m.width * (view.to - view.from);
  const set = y < m.top ? view.loads : view.asked;
  const lane = y < m.top ? Math.floor(y / m.loadEach) : Math.floor((y - m.top) / m.each);
  const i = set.spans.findIndex((s, n) => set.lanes[n] === lane && s.from - near <= at && at <= s.to + near);
  return i < 0 ? null : set.spans[i];
}

function listenTimeline(view) {
  const { canvas } = view;
  canvas.addEventListener("pointerdown", (event) => {
    if (event.pointerType === "touch") return;
    view.select = [event.offsetX, event.offsetX];
    canvas.setPointerCapture(event.pointerId);
  });
  canvas.addEventListener("pointermove", (event) => {
    if (view.select) {
      view.select[1] = event.offsetX;
      view.draw();
    }
    tellSpan(view, event);
  });
  canvas.addEventListener("pointerup", () => {
    if (!view.select) return;
    const [a, b] = view.select.sort((p, q) => p - q), width = canvas.clientWidth;
    view.select = null;
    const time = (x) => view.from + x / width * (view.to - view.from);
    if (b - a > 4) view.show(time(a), time(b));
    else view.draw();
  });
  canvas.addEventListener("pointerleave", () => { view.tip.hidden = true; });
}

function tellSpan(view, event) {
  const span = spanAt(view, event.offsetX, event.offsetY);
  view.tip.hidden = !span;
  if (!span) return;
  const [head, ...rest] = spanWords(span);
  fillTip(view.tip, [head], event.offsetX, event.offsetY, view.canvas);
  view.tip.append(...rest.map((text) => el("p", {}, written(text))));
}
