import { get, post } from "./api.js";
import { byId, element, replaceChildren, timeElement } from "./dom.js";
import { showEvents } from "./events.js";
import { goAndSay, makeDialog, onSubmit, openDialog, run, withButton } from "./page.js";
import { hasText, text, timeText } from "./text.js";

const policies = ["append", "drop", "refuse"];

function extensionField(address) {
  const options = policies.map((policy) =>
    element("option", { value: policy, selected: policy === address.extension },
      text(`me.extension.${policy}`)));
  const id = `extension-${address.address}`;
  const tagged = address.address.replace("@", "+tag@");
  const select = element("select", { id }, ...options);
  select.addEventListener("change", () => withButton(select, async () => {
    await post("/api/me/extension", { address: address.address, extension: select.value });
    return text("me.saved");
  }));
  return element("p", {},
    element("label", { for: id }, text("me.extension.label", { address: tagged })), select);
}

/* Why it is so and what to do about it; the link leads there. */
function reasonLines({ reason, team, next_url: url }) {
  if (reason === null) return [];
  const key = `reason.${reason}`;
  const lines = [element("p", {}, text(key, { team }, reason))];
  const next = hasText(`${key}.next`) ? text(`${key}.next`, { team }) : url;
  if (url !== null)
    lines.push(element("p", {}, element("a", { href: url, rel: "noreferrer" }, next)));
  else if (next !== null)
    lines.push(element("p", {}, next));
  return lines;
}

function addressCard(address, isChangeable) {
  const { kind, live_since: live, since, state } = address;
  const hasChoice = kind !== "former" && state !== "none" && state !== "gone";
  const times = [];
  if (since !== null) times.push(text("me.since", { time: timeText(since) }));
  if (live !== null && live !== since) times.push(text("me.live-since", { time: timeText(live) }));
  return element("li", { "data-address": address.address },
    element("h3", {}, address.address),
    element("p", {}, element("span", { class: `state ${state}` }, text(`state.${state}`)),
      " ", element("span", { class: "hint" }, times.join(", "))),
    address.grace_end === null ? null
      : element("p", {}, text("me.grace-end", { time: timeText(address.grace_end) })),
    ...reasonLines(address),
    isChangeable && hasChoice ? extensionField(address) : null);
}

/* Whoever is banned, or has nothing here, would be refused whatever it is. */
function canChange({ addresses, banned: isBanned, targets }) {
  return !isBanned && (targets.length > 0 || addresses.some(({ state }) => state !== "none"));
}

function targetNote(target) {
  if (target.proof === "waiting")
    return text("me.target.waiting", { time: timeText(target.expires) });
  const used = text(target.used ? "me.target.used" : "me.target.unused");
  return `${text(`me.target.from.${target.source}`)}, ${used}`;
}

function removeButton({ address }) {
  const button = element("button",
    { type: "button", "aria-label": text("me.target.remove.label", { address }) },
    text("me.target.remove"));
  button.addEventListener("click", () => withButton(button, async () => {
    await post("/api/me/targets/remove", { address });
    await show();
    byId("new-target").focus();
    return text("me.target.removed", { address });
  }));
  return button;
}

function targetRow(target) {
  return element("li", { "data-target": target.address },
    element("div", {}, element("p", {}, target.address),
      element("p", { class: "hint" }, targetNote(target))),
    target.source === "person" ? removeButton(target) : null);
}

function detailText({ act, detail }) {
  if (detail === null) return "";
  return act === "alias.extension" ? text(`me.extension.${detail}`, {}, detail)
    : text(`admin.reason.${detail}`, {}, detail);
}

/* Of one's own acts and what they led to, in words. */
const historyColumns = [
  { title: text("event.time"), cell: ({ time }) => timeElement(time) },
  { title: text("event.actor"), cell: ({ actor }) => text(`actor.${actor}`, {}, actor) },
  { title: text("event.act"), cell: ({ act }) => text(`act.${act}`, {}, act) },
  { title: text("event.domain"), cell: ({ domain }) => domain ?? "" },
  { title: text("event.detail"), cell: detailText },
];

function showPause(paused) {
  byId("pause-text").textContent = text(paused ? "me.resume.text" : "me.pause.text");
  byId("pause").textContent = text(paused ? "me.resume.do" : "me.pause.do");
  byId("pause").dataset.paused = paused ? "yes" : "no";
}

async function show() {
  const me = await get("/api/me");
  byId("found").hidden = me.found_by_login === null;
  if (me.found_by_login !== null) byId("found").textContent = text(`me.found.${me.found_by_login}`);
  byId("none").hidden = !me.is_member_of_none;
  const isChangeable = canChange(me);
  byId("choices").hidden = !isChangeable;
  replaceChildren("addresses", ...me.addresses.map((address) => addressCard(address, isChangeable)));
  byId("no-targets").hidden = me.targets.length > 0;
  replaceChildren("targets", ...me.targets.map(targetRow));
  byId("new-target-hint").textContent = text("me.target.hint", { count: me.targets_max });
  byId("sending").textContent = text("me.sending.text", { login: me.login_name });
  byId("erase-label").textContent = text("me.erase.label", { name: me.name });
  showPause(me.paused);
}

function bindTargets() {
  const form = byId("add-target");
  onSubmit(form, async ({ address }) => {
    const field = byId("new-target");
    field.setAttribute("aria-invalid", String(!field.checkValidity()));
    if (!field.checkValidity()) {
      field.focus();
      throw new Error(text("error.target-invalid"));
    }
    const { proven } = await post("/api/me/targets", { address });
    form.reset();
    await show();
    return text(proven ? "me.target.proven" : "me.target.sent", { address });
  });
}

function bindPause() {
  const button = byId("pause");
  button.addEventListener("click", () => withButton(button, async () => {
    const isPaused = button.dataset.paused === "yes";
    await post(isPaused ? "/api/me/resume" : "/api/me/pause");
    await show();
    return text(isPaused ? "me.resumed" : "me.paused");
  }));
}

function bindErase() {
  const dialog = makeDialog("erase-dialog");
  byId("erase").addEventListener("click", () => openDialog(dialog, byId("erase")));
  onSubmit(byId("erase-form"), async () => {
    await post("/api/me/erase", { name: byId("erase-name").value.trim() }).finally(() => dialog.close());
    goAndSay("/", "me.erased");
  });
}

run(async () => {
  bindTargets();
  bindPause();
  bindErase();
  await show();
  await showEvents("history", "/api/me/history", historyColumns,
    { none: "me.history.none", more: "me.history.more" });
}, { needsLogin: true });
