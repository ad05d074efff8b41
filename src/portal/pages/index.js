import { fetchSession, send } from "./session.js";

const who = document.getElementById("who");
const logOut = document.getElementById("log-out");

async function show() {
    const session = await fetchSession();
    who.textContent = session.logged_in
        ? `You are logged in as ${session.name ?? "somebody without a Launchpad account"}.`
        : "You are not logged in.";
    logOut.hidden = !session.logged_in;
    logOut.onclick = async () => {
        await send(session, "POST", "/logout");
        await show();
    };
}

show().catch(() => {
    who.textContent = "The server cannot be reached right now.";
});
