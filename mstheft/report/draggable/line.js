// A walk along a line through the patchwork of a ReLU network with two inputs.
const { A0, b0, A1, b1, u, v } = DATA;
const start = [...u], tip = [u[0] + v[0], u[1] + v[1]];
const plane = chart({ title: "the patchwork: each line is where a neuron switches", x: [-4, 4], y: [-4, 4],
  xlabel: "x₁", ylabel: "x₂", square: true });
const walk = chart({ title: "the network along the walk", x: [-3, 3], y: [-6, 6], xlabel: "t, steps along v", ylabel: "f(u + t v)" });
const steps = chart({ title: "its slope: a staircase", x: [-3, 3], y: [-4, 4], xlabel: "t, steps along v", ylabel: "slope" });
const f = (x) => b1 + sum(A0.map((a, i) => A1[i] * Math.max(0, dot(a, x) + b0[i])));
const slope = (x, way) => sum(A0.map((a, i) => (dot(a, x) + b0[i] > 0 ? A1[i] * dot(a, way) : 0)));
function draw() {
  const way = [tip[0] - start[0], tip[1] - start[1]], at = (t) => [start[0] + t * way[0], start[1] + t * way[1]];
  const kinks = A0.map((a, i) => ({ i, t: -(dot(a, start) + b0[i]) / dot(a, way) }))
    .filter((k) => Math.abs(k.t) <= 3).sort((p, q) => p.t - q.t);
  [plane, walk, steps].forEach((c) => c.clear());
  A0.forEach((a, i) => {
    const n = Math.hypot(...a), foot = a.map((c) => (-b0[i] * c) / (n * n)), along = [-a[1] / n, a[0] / n];
    plane.line([-12, 12].map((s) => [foot[0] + s * along[0], foot[1] + s * along[1]]), `n${i % 6}`);
  });
  plane.line([at(-3), at(3)], "walk");
  plane.dots(kinks.map((k) => at(k.t)), "accent", 5);
  const ts = range(601).map((i) => -3 + i / 100);
  walk.line(ts.map((t) => [t, f(at(t))]), "one");
  walk.dots(kinks.map((k) => [k.t, f(at(k.t))]), "accent", 5);
  const edges = [-3, ...kinks.map((k) => k.t), 3];
  const stairs = edges.slice(1).flatMap((t, i) => {
    const s = slope(at((edges[i] + t) / 2), way);
    return [[edges[i], s], [t, s]];
  });
  steps.line(stairs, "one");
  kinks.forEach((k) => [walk, steps].forEach((c) => c.rule(k.t, `n${k.i % 6} thin`)));
  say(`${kinks.length} kinks on this piece of the line: one where it crosses the hyperplane of a neuron. ` +
      `At each the slope jumps by A1ᵢ |A0ᵢ · v|: ${kinks.map((k) => show(A1[k.i] * Math.abs(dot(A0[k.i], way)))).join(", ")}.`);
}
const put = [plane.handle("u, where the walk starts", start, draw), plane.handle("u + v, one step on", tip, draw)];
button("as in the lesson", () => { put[0]([...u]); put[1]([u[0] + v[0], u[1] + v[1]]); draw(); });
draw();
