// Where the page is: `#/threats/12?level=HIGH`. Filters live here too, so that a view can be kept and sent.
import { signal } from "./state";

export const route = signal(place());
addEventListener("hashchange", () => { route.value = place(); });

function place() {
  const [path = "", query = ""] = location.hash.replace(/^#\/?/, "").split("?");
  const [page = "", id] = path.split("/");
  return { page: page || "overview", id: id === undefined ? undefined : decode(id), query: new URLSearchParams(query) };
}

function decode(text: string): string {
  try { return decodeURIComponent(text); } catch { return text; }
}

/** The address of a page. */
export function to(page: string, id?: string | number, query: Record<string, string> = {}): string {
  const set = Object.entries(query).filter(([, value]) => value !== "");
  const tail = new URLSearchParams(set).toString();
  return `#/${page}${id === undefined ? "" : "/" + encodeURIComponent(id)}${tail ? "?" + tail : ""}`;
}

/** Sets one filter of this page, without a step in the history. */
export function filter(name: string, value: string): void {
  const { page, id, query } = route.value;
  const set = Object.fromEntries(query);
  set[name] = value;
  history.replaceState(null, "", to(page, id, set));
  route.value = place();
}
