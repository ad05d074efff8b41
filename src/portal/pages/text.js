/* Texts come from the one catalogue, which the build makes into a module. */
import catalogue from "./catalogue.js";

/* The text of that key with {name} replaced; the fallback, or the key itself, if there is none. */
export function text(key, values = {}, fallback = key) {
  const pattern = Object.hasOwn(catalogue, key) ? catalogue[key] : fallback;
  return pattern.replace(/\{([a-z]+)\}/g, (whole, name) =>
    Object.hasOwn(values, name) ? String(values[name]) : whole);
}

export function hasText(key) {
  return Object.hasOwn(catalogue, key);
}

const dateTime = new Intl.DateTimeFormat(document.documentElement.lang, {
  dateStyle: "medium",
  timeStyle: "short",
});

/* A time of the API as people read it, in their own zone. */
export function timeText(time) {
  return dateTime.format(new Date(time));
}

const ages = [
  ["days", 86400],
  ["hours", 3600],
  ["minutes", 60],
  ["seconds", 1],
];

/* "3 minutes ago" */
export function ageText(seconds) {
  const [unit, length] = ages.find(([, each]) => seconds >= 2 * each) ?? ages[ages.length - 1];
  return text(`status.ago.${unit}`, { count: Math.floor(seconds / length) });
}
