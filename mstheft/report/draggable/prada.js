// PRADA: distances of a stream of queries to earlier ones, and how normal they look.
const { honest, grid } = DATA;
let stream = [];
const rest = honest[0].slice(2);  // what is drawn changes two coordinates of one row
const pad = chart({ title: "draw a stream of queries: drag here", x: [-4, 4], y: [-4, 4], xlabel: "x₁", ylabel: "x₂", square: true });
const bars = chart({ title: "their distances to the nearest earlier query", x: [0, 8], y: [0, 0.5], xlabel: "distance", ylabel: "share" });
const trace = chart({ title: "W of Shapiro and Wilk; PRADA raises an alarm below the line", x: [0, 200], y: [0.4, 1], xlabel: "queries", ylabel: "W" });
const limit = slider("alarm below δ =", 0.8, 0.99, 0.01, 0.95, (v) => v.toFixed(2), draw);
function quantile(q) {  // of the normal distribution, by Newton's method on its distribution function
  let z = 0;
  for (let i = 0; i < 40; i++) z -= Math.max(-1, Math.min(1, (normal(z) - q) / (Math.exp(-z * z / 2) / Math.sqrt(2 * Math.PI))));
  return z;
}
function normal(z) {  // its distribution function, by the series of erf
  if (Math.abs(z) > 6) return z > 0 ? 1 : 0;
  let term = z, total = z;
  for (let n = 1; n < 120; n++) { term *= (-z * z) / (2 * n); total += term / (2 * n + 1); }
  return 0.5 + total / Math.sqrt(2 * Math.PI);
}
const apart = (p, q) => Math.sqrt(sum(p.map((v, i) => (v - q[i]) ** 2)));
const weights = new Map();
function coefficients(n) {  // Royston 1992
  if (!weights.has(n)) {
    const m = range(n).map((i) => quantile((i + 1 - 0.375) / (n + 0.25))), mm = sum(m.map((v) => v * v)), s = Math.sqrt(mm), t = 1 / Math.sqrt(n);
    const last = m[n - 1] / s + t * (0.221157 + t * (-0.147981 + t * (-2.07119 + t * (4.434685 - 2.706056 * t))));
    const before = m[n - 2] / s + t * (0.042981 + t * (-0.293762 + t * (-1.752461 + t * (5.682633 - 3.582633 * t))));
    const phi = Math.sqrt((mm - 2 * m[n - 1] ** 2 - 2 * m[n - 2] ** 2) / (1 - 2 * last ** 2 - 2 * before ** 2));
    const a = m.map((v) => v / phi);
    a[n - 1] = last; a[n - 2] = before; a[0] = -last; a[1] = -before;
    weights.set(n, a);
  }
  return weights.get(n);
}
function W(values) {
  const x = [...values].sort((p, q) => p - q), mean = sum(x) / x.length, a = coefficients(x.length);
  const spread = sum(x.map((v) => (v - mean) ** 2));
  return spread < 1e-18 ? 1 : dot(a, x) ** 2 / spread;
}
const trimmed = (list) => {  // within three standard deviations of the mean, as PRADA takes them
  const mean = sum(list) / list.length, sd = Math.sqrt(sum(list.map((v) => (v - mean) ** 2)) / list.length);
  return list.filter((v) => Math.abs(v - mean) <= 3 * sd);
};
function draw() {
  const side = (q) => (q[0] + q[1] > 0 ? 1 : 0), distances = [], seen = [[], []], curve = [];
  for (const [i, q] of stream.entries()) {
    const own = seen[side(q)];
    if (own.length) distances.push(Math.min(...own.map((o) => apart(o, q))));
    own.push(q);
    if (distances.length >= 50 && i % 5 === 0) curve.push([i, W(trimmed(distances))]);
  }
  [pad, bars, trace].forEach((c) => c.clear());
  pad.line([[-4, 4], [4, -4]], "quiet");
  pad.dots(stream.map((q) => q.slice(0, 2)), "one", 3);
  range(32).forEach((i) => {
    const [a, b] = [i / 4, (i + 1) / 4], share = distances.filter((v) => v >= a && v < b).length / (distances.length || 1);
    if (share) bars.bar(a, b, Math.min(0.5, share));
  });
  trace.line([[0, limit.value], [200, limit.value]], "accent");
  trace.line(curve, "one");
  const lowest = Math.min(1, ...curve.map(([, w]) => w));
  const found = curve.find(([, w]) => w < limit.value);
  say(curve.length === 0 ? `${stream.length} queries: too few for a verdict. Draw on, or take a stream below.`
    : found ? `Alarm at query ${found[0]}: W = ${show(found[1])} is below ${limit.value.toFixed(2)}. The distances do not look like those of natural queries.`
    : `${stream.length} queries, no alarm: the lowest W is ${show(lowest)}. No alarm is not innocence.`);
}
pad.svg.style.touchAction = "none";
pad.svg.addEventListener("pointerdown", (event) => { pad.svg.setPointerCapture(event.pointerId); });
pad.svg.addEventListener("pointermove", (event) => {
  const q = pad.at(event), near = stream[stream.length - 1];
  if (!pad.svg.hasPointerCapture(event.pointerId) || stream.length >= 200) return;
  if (!near || Math.hypot(q[0] - near[0], q[1] - near[1]) > 0.05) { stream.push([...q, ...rest]); draw(); }
});
button("honest users", () => { stream = honest; draw(); });
button("a thief on a grid", () => { stream = grid.map((q) => [...q, ...rest]); draw(); });
button("begin anew", () => { stream = []; draw(); });
stream = honest;
draw();
