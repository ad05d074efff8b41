/* The token stands behind the "#" of the link, which no browser sends anywhere and no scanner that
 * only fetches can use up: it counts when a person presses the button. */
import { post } from "./api.js";
import { byId } from "./dom.js";
import { run, say, withButton } from "./page.js";
import { text } from "./text.js";

run(async () => {
  const token = location.hash.slice(1);
  const button = byId("confirm");
  history.replaceState(null, "", location.pathname);
  if (token === "") {
    button.hidden = true;
    say(text("confirm.missing"), "bad");
    return;
  }
  button.addEventListener("click", () => withButton(button, async () => {
    await post("/api/confirm", { token });
    button.hidden = true;
    byId("confirm-text").hidden = true;
    return text("confirm.done");
  }));
});
