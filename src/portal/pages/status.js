import { get } from "./api.js";
import { chart } from "./chart.js";
import { byId, replaceChildren, table } from "./dom.js";
import { run } from "./page.js";
import { ageText, text } from "./text.js";

const columns = [
  { title: text("status.domain"), cell: ({ domain }) => domain },
  { title: text("status.live"), number: true, cell: ({ live }) => String(live) },
  { title: text("status.age"),
    cell: ({ age_seconds: age }) => (age === null ? text("status.never") : ageText(age)) },
];

function points(samples, name, scale = 1) {
  return samples.filter((sample) => sample[name] !== null)
    .map((sample) => ({ time: Date.parse(sample.time), value: sample[name] * scale }));
}

run(async () => {
  const status = await get("/status.json");
  byId("server").textContent = text(`status.server.${status.server}`);
  byId("server").className = `state ${status.server}`;
  byId("generation").textContent = text("status.generation", { number: status.generation });
  replaceChildren("domains", table(columns, status.domains, "domains-heading"));
  replaceChildren("charts",
    chart(text("status.chart.live"), points(status.samples, "live")),
    chart(text("status.chart.lookups"), points(status.samples, "lookups")),
    chart(text("status.chart.refresh"), points(status.samples, "refresh_ms", 0.001)));
});
