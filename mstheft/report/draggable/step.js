// The step c of a second difference: too long, it crosses another kink; too short, rounding wins.
const { slopes, kinks } = DATA;  // f(t) = sum_i slopes[i] relu(t - kinks[i]); kinks[0] = 0 is the one measured
const forms = [["float64", (v) => v], ["float32", Math.fround], ["6 decimals", (v) => Math.round(v * 1e6) / 1e6], ["3 decimals", (v) => Math.round(v * 1e3) / 1e3]];
const exact = (t) => 10 + sum(slopes.map((s, i) => s * Math.max(0, t - kinks[i])));
const measured = (c, form) => (form(exact(c)) - 2 * form(exact(0)) + form(exact(-c))) / c;
const wrong = (c, form) => Math.max(1e-17, Math.abs(measured(c, form) - slopes[0]) / slopes[0]);
const curve = chart({ title: "the network along one direction, and the three queries", x: [-2, 2], y: [9, 13], xlabel: "t, distance from the critical point", ylabel: "f" });
const valley = chart({ title: "the valley: relative error of the weight against c", x: [1e-14, 2], y: [1e-17, 1e3], xlabel: "step c", ylabel: "error", log: "xy" });
const step = slider("step c", -14, 0.3, 0.05, -0.3, (e) => show(10 ** e), draw);
const digits = slider("answers", 0, forms.length - 1, 1, 0, (i) => forms[i][0], draw);
function draw() {
  const c = 10 ** step.value, form = forms[digits.value][1];
  curve.clear(); valley.clear();
  curve.line(range(401).map((i) => -2 + i / 100).map((t) => [t, exact(t)]), "one");
  kinks.forEach((k, i) => curve.rule(k, i ? "quiet" : "accent thin"));
  curve.dots([-c, 0, c].map((t) => [t, form(exact(t))]), "accent", 6);
  forms.forEach(([, each], i) => valley.line(range(320).map((j) => 10 ** (-14 + j * 0.0447)).map((s) => [s, wrong(s, each)]), i === digits.value ? "one" : "quiet"));
  valley.dots([[c, wrong(c, form)]], "accent", 7);
  const gap = Math.min(...kinks.slice(1).map(Math.abs));
  const why = c > gap ? `The step crosses the next kink, ${show(gap)} away: what is measured is more than one neuron.`
    : wrong(c, form) > 1e-2 ? "The step is so short that the rounding of the answers, divided by c, wins."
    : "Only this neuron changes sides between the three points, and rounding is small: a good step.";
  say(`(f(c) − 2 f(0) + f(−c)) / c = ${show(measured(c, form), 6)}; the weight is ${show(slopes[0], 6)}; relative error ${show(wrong(c, form))}. ${why}`);
}
button("as in the lesson", () => { step.value = -4; digits.value = 0; draw(); });
draw();
