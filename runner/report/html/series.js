// A series is what a chart draws of a model: one colour everywhere on the page.

const report = JSON.parse(byID("data").textContent);
const groups = report.groups || [];
const models = unique([...groups.map((g) => g.model), ...(report.timeline || []).map((s) => s.model)]);
const manySteps = unique(groups.map((g) => g.step)).length > 1;
const colours = 8;

const colourOf = (model) => "c" + Math.max(0, models.indexOf(model)) % colours;
const seriesName = (g) => (g.model || "no model") + (manySteps ? " · " + g.step : "");
// Models beyond the colours, and further steps of a model, are told apart by dashes.
function dashOf(g) {
  const turn = Math.floor(Math.max(0, models.indexOf(g.model)) / colours) + unique(groups.map((o) => o.step)).indexOf(g.step);
  return [[], [7, 4], [2, 3], [10, 3, 2, 3]][turn % 4];
}

// swatch is a patch of a model's colour.
function swatch(name) {
  const patch = el("span", { class: "swatch", "aria-hidden": "true" });
  patch.style.background = `var(--${name})`;
  return patch;
}

const legend = (names) => el("ul", { class: "legend" }, ...names.map(([text, name]) => el("li", {}, swatch(name), written(text))));
