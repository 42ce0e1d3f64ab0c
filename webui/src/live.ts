// The live feed: the box's server-sent events, resumed by the browser with the id it has, and what the page knows of the connection.
import { signal } from "./state";
import type { Event } from "../generated/schema";
import { hear, heard, reached } from "./api";

/** The newest events, newest first. */
export const events = signal<Event[]>([]);
/** Goes up when something happened, at most once a second: what is shown is asked for anew. */
export const news = signal(0, new Set());
/** This browser's clock, by the second. */
export const clock = signal(Date.now(), new Set());

const KEPT = 60;
/** After so long without a word the connection counts as gone; the box says something every 15 s. Units: milliseconds. */
const SILENT = 20_000;

let source: EventSource | null = null;
let pending: Event[] = [];
let due = 0;

setInterval(() => { clock.value = Date.now(); }, 1_000);

/** Whether what is shown may be old. */
export function stale(): boolean {
  return heard.value > 0 && (!reached.value || clock.value - heard.value > SILENT);
}

function show(): void {
  due = 0;
  const fresh = pending;
  pending = [];
  if (fresh.length) events.value = [...fresh.reverse(), ...events.value].slice(0, KEPT);
  news.value += 1;
}

function soon(after: number): void {
  due ||= window.setTimeout(show, after);
}

/** Listens from the event after this one on. */
export function listen(after: number | undefined): void {
  source?.close();
  source = new EventSource("/api/v1/events" + (after === undefined ? "" : `?after=${after}`));
  source.onopen = () => { hear(); soon(0); };
  source.onerror = () => {
    reached.value = false;
    // A browser gives up after a refusal: the session may be over, or too many listen.
    if (source?.readyState === EventSource.CLOSED) setTimeout(() => { if (source) listen(events.value[0]?.id ?? after); }, 5_000);
  };
  source.addEventListener("activity", (message: MessageEvent<string>) => {
    hear();
    pending.push(JSON.parse(message.data) as Event);
    if (pending.length > KEPT) pending.shift();
    soon(pending.length < 4 ? 50 : 1_000);
  });
  source.addEventListener("request", () => { hear(); soon(50); });
  source.addEventListener("beat", () => hear());
}

/** Listens no more. */
export function deafen(): void {
  source?.close();
  source = null;
}

// The browser itself knows when its own link is gone.
addEventListener("offline", () => { reached.value = false; });
addEventListener("online", () => { if (source) listen(events.value[0]?.id); });
