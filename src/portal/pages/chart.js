/* A small line chart as SVG, with its figures as text for those who cannot see it. */
import { element, svgElement } from "./dom.js";
import { text } from "./text.js";

const width = 320;
const height = 120;
const left = 4;
const top = 16;

function scaled(points) {
  const values = points.map(({ value }) => value);
  const times = points.map(({ time }) => time);
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const [first, last] = [Math.min(...times), Math.max(...times)];
  const x = (time) => left + (width - 2 * left) * (last === first ? 0 : (time - first) / (last - first));
  const y = (value) => top + (height - 2 * top) * (high === low ? 0.5 : 1 - (value - low) / (high - low));
  return { low, high, path: points.map(({ time, value }, index) =>
    `${index === 0 ? "M" : "L"}${x(time).toFixed(1)} ${y(value).toFixed(1)}`).join("") };
}

const number = new Intl.NumberFormat(document.documentElement.lang, { maximumSignificantDigits: 3 });

/* points: [{ time in ms, value }], oldest first. */
export function chart(title, points) {
  const caption = element("figcaption", {}, element("strong", {}, title));
  if (points.length < 2)
    return element("figure", { class: "chart" }, caption, element("p", {}, text("status.chart.none")));
  const { low, high, path } = scaled(points);
  const summary = text("status.chart.summary", { title, low: number.format(low),
    high: number.format(high), last: number.format(points[points.length - 1].value) });
  return element("figure", { class: "chart" }, caption,
    svgElement("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": summary },
      svgElement("line", { x1: left, y1: top, x2: width - left, y2: top }),
      svgElement("line", { x1: left, y1: height - top, x2: width - left, y2: height - top }),
      svgElement("text", { x: left, y: top - 4 }, number.format(high)),
      svgElement("text", { x: left, y: height - 3 }, number.format(low)),
      svgElement("path", { d: path })));
}
