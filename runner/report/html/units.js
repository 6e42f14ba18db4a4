// Figures in words, as the report's other forms write them.

// digits is a number with three digits and no exponent.
function digits(x) {
  const size = Math.abs(x);
  if (x === 0) return "0";
  if (size >= 999.5) return count(Math.round(x));
  if (size < 1e-4) return x.toPrecision(3);
  return x.toFixed(Math.max(0, 2 - Math.floor(Math.log10(size))));
}

const count = (n) => n.toLocaleString("en-US");

function seconds(s) {
  const size = Math.abs(s);
  if (size === 0) return "0s";
  if (size < 0.9995e-3) return digits(s * 1e6) + "µs";
  if (size < 0.9995) return digits(s * 1e3) + "ms";
  if (size < 99.95) return digits(s) + "s";
  const whole = Math.round(size);
  const two = (n) => String(n).padStart(2, "0");
  if (size < 3599.5) return Math.floor(whole / 60) + "m" + two(whole % 60) + "s";
  return Math.floor(whole / 3600) + "h" + two(Math.floor(whole / 60) % 60) + "m";
}

const plural = (n, what) => count(n) + " " + what + (n === 1 ? "" : "s");

// tick is a mark of an axis: only the digits that it needs.
const tick = (x) => String(+x.toPrecision(6));

function tickSeconds(s, top) {
  if (s === 0) return "0";
  if (top < 0.002) return tick(s * 1e6) + "µs";
  if (top < 2) return tick(s * 1e3) + "ms";
  if (top < 300) return tick(s) + "s";
  return tick(s / 60) + "min";
}

// clock is a time since the start as a clock shows it: 3:05, 1:02:00.
function clock(s) {
  const two = (n) => String(n).padStart(2, "0"), whole = Math.round(s * 1000) / 1000;
  const rest = two(Math.floor(whole % 60)) + (whole % 1 ? tick(whole % 1).slice(1) : "");
  return whole < 3600 ? `${Math.floor(whole / 60)}:${rest}` : `${Math.floor(whole / 3600)}:${two(Math.floor(whole / 60) % 60)}:${rest}`;
}

const levelText = (level) => level.rate ? digits(level.rate) + "/s" : level.concurrency ? count(level.concurrency) + " at a time" : "";
const levelKey = (level) => level.rate ? "rate " + level.rate : level.concurrency ? "at " + level.concurrency : "";
