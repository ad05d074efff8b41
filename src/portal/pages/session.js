// The session as every page sees it. Text from the server goes into pages as text nodes only.

/** What the server says of the session: {logged_in, name, admin, csrf_token}. */
export async function fetchSession() {
    const answer = await fetch("/api/session", { headers: { Accept: "application/json" } });
    if (!answer.ok) {
        throw new Error(`/api/session: ${answer.status}`);
    }
    return answer.json();
}

/** Sends something that changes things; body is sent as JSON, or nothing if undefined. */
export function send(session, method, path, body) {
    const headers = { Accept: "application/json", "X-CSRF-Token": session.csrf_token };
    if (body !== undefined) {
        headers["Content-Type"] = "application/json";
    }
    return fetch(path, { method, headers, body: body === undefined ? undefined : JSON.stringify(body) });
}
