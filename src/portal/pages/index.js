import { get } from "./api.js";
import { byId, element, replaceChildren, table } from "./dom.js";
import { run } from "./page.js";
import { hasText, text } from "./text.js";

function showProblem() {
  const code = new URLSearchParams(location.search).get("problem");
  if (code === null) return;
  const key = `problem.${code}`;
  const shown = byId("problem");
  shown.querySelector("p").textContent = text(hasText(key) && code !== "title" ? key : "problem.other");
  shown.hidden = false;
}

const columns = [
  { title: text("home.domain"), cell: ({ domain }) => domain },
  { title: text("home.live"), number: true, cell: ({ live }) => String(live) },
];

run(async (session) => {
  showProblem();
  const [href, label] = session.logged_in ? ["/me", "nav.me"] : ["/login?next=/me", "nav.login"];
  replaceChildren("enter", element("a", { class: "button main", href }, text(label)));
  const { domains } = await get("/status.json");
  replaceChildren("domains", table(columns, domains, "domains-heading"));
});
