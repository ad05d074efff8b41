/* The JSON API of the portal. */
import { hasText, text } from "./text.js";

export class ApiError extends Error {
  constructor(code, message, status, retryAfterSeconds) {
    const key = `error.${code}`;
    super(hasText(key) ? text(key, { seconds: retryAfterSeconds }) : message);
    this.code = code;
    this.status = status;
  }
}

let session = null;

/* Who is logged in; asked once a page. */
export function getSession() {
  session ??= get("/api/session");
  return session;
}

async function call(path, options) {
  let answer;
  try {
    answer = await fetch(path, { credentials: "same-origin", cache: "no-store", ...options });
  } catch {
    throw new ApiError("network", text("error.network"), 0, 0);
  }
  const body = answer.status === 204 ? {} : await answer.json().catch(() => ({}));
  if (!answer.ok)
    throw new ApiError(body.error?.code ?? "network", body.error?.message ?? text("error.network"),
      answer.status, answer.headers.get("Retry-After") ?? "60");
  return body;
}

export function get(path, query = {}) {
  const given = Object.entries(query).filter(([, value]) => value !== "" && value !== null);
  const search = new URLSearchParams(given).toString();
  return call(search === "" ? path : `${path}?${search}`, { method: "GET" });
}

export async function post(path, body = {}) {
  const { csrf_token: csrf } = await getSession();
  const headers = { "Content-Type": "application/json" };
  if (csrf) headers["X-CSRF-Token"] = csrf;
  return call(path, { method: "POST", headers, body: JSON.stringify(body) });
}
