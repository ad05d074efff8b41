/* The event log, newest first, a page at a time. */
import { get } from "./api.js";
import { byId, element, replaceChildren, table, timeElement } from "./dom.js";
import { withButton } from "./page.js";
import { text } from "./text.js";

/* As `lpalias history` prints it. */
export const eventColumns = [
  { title: text("event.time"), cell: ({ time }) => timeElement(time) },
  { title: text("event.actor"), cell: ({ actor }) => actor },
  { title: text("event.act"), cell: ({ act }) => act },
  { title: text("event.subject"), cell: ({ subject }) => subject ?? "" },
  { title: text("event.domain"), cell: ({ domain }) => domain ?? "" },
  { title: text("event.detail"), cell: ({ detail }) => detail ?? "" },
];

/* Shows the events of path in the element of that id, which the heading "ID-heading" labels. */
export async function showEvents(id, path, columns, { none, more }) {
  const shown = [];
  async function showPage(before) {
    /* A page has none when the search is not through yet. */
    let page = { events: [], next_before: before };
    do {
      page = await get(path, { before: page.next_before });
    } while (page.events.length === 0 && page.next_before !== null);
    shown.push(...page.events);
    const parts = shown.length === 0 ? [element("p", {}, text(none))]
      : [table(columns, shown, `${id}-heading`)];
    if (page.next_before !== null) parts.push(moreButton(page.next_before));
    replaceChildren(id, ...parts);
  }
  function moreButton(before) {
    const button = element("button", { type: "button" }, text(more));
    button.addEventListener("click", () => withButton(button, async () => {
      await showPage(before);
      byId(id).querySelector("button")?.focus();
    }));
    return button;
  }
  await showPage(null);
}
