// What all draggable pages share: an SVG chart, sliders, points that are dragged or moved by keys.
"use strict";
const SVG = "http://www.w3.org/2000/svg";
const DATA = JSON.parse(document.getElementById("data").textContent);
const host = document.getElementById("stage");
const say = (text) => { document.getElementById("readout").textContent = text; };
const show = (x, digits = 3) => (x === 0 ? "0" : Math.abs(x) >= 1e-3 && Math.abs(x) < 1e4)
  ? Number(x.toPrecision(digits)).toString() : x.toExponential(digits - 1);
const range = (n) => Array.from({ length: n }, (_, i) => i);
const sum = (list) => list.reduce((a, b) => a + b, 0);
const dot = (a, b) => sum(a.map((x, i) => x * b[i]));

function element(name, attributes = {}, parent = null, text = "") {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  if (text) made.textContent = text;
  if (parent) parent.appendChild(made);
  return made;
}

// A chart of [x0, x1] by [y0, y1]; log: the axes that are logarithmic, such as "xy".
function chart({ title, x, y, xlabel, ylabel, log = "", square = false }) {
  const [W, H, left, bottom, top, right] = [560, square ? 480 : 330, 62, 48, 26, 14];
  const svg = element("svg", { viewBox: `0 0 ${W} ${H}`, role: "img", "aria-label": title }, host);
  element("text", { x: left, y: 16, class: "title" }, svg, title);
  const scale = (low, high, is_log, from, to) => {
    const f = is_log ? Math.log10 : (v) => v;
    return (v) => from + ((f(v) - f(low)) / (f(high) - f(low))) * (to - from);
  };
  const X = scale(x[0], x[1], log.includes("x"), left, W - right);
  const Y = scale(y[0], y[1], log.includes("y"), H - bottom, top);
  const ticks = ([low, high], is_log) => {
    if (is_log) {
      const [a, b] = [Math.ceil(Math.log10(low) - 1e-9), Math.floor(Math.log10(high) + 1e-9)];
      const each = Math.max(1, Math.ceil((b - a) / 6));
      return range(Math.floor((b - a) / each) + 1).map((i) => 10 ** (a + i * each));
    }
    const rough = (high - low) / 5, unit = 10 ** Math.floor(Math.log10(rough));
    const each = [1, 2, 5, 10].map((m) => m * unit).find((s) => s >= rough);
    const first = Math.ceil(low / each - 1e-9);
    return range(Math.floor(high / each + 1e-9) - first + 1).map((i) => (first + i) * each);
  };
  const name = (v, is_log) => (is_log ? `1e${Math.round(Math.log10(v))}` : show(v));
  for (const v of ticks(x, log.includes("x"))) {
    element("line", { x1: X(v), x2: X(v), y1: top, y2: H - bottom, class: "grid" }, svg);
    element("text", { x: X(v), y: H - bottom + 17, "text-anchor": "middle" }, svg, name(v, log.includes("x")));
  }
  for (const v of ticks(y, log.includes("y"))) {
    element("line", { x1: left, x2: W - right, y1: Y(v), y2: Y(v), class: "grid" }, svg);
    element("text", { x: left - 7, y: Y(v) + 4, "text-anchor": "end" }, svg, name(v, log.includes("y")));
  }
  element("text", { x: (left + W - right) / 2, y: H - 8, "text-anchor": "middle" }, svg, xlabel);
  const turned = { x: 14, y: (top + H - bottom) / 2, "text-anchor": "middle" };
  element("text", { ...turned, transform: `rotate(-90 14 ${turned.y})` }, svg, ylabel);
  const clip = `clip${document.querySelectorAll("svg").length}`;
  const hole = element("clipPath", { id: clip }, element("defs", {}, svg));
  element("rect", { x: left, y: top, width: W - left - right, height: H - bottom - top }, hole);
  const layer = element("g", { "clip-path": `url(#${clip})` }, svg);
  const handles = element("g", {}, svg);
  const at = (event) => {  // the point of the chart under a pointer
    const p = new DOMPoint(event.clientX, event.clientY).matrixTransform(svg.getScreenCTM().inverse());
    return [x[0] + ((p.x - left) / (W - right - left)) * (x[1] - x[0]),
            y[0] + ((H - bottom - p.y) / (H - bottom - top)) * (y[1] - y[0])];
  };
  return {
    svg, X, Y, at,
    clear: () => layer.replaceChildren(),
    line: (points, kind = "one") => element("polyline", {
      points: points.map(([a, b]) => `${X(a)},${Y(b)}`).join(" "), class: kind }, layer),
    dots: (points, kind = "one", r = 4) => points.map(([a, b]) =>
      element("circle", { cx: X(a), cy: Y(b), r, class: `dot ${kind}` }, layer)),
    rule: (v, kind = "quiet") => element("line", { x1: X(v), x2: X(v), y1: top, y2: H - bottom, class: kind }, layer),
    bar: (a, b, height, kind = "one") => element("rect", { x: X(a) + 0.5, width: Math.max(1, X(b) - X(a) - 1),
      y: Y(height), height: Math.max(0, Y(y[0]) - Y(height)), class: `fill ${kind}` }, layer),
    ring: (centre, radius, kind = "quiet") => element("ellipse", { cx: X(centre[0]), cy: Y(centre[1]),
      rx: Math.abs(X(radius) - X(0)), ry: Math.abs(Y(radius) - Y(0)), class: `ring ${kind}` }, layer),
    note: (v, w, text) => element("text", { x: X(v) + 6, y: Y(w) - 6, class: "note" }, layer, text),
    // A point that is dragged, or moved by the arrow keys when it has the focus.
    handle: (name, point, moved) => {
      const made = element("circle", { r: 9, tabindex: 0, role: "slider", "aria-label": name, class: "handle" }, handles);
      const put = (p) => {
        point[0] = Math.min(x[1], Math.max(x[0], p[0]));
        point[1] = Math.min(y[1], Math.max(y[0], p[1]));
        made.setAttribute("cx", X(point[0])); made.setAttribute("cy", Y(point[1]));
        made.setAttribute("aria-valuetext", point.map((v) => show(v)).join(", "));
      };
      put(point);
      made.addEventListener("pointerdown", (event) => { made.setPointerCapture(event.pointerId); event.preventDefault(); made.focus(); });
      made.addEventListener("pointermove", (event) => {
        if (made.hasPointerCapture(event.pointerId)) { put(at(event)); moved(); }
      });
      made.addEventListener("keydown", (event) => {
        const way = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key];
        if (!way) return;
        event.preventDefault();
        put([point[0] + way[0] * (x[1] - x[0]) / 100, point[1] + way[1] * (y[1] - y[0]) / 100]); moved();
      });
      return put;
    },
  };
}

// A slider; `words(value)` says its value, and may translate it (10 ** value).
function slider(label, low, high, step, start, words, moved) {
  const box = document.createElement("label"), input = document.createElement("input"), said = document.createElement("output");
  Object.assign(input, { type: "range", min: low, max: high, step, value: start });
  const tell = () => { said.textContent = words(Number(input.value)); };
  box.append(`${label} `, input, said);
  document.getElementById("controls").append(box);
  input.addEventListener("input", () => { tell(); moved(); });
  tell();
  return { get value() { return Number(input.value); },
           set value(v) { input.value = v; tell(); } };
}

function button(label, pressed) {
  const made = document.createElement("button");
  made.type = "button"; made.textContent = label;
  made.addEventListener("click", pressed);
  document.getElementById("controls").append(made);
  return made;
}
