import { timeText } from "./text.js";

/* Elements are made by these and never from markup, so no text can become one. */

/* element("p", { class: "hint", hidden: true }, "text", child) */
export function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  return fill(made, attributes, children);
}

export function svgElement(name, attributes = {}, ...children) {
  return fill(document.createElementNS("http://www.w3.org/2000/svg", name), attributes, children);
}

function fill(made, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (value === true) made.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) made.setAttribute(name, value);
  }
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

/* A time of the API, in the words and the zone of who reads it. */
export function timeElement(time) {
  return element("time", { datetime: time }, timeText(time));
}

export function byId(id) {
  return document.getElementById(id);
}

export function replaceChildren(id, ...children) {
  byId(id).replaceChildren(...children);
}

/*
 * A table; one of more than two columns becomes a list of cards on a narrow screen. columns:
 * [{ title, cell(row), number }]; the first column heads each row.
 */
export function table(columns, rows, labelledBy) {
  const head = columns.map(({ title, number }) =>
    element("th", { scope: "col", class: number ? "number" : null }, title));
  const body = rows.map((row) =>
    element("tr", {}, ...columns.map(({ title, cell, number }, index) =>
      element(index === 0 ? "th" : "td", {
        scope: index === 0 ? "row" : null,
        class: number ? "number" : null,
        "data-label": title,
      }, cell(row)))));
  return element("table", { class: columns.length > 2 ? "stacked" : null, "aria-labelledby": labelledBy },
    element("thead", {}, element("tr", {}, ...head)),
    element("tbody", {}, ...body));
}
