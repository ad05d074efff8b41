import { get, post } from "./api.js";
import { byId, element, replaceChildren, table, timeElement } from "./dom.js";
import { eventColumns, showEvents } from "./events.js";
import { makeDialog, onSubmit, openDialog, run, say, withButton } from "./page.js";
import { text } from "./text.js";

const states = ["active", "leaving", "pending", "refused", "paused", "gone"];
const reasons = ["not-member", "not-valid", "coc-not-signed", "no-target", "illegal-local-part", "taken",
  "reserved", "banned", "paused", "renamed", "grace-over", "removed", "another-person"];
let planDialog = null;
let shownPlan = null;

function stateBadge(state, count = "") {
  return element("span", { class: `state ${state}` }, `${text(`state.${state}`)} ${count}`.trim());
}

/* How many there are in each state that somebody is in, and those without a person. */
function countBadges({ states: counts, static: fixed }) {
  const badges = states.filter((state) => counts[state] > 0)
    .map((state) => stateBadge(state, counts[state]));
  if (fixed > 0)
    badges.push(element("span", { class: "state" }, text("admin.domain.static", { count: fixed })));
  return element("div", { class: "badges" }, ...badges);
}

/* Of somebody else: the texts of the member's own page say "you". */
function reasonText(reason) {
  return reason === null ? "" : text(`admin.reason.${reason}`, {}, reason);
}

function domainNotes(domain) {
  const notes = [text(domain.is_open ? "admin.domain.open" : "admin.domain.closed")];
  if (domain.is_held)
    notes.push(text("admin.domain.held", { reason: domain.hold_reason ?? "" }));
  if (domain.is_frozen) notes.push(text("admin.domain.frozen"));
  if (domain.error !== null) notes.push(text("admin.domain.error", { error: domain.error }));
  return element("div", {}, ...notes.map((note) => element("p", {}, note)));
}

function planCell({ domain, plan }) {
  if (plan === null) return text("admin.plan.none");
  const button = element("button",
    { type: "button", "aria-label": text("admin.plan.show.label", { domain }) },
    text("admin.plan.show"));
  button.addEventListener("click", () => withButton(button, () => showPlan(domain, button)));
  const answer = plan.discarded ? element("p", {}, text("admin.plan.no")) : null;
  return element("div", {}, element("p", {}, text("admin.plan.counts", plan)), answer, button);
}

const domainColumns = [
  { title: text("admin.domain"), cell: ({ domain }) => domain },
  { title: text("admin.domain.state"), cell: domainNotes },
  { title: text("admin.domain.addresses"), cell: countBadges },
  { title: text("admin.domain.last"),
    cell: ({ last_success: last }) => (last === null ? text("admin.domain.never") : timeElement(last)) },
  { title: text("admin.plan"), cell: planCell },
];

async function showDomains() {
  const { domains } = await get("/api/admin/domains");
  replaceChildren("domains", element("div", { class: "scroll", tabindex: "0", role: "region",
    "aria-labelledby": "domains-heading" }, table(domainColumns, domains, "domains-heading")));
  return domains;
}

const planColumns = [
  { title: text("admin.plan.name"), cell: ({ name }) => name },
  { title: text("admin.plan.before"), cell: ({ before }) => (before === null ? "" : stateBadge(before)) },
  { title: text("admin.plan.after"), cell: ({ after }) => stateBadge(after) },
  { title: text("admin.plan.reason"), cell: ({ reason }) => reasonText(reason) },
];

async function showPlan(domain, opener) {
  shownPlan = await get(`/api/admin/plans/${encodeURIComponent(domain)}`);
  byId("plan-title").textContent = text("admin.plan.title", { domain });
  byId("plan-reason").textContent = shownPlan.reason;
  const rest = shownPlan.more === 0 ? []
    : [element("p", {}, text("admin.plan.rest", { count: shownPlan.more, domain }))];
  replaceChildren("plan-rows", table(planColumns, shownPlan.rows, "plan-title"), ...rest);
  openDialog(planDialog, opener);
}

function bindPlan() {
  planDialog = makeDialog("plan-dialog");
  for (const [act, done] of [["release", "admin.plan.released"], ["discard", "admin.plan.discarded"]]) {
    const button = byId(`plan-${act}`);
    button.addEventListener("click", () => withButton(button, async () => {
      const { domain, number } = shownPlan;
      await post(`/api/admin/plans/${encodeURIComponent(domain)}/${act}`, { number })
        .finally(() => planDialog.close());
      await showDomains();
      return text(done, { domain });
    }));
  }
}

const memberColumns = [
  { title: text("admin.member.address"), cell: ({ address }) => address },
  { title: text("admin.members.state"), cell: ({ state }) => stateBadge(state) },
  { title: text("admin.member.reason"), cell: ({ reason }) => reasonText(reason) },
  { title: text("admin.member.targets"), number: true,
    cell: ({ targets }) => (targets === null ? "?" : String(targets)) },
  { title: text("admin.member.since"), cell: ({ since }) => (since === null ? "" : timeElement(since)) },
];

async function searchMembers(query) {
  const shown = [];
  async function showPage(after) {
    /* A page has nobody when the search is not through yet. */
    let page = { members: [], next_after: after };
    do {
      page = await get("/api/admin/members", { ...query, after: page.next_after });
    } while (page.members.length === 0 && page.next_after !== null);
    shown.push(...page.members);
    const parts = shown.length === 0 ? [element("p", {}, text("admin.members.none"))]
      : [table(memberColumns, shown, "members-heading")];
    if (page.next_after !== null) {
      const button = element("button", { type: "button" }, text("admin.members.more"));
      button.addEventListener("click", () => withButton(button, () => showPage(page.next_after)));
      parts.push(button);
    }
    replaceChildren("members", ...parts);
  }
  await showPage(null);
}

function bindMembers(domains) {
  const any = () => element("option", { value: "" }, text("admin.members.any"));
  replaceChildren("search-domain", any(),
    ...domains.map(({ domain }) => element("option", { value: domain }, domain)));
  replaceChildren("search-state", any(),
    ...states.map((state) => element("option", { value: state }, text(`state.${state}`))));
  replaceChildren("search-reason", any(),
    ...reasons.map((reason) => element("option", { value: reason }, reasonText(reason))));
  onSubmit(byId("member-search"), searchMembers);
}

function liftButton({ name }) {
  const button = element("button",
    { type: "button", "aria-label": text("admin.ban.lift.label", { name }) }, text("admin.ban.lift"));
  button.addEventListener("click", () => withButton(button, async () => {
    await post("/api/admin/bans/remove", { name });
    await showBans();
    return text("admin.unbanned", { name });
  }));
  return button;
}

const banColumns = [
  { title: text("admin.ban.name"), cell: ({ name }) => name },
  { title: text("admin.ban.since"), cell: ({ since }) => timeElement(since) },
  { title: text("admin.ban.reason"), cell: ({ reason }) => reason ?? "" },
  { title: "", cell: liftButton },
];

async function showBans() {
  const { bans } = await get("/api/admin/bans");
  replaceChildren("bans", bans.length === 0 ? element("p", {}, text("admin.bans.none"))
    : table(banColumns, bans, "bans-heading"));
}

function bindBans() {
  byId("bans-section").hidden = false;
  onSubmit(byId("ban"), async ({ name, reason }) => {
    await post("/api/admin/bans", { name, reason });
    byId("ban").reset();
    await showBans();
    return text("admin.banned", { name });
  });
}

const noticeColumns = [
  { title: text("admin.notice.kind"), cell: ({ kind }) => kind },
  { title: text("event.domain"), cell: ({ domain }) => domain ?? "" },
  { title: text("admin.notice.audience"), cell: ({ audience }) => audience },
  { title: text("event.subject"), cell: ({ about }) => about ?? "" },
  { title: text("admin.notice.made"), cell: ({ made }) => timeElement(made) },
  { title: text("admin.notice.attempts"), number: true, cell: ({ attempts }) => String(attempts) },
];

async function showNotices() {
  const { notices, is_more: isMore } = await get("/api/admin/notices");
  const parts = notices.length === 0 && !isMore ? [element("p", {}, text("admin.notices.none"))]
    : [table(noticeColumns, notices, "notices-heading")];
  if (isMore) parts.push(element("p", {}, text("admin.notices.rest")));
  replaceChildren("notices", ...parts);
}

run(async (session) => {
  if (!session.is_admin) {
    say(text("error.not-allowed"), "bad");
    return;
  }
  bindPlan();
  bindMembers(await showDomains());
  if (session.is_portal_admin) {
    bindBans();
    await showBans();
  }
  await showNotices();
  await showEvents("events", "/api/admin/events", eventColumns,
    { none: "admin.events.none", more: "admin.events.more" });
}, { needsLogin: true });
