// Greedy k-center: the next query is the point that is farthest from all that are labelled.
const { pool, first } = DATA;
const chosen = [first];
const plane = chart({ title: "the thief's pool; click a point to begin with it", x: [-4, 4], y: [-4, 4], xlabel: "score of class 1", ylabel: "score of class 2", square: true });
const radius = chart({ title: "how far the farthest point is from its nearest pick", x: [1, 30], y: [0, 7], xlabel: "picks", ylabel: "radius" });
const far = (i, picks) => Math.min(...picks.map((j) => Math.hypot(pool[i][0] - pool[j][0], pool[i][1] - pool[j][1])));
const farthest = (picks) => range(pool.length).reduce((best, i) => (far(i, picks) > far(best, picks) ? i : best), 0);
const picks = slider("picks", 1, 30, 1, 4, (k) => `${k}`, draw);
function draw() {
  while (chosen.length < 31) chosen.push(farthest(chosen));
  const own = chosen.slice(0, picks.value), next = chosen[picks.value];
  plane.clear(); radius.clear();
  const wide = far(next, own);
  own.forEach((i) => plane.ring(pool[i], wide));
  plane.dots(pool, "quiet", 3).forEach((dot, i) => dot.addEventListener("click", () => { chosen.splice(0, 99, i); draw(); }));
  plane.dots(own.map((i) => pool[i]), "one", 6);
  own.forEach((i, n) => plane.note(...pool[i], `${n + 1}`));
  plane.dots([pool[next]], "accent", 7);
  const radii = range(30).map((k) => [k + 1, far(chosen[k + 1], chosen.slice(0, k + 1))]);
  radius.line(radii, "one"); radius.dots([radii[picks.value - 1]], "accent", 6);
  say(`${picks.value} picks cover the pool with circles of radius ${show(wide)}. The next pick (orange) is the point on the edge: the farthest one. Every other set of ${picks.value} points needs at least half of that radius.`);
}
button("one more", () => { picks.value = Math.min(30, picks.value + 1); draw(); });
button("as in the lesson", () => { chosen.splice(0, 99, first); picks.value = 4; draw(); });
draw();
