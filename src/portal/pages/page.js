/* What all pages share: who is logged in, messages, and buttons that do one thing at a time. */
import { getSession, post } from "./api.js";
import { byId, element } from "./dom.js";
import { text } from "./text.js";

export function say(message, kind = "good") {
  byId("messages").replaceChildren(element("p", { class: `notice ${kind}` }, message));
}

/* Goes to that path, where the text of that key is said. */
export function goAndSay(path, key) {
  sessionStorage.setItem("said", key);
  location.assign(path);
}

function sayWhatWasLeft() {
  const key = sessionStorage.getItem("said");
  sessionStorage.removeItem("said");
  if (key !== null) say(text(key));
}

/* Who is not logged in any more is sent to the start; anything else is told. */
export function complain(error) {
  if (error.status === 401) {
    location.assign("/login?next=" + encodeURIComponent(location.pathname));
    return;
  }
  say(error.message, "bad");
}

/* A disabled button loses the focus, and one that is gone takes it along: who works by keyboard
 * then goes on from the button if it is still seen, else from the content. */
function keepFocus(button) {
  if (document.activeElement !== document.body) return;
  button.focus();
  if (document.activeElement === document.body) byId("content").focus({ preventScroll: true });
}

/* Runs act with the button disabled, and says what it returns or what went wrong. */
export async function withButton(button, act) {
  const hadFocus = document.activeElement === button;
  button.disabled = true;
  byId("messages").replaceChildren();
  try {
    const message = await act();
    if (message !== undefined) say(message);
  } catch (error) {
    complain(error);
  } finally {
    button.disabled = false;
    if (hadFocus) keepFocus(button);
  }
}

/* A form that is sent by act(values of its fields). */
export function onSubmit(form, act) {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const button = event.submitter ?? form.querySelector("button:not([type=button])");
    withButton(button, () => act(Object.fromEntries(new FormData(form))));
  });
}

/* A dialog that its buttons with data-close close. */
export function makeDialog(id) {
  const dialog = byId(id);
  for (const button of dialog.querySelectorAll("[data-close]"))
    button.addEventListener("click", () => dialog.close());
  return dialog;
}

/* Opens it; who closes it goes on from the opener, which the browser forgets if it is disabled now. */
export function openDialog(dialog, opener) {
  dialog.addEventListener("close", () => opener.focus(), { once: true });
  dialog.showModal();
}

function markCurrentPage() {
  for (const link of document.querySelectorAll("nav a"))
    if (link.getAttribute("href") === location.pathname) link.setAttribute("aria-current", "page");
}

function logoutButton(path, label) {
  const button = element("button", { type: "button" }, text(label));
  button.addEventListener("click", () => withButton(button, async () => {
    await post(path);
    goAndSay("/", "nav.logged-out");
  }));
  return button;
}

function showAccount(session) {
  const shown = session.logged_in
    ? [element("span", {}, text("nav.logged-in", { name: session.name })),
       logoutButton("/logout", "nav.logout"),
       logoutButton("/logout/everywhere", "nav.logout-everywhere")]
    : [element("a", { class: "button", href: "/login?next=/me" }, text("nav.login"))];
  byId("account").replaceChildren(...shown);
  for (const item of document.querySelectorAll("[data-for=member]"))
    item.hidden = !session.logged_in;
  for (const item of document.querySelectorAll("[data-for=admin]")) item.hidden = !session.is_admin;
}

/* A browser keeps a page that is left and shows it again on the way back, also to somebody who comes
 * after the log out. So it gets an empty one to keep, and fills it anew. */
function keepNothing() {
  addEventListener("pagehide", ({ persisted: isKept }) => {
    if (isKept) document.body.replaceChildren();
  });
  addEventListener("pageshow", ({ persisted: isKept }) => {
    if (isKept) location.reload();
  });
}

/* Sets up the page; returns the session. */
export async function startPage() {
  keepNothing();
  markCurrentPage();
  const session = await getSession();
  showAccount(session);
  sayWhatWasLeft();
  return session;
}

/* Fills the page by show(session); only for those who are logged in where that is demanded. */
export async function run(show, { needsLogin = false } = {}) {
  try {
    const session = await startPage();
    if (needsLogin && !session.logged_in) {
      location.replace("/login?next=" + encodeURIComponent(location.pathname));
      return;
    }
    await show(session);
    document.documentElement.dataset.ready = "yes";
  } catch (error) {
    complain(error);
  }
}
