// Lanes of the timeline: spans that don't overlap share one, the lowest that is free.

// lanesOf gives each span its lane; spans come by start.
function lanesOf(spans) {
  const free = []; // free[i]: when lane i is free
  return spans.map((span) => {
    let lane = free.findIndex((end) => end <= span.from + 1e-6);
    if (lane < 0) lane = free.length;
    free[lane] = Math.max(span.to, span.from);
    return lane;
  });
}

// spanWords says a span in a few lines.
function spanWords(span) {
  if (span.kind === "load") return [`load of ${span.model}`, `${seconds(span.to - span.from)}, from ${seconds(span.from)}`];
  const lines = [`row ${span.row || 0}${span.step ? ", " + span.step : ""}`, span.model,
    `${seconds(span.to - span.from)}, from ${seconds(span.from)}`];
  if (span.queue) lines.push(`queued ${seconds(span.queue)}`);
  if (span.first) lines.push(`first token after ${seconds(span.first)}`);
  if (span.error) lines.push(`failed: ${span.error}`);
  return lines;
}

// spanTable sums the timeline up by model.
function spanTable(spans) {
  const rows = unique(spans.map((s) => s.model)).map((model) => {
    const own = spans.filter((s) => s.model === model), asked = own.filter((s) => s.kind !== "load");
    const loads = own.filter((s) => s.kind === "load");
    const sum = (list, of) => list.reduce((total, s) => total + of(s), 0);
    return [model || "no model", count(asked.length), count(asked.filter((s) => s.error).length),
      seconds(sum(asked, (s) => s.queue || 0)), count(loads.length), seconds(sum(loads, (s) => s.to - s.from))];
  });
  return table("The timeline as a table", ["Model", "requests", "failed", "queued in all", "loads", "loading in all"], rows);
}
