// Logistic regression from three queries, when probabilities come with few decimals.
const { w, b, queries, errors } = DATA;
const points = queries.map((q) => [...q]);
const plane = chart({ title: "three queries, the victim's boundary and the copy's", x: [-4, 4], y: [-4, 4], xlabel: "x₁", ylabel: "x₂", square: true });
const curve = chart({ title: "error of the weights against decimals, as measured in the lesson", x: [1, 16], y: [1e-16, 10], xlabel: "decimals", ylabel: "error", log: "y" });
const decimals = slider("decimals", 1, 16, 1, 3, (k) => `${k}`, draw);
const p = (x) => 1 / (1 + Math.exp(-(dot(w, x) + b)));
function solved(A, y) {  // three equations by Cramer's rule
  const det = (m) => m[0][0] * (m[1][1] * m[2][2] - m[1][2] * m[2][1]) - m[0][1] * (m[1][0] * m[2][2] - m[1][2] * m[2][0]) + m[0][2] * (m[1][0] * m[2][1] - m[1][1] * m[2][0]);
  return range(3).map((j) => det(A.map((row, i) => row.map((v, k) => (k === j ? y[i] : v)))) / det(A));
}
const boundary = (n, c) => {
  const size = Math.hypot(...n), foot = n.map((v) => (-c * v) / size ** 2);
  return [-12, 12].map((s) => [foot[0] - (s * n[1]) / size, foot[1] + (s * n[0]) / size]);
};
function draw() {
  const k = decimals.value, unit = 10 ** k;
  const answers = points.map((x) => Math.round(p(x) * unit) / unit);
  const clipped = answers.some((q) => q <= 0 || q >= 1);
  plane.clear(); curve.clear();
  plane.line(boundary(w, b), "one");
  curve.line(errors, "one"); curve.dots(errors, "one", 3);
  let told = "One answer is rounded to 0 or 1: its logit is infinite. Move that query nearer to the boundary.";
  if (!clipped) {
    const copy = solved(points.map((x) => [...x, 1]), answers.map((q) => Math.log(q / (1 - q))));
    const miss = Math.max(Math.abs(copy[0] - w[0]), Math.abs(copy[1] - w[1]), Math.abs(copy[2] - b));
    if (copy.every(Number.isFinite)) {
      plane.line(boundary(copy.slice(0, 2), copy[2]), "walk");
      curve.dots([[k, Math.max(1e-16, miss)]], "accent", 7);
      told = `The copy: w = (${show(copy[0])}, ${show(copy[1])}), b = ${show(copy[2])}; largest error ${show(miss)}.`;
    } else told = "The three queries lie on one line: three equations, but not three independent ones.";
  }
  say(`Answers: ${answers.map((q) => q.toFixed(k)).join(", ")}. ${told}`);
}
const put = points.map((point, i) => plane.handle(`query ${i + 1}`, point, draw));
button("as in the lesson", () => { put.forEach((each, i) => each([...queries[i]])); decimals.value = 3; draw(); });
draw();
