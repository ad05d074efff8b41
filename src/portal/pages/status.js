import { get } from "./api.js";
import { chart } from "./chart.js";
import { byId, element, replaceChildren } from "./dom.js";
import { run } from "./page.js";
import { ageText, text } from "./text.js";

function row({ domain, live, age_seconds: age }) {
  return element("tr", {},
    element("th", { scope: "row" }, domain),
    element("td", { class: "number" }, String(live)),
    element("td", {}, age === null ? text("admin.domain.never") : ageText(age)));
}

function points(samples, name, scale = 1) {
  return samples.filter((sample) => sample[name] !== null)
    .map((sample) => ({ time: Date.parse(sample.time), value: sample[name] * scale }));
}

run(async () => {
  const status = await get("/status.json");
  byId("server").textContent = text(`status.server.${status.server}`);
  byId("generation").textContent = text("status.generation", { number: status.generation });
  replaceChildren("domains", ...status.domains.map(row));
  replaceChildren("charts",
    chart(text("status.chart.live"), points(status.samples, "live")),
    chart(text("status.chart.lookups"), points(status.samples, "lookups")),
    chart(text("status.chart.refresh"), points(status.samples, "refresh_ms", 0.001)));
});
