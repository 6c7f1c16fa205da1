// PATE: how much privacy a number of answers costs, and how often noise gives the wrong label.
const { votes, labels } = DATA;
const counts = [...votes];
const tally = chart({ title: "votes of the teachers; drag a bar by its handle", x: [0, votes.length], y: [0, 250], xlabel: "class", ylabel: "votes" });
const bill = chart({ title: "the bill: ε at δ = 1e-5 after so many answers", x: [1, 5000], y: [0.01, 100], xlabel: "answers", ylabel: "ε", log: "xy" });
const noise = slider("noise σ", 1, 200, 1, 40, (v) => `${v} votes`, draw);
const asked = slider("answers", 0, 3.69, 0.01, 2, (e) => `${Math.round(10 ** e)}`, draw);
const orders = range(400).map((i) => 1.01 + 10 ** (-2 + i / 80));
const epsilon = (n, sigma) => Math.min(...orders.map((a) => (n * a) / sigma ** 2 + Math.log(1e5) / (a - 1)));
function chance(sigma) {  // that the noisy maximum is the true one: a fixed set of normal draws
  let right = 0;
  const best = counts.indexOf(Math.max(...counts));
  for (const draw of DATA.draws) {
    const noisy = counts.map((v, i) => v + sigma * draw[i]);
    right += noisy.indexOf(Math.max(...noisy)) === best;
  }
  return right / DATA.draws.length;
}
function draw() {
  tally.clear(); bill.clear();
  const best = counts.indexOf(Math.max(...counts)), n = Math.round(10 ** asked.value);
  counts.forEach((v, i) => { tally.bar(i + 0.1, i + 0.9, v, i === best ? "one" : "quiet");
    tally.note(i + 0.1, Math.max(v, 1), labels[i]); });
  const line = range(100).map((i) => 10 ** (i * 0.037)).map((k) => [k, epsilon(k, noise.value)]);
  bill.line(line, "one"); bill.dots([[n, epsilon(n, noise.value)]], "accent", 7);
  const p = chance(noise.value), total = sum(counts);
  const warning = noise.value > total / 4 ? ` With ${Math.round(total)} teachers this noise drowns the votes.` : "";
  say(`${n} answers with σ = ${noise.value} cost ε = ${show(epsilon(n, noise.value))}. The label of this row is right in ${(100 * p).toFixed(1)} % of the draws.${warning}`);
}
counts.forEach((v, i) => {
  const point = [i + 0.5, v];
  const put = tally.handle(`votes for ${labels[i]}`, point, () => { counts[i] = Math.round(point[1]); put([i + 0.5, counts[i]]); draw(); });
});
draw();
