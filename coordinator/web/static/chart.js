/*
 * A cursor over curves that says their values, and a closer look: drag over a range of
 * steps, and the server draws it with all of its points; a double click shows everything
 * again. The forms beside the charts do the same for the keyboard.
 */
const SVG = "http://www.w3.org/2000/svg", LEAST = 6;
const corners = new WeakMap();
let current = null, pressed = null;

function axes(figure) {
  const [x0, x1, left, right, y0, y1, bottom, top] = figure.dataset.chart.split(" ").map(Number);
  return {
    left, right, bottom, top,
    step: (x) => x0 + ((x - left) / (right - left)) * (x1 - x0),
    value: (y) => y0 + ((y - bottom) / (top - bottom)) * (y1 - y0),
  };
}

/* The points of a line, in the drawing's units. */
function points(path) {
  if (!corners.has(path))
    corners.set(path, [...path.getAttribute("d").matchAll(/(-?[\d.]+) (-?[\d.]+)/g)].map((m) => [Number(m[1]), Number(m[2])]));
  return corners.get(path);
}

const labels = (figure) => figure.dataset.labels.split("|").slice(0, -1);
const nearest = (list, x) => list.reduce((best, p) => (Math.abs(p[0] - x) < Math.abs(best[0] - x) ? p : best));

function place(figure, event) {
  const svg = figure.querySelector("svg");
  const x = new DOMPoint(event.clientX, event.clientY).matrixTransform(svg.getScreenCTM().inverse()).x;
  const a = axes(figure);
  return { svg, a, x: Math.min(Math.max(x, a.left), a.right) };
}

function clear() {
  if (!current) return;
  current.querySelector("output").textContent = "";
  current.querySelector(".cursor")?.remove();
  current = null;
}

function mark({ svg, a, x }) {
  const cursor = svg.querySelector(".cursor") || svg.appendChild(document.createElementNS(SVG, "line"));
  const at = { class: "cursor", x1: x, x2: x, y1: a.top, y2: a.bottom };
  for (const [name, value] of Object.entries(at)) cursor.setAttribute(name, value);
}

function say(figure, here) {
  const names = labels(figure);
  if (!names.length) return;
  const lines = [...here.svg.querySelectorAll("path")].slice(-names.length);
  const found = lines.map((path) => nearest(points(path), here.x));
  const step = Math.round(here.a.step(nearest(found, here.x)[0])).toLocaleString("en");
  const values = found.map((p, i) => `${names[i]} ${Number(here.a.value(p[1]).toPrecision(4))}`.trim());
  figure.querySelector("output").textContent = `step ${step}: ${values.join(" · ")}`;
}

/* The part that the chart is in is asked for anew, or the page is. */
function look(figure, from, to) {
  const part = figure.closest("[data-src]");
  const address = new URL(part ? part.dataset.src : location.href, location.href);
  address.searchParams.delete("from");
  address.searchParams.delete("to");
  if (from !== undefined) {
    address.searchParams.set("from", from);
    address.searchParams.set("to", to);
  }
  if (!part) location.assign(address);
  else {
    part.dataset.src = address.pathname + address.search;
    part.dispatchEvent(new Event("renew", { bubbles: true }));
  }
}

const figureOf = (event) => event.target.closest?.("figure[data-chart]");

addEventListener("pointermove", (event) => {
  const figure = figureOf(event);
  if (figure !== current) clear();
  if (!figure) return;
  current = figure;
  const here = place(figure, event);
  mark(here);
  say(figure, here);
});

addEventListener("pointerdown", (event) => {
  const figure = event.button === 0 && event.target.closest?.("svg") && figureOf(event);
  pressed = figure ? { figure, x: place(figure, event).x } : null;
});

addEventListener("pointerup", (event) => {
  const from = pressed;
  pressed = null;
  if (!from || figureOf(event) !== from.figure) return;
  const { a, x } = place(from.figure, event);
  if (Math.abs(x - from.x) < LEAST) return;
  const steps = [a.step(Math.min(x, from.x)), a.step(Math.max(x, from.x))];
  look(from.figure, Math.max(0, Math.floor(steps[0])), Math.ceil(steps[1]));
});

addEventListener("dblclick", (event) => {
  const figure = event.target.closest?.("svg") && figureOf(event);
  if (figure) look(figure);
});
