// The one place that asks the box. A request whose session is over waits for a log-in and is then sent again, so nothing typed is lost.
import { signal } from "./state";
import type { Delete, Get, Patch, Post, Problem, Put } from "../generated/schema";

const BASE = "/api/v1/";
/** How long an answer may take. Units: milliseconds. */
const PATIENCE = 20_000;
/** How long after the last touch a person counts as being there. Units: milliseconds. */
const THERE = 60_000;

export type Params = Record<string, string | number | boolean | null | undefined>;
export interface Page<Row> { items: Row[]; next: string | null }
type Tables = { GET: Get; POST: Post; PATCH: Patch; DELETE: Delete; PUT: Put };
type Method = keyof Tables;
export type Gives<M extends Method, P extends keyof Tables[M]> = Tables[M][P] extends { gives: infer G } ? G : never;
export type Takes<M extends Method, P extends keyof Tables[M]> = Tables[M][P] extends { takes: infer T } ? T : never;
/** The paths that give a page of rows. */
export type Lists = { [P in keyof Get]: Get[P] extends { gives: { items: Array<unknown> } } ? P : never }[keyof Get];
export type RowOf<P extends Lists> = Get[P] extends { gives: { items: Array<infer Row> } } ? Row : never;

/** Why the box did not do what was asked; status 0 where it did not answer. */
export class Refusal extends Error {
  constructor(readonly status: number, detail: string, readonly field?: string, readonly retryAfter?: number) {
    super(detail);
  }
}

/** What has to be proven before the page can go on. */
export type Proof = "login" | "again" | "totp";
export const proof = signal<Proof | null>(null);
/** When the box was heard last, by this browser's clock; 0 before. */
export const heard = signal(0, new Set());
/** Whether the last request reached the box. */
export const reached = signal(true);
/** How far the box's clock is ahead of this browser's. Units: milliseconds. */
export const ahead = signal(0);

let waiting: Array<(proven: boolean) => void> = [];
/** How often something was proven. */
let proofs = 0;
let touched = Date.now();
for (const kind of ["pointerdown", "keydown", "touchstart", "wheel"]) {
  addEventListener(kind, () => { touched = Date.now(); }, { passive: true, capture: true });
}

/** The box was heard: what it says of the time is believed over this browser's clock. */
export function hear(date?: string | null): void {
  heard.value = Date.now();
  reached.value = true;
  const told = date ? Date.parse(date) : NaN;
  // The box tells whole seconds.
  if (!Number.isNaN(told) && Math.abs(told - Date.now() - ahead.value) > 2_000) ahead.value = told - Date.now();
}

/** The log-in dialog says how it ended. */
export function proven(done: boolean): void {
  const all = waiting;
  waiting = [];
  if (done) proofs += 1;
  proof.value = null;
  for (const go of all) go(done);
}

function prove(what: Proof): Promise<boolean> {
  proof.value ??= what;
  return new Promise((go) => waiting.push(go));
}

/** Fills `{names}` of a path; what is left becomes its query. */
export function filled(path: string, params: Params = {}): string {
  const left = new Map(Object.entries(params));
  const named = path.replace(/\{(\w+)\}/g, (_, name: string) => {
    const value = left.get(name);
    left.delete(name);
    return encodeURIComponent(String(value ?? ""));
  });
  const query = [...left].filter(([, value]) => value !== undefined && value !== null && value !== "")
    .map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(String(value))}`);
  return named + (query.length ? (named.includes("?") ? "&" : "?") + query.join("&") : "");
}

async function send(method: Method, url: string, body: unknown, accept: string): Promise<Response> {
  const headers: Record<string, string> = { Accept: accept, "X-Picket-Page": Date.now() - touched < THERE ? "used" : "waits" };
  if (body !== undefined) headers["Content-Type"] = "application/json";
  try {
    const answer = await fetch(url, {
      method, headers, credentials: "same-origin", cache: "no-store", signal: AbortSignal.timeout(PATIENCE),
      body: body === undefined ? null : JSON.stringify(body),
    });
    hear(answer.headers.get("date"));
    return answer;
  } catch (error) {
    reached.value = false;
    throw new Refusal(0, error instanceof DOMException && error.name === "TimeoutError" ? "timeout" : "offline");
  }
}

/** What a refusal asks to be proven; nothing where it is final. */
function asked(refusal: Refusal): Proof | null {
  if (refusal.status === 401) return "login";
  if (refusal.status === 403 && refusal.field === "login") return "again";
  return refusal.status === 403 && refusal.field === "totp" ? "totp" : null;
}

async function refusal(answer: Response): Promise<Refusal> {
  const told = (await answer.json().catch(() => ({}))) as Partial<Problem>;
  const after = Number(answer.headers.get("retry-after")) || undefined;
  return new Refusal(answer.status, told.detail ?? answer.statusText, told.field ?? undefined, after);
}

/** Asks by a path that the box gave, as `next` of a list. `quiet` never opens the log-in. */
export async function ask(method: Method, url: string, body?: unknown, accept = "application/json", quiet = false): Promise<Response> {
  for (;;) {
    const before = proofs;
    const answer = await send(method, url, body, accept);
    if (answer.ok) return answer;
    const why = await refusal(answer);
    const need = asked(why);
    // It may have been proven while the box still answered what was asked before.
    if (quiet || !need || !(before !== proofs || await prove(need))) throw why;
  }
}

async function json<T>(answer: Response): Promise<T> {
  return (answer.status === 204 ? null : await answer.json()) as T;
}

export async function get<P extends keyof Get & string>(path: P, params?: Params): Promise<Gives<"GET", P>> {
  return json(await ask("GET", filled(BASE + path, params)));
}
export async function post<P extends keyof Post & string>(path: P, body: Takes<"POST", P>, params?: Params): Promise<Gives<"POST", P>> {
  // Entering is what a refusal here is about: it opens no further log-in.
  return json(await ask("POST", filled(BASE + path, params), body, "application/json", path.startsWith("auth/") && path !== "auth/password"));
}
export async function patch<P extends keyof Patch & string>(path: P, body: Takes<"PATCH", P>, params?: Params): Promise<Gives<"PATCH", P>> {
  return json(await ask("PATCH", filled(BASE + path, params), body));
}
export async function put<P extends keyof Put & string>(path: P, body: Takes<"PUT", P>, params?: Params): Promise<Gives<"PUT", P>> {
  return json(await ask("PUT", filled(BASE + path, params), body));
}
export async function remove<P extends keyof Delete & string>(path: P, params?: Params): Promise<void> {
  await ask("DELETE", filled(BASE + path, params));
}
/** The page of a list that the box named. */
export async function more<Row>(next: string): Promise<Page<Row>> {
  return json(await ask("GET", next));
}
/** Saves an answer as a file. */
export async function save(path: string, params: Params | undefined, accept: string, name: string): Promise<void> {
  download(await (await ask("GET", filled(BASE + path, params), undefined, accept)).blob(), name);
}
/** Hands octets to the browser as a file. */
export function download(octets: Blob, name: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(octets);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
/** Whether there is a session; opens no log-in. */
export async function profile(): Promise<Gives<"GET", "profile"> | null> {
  try {
    return await json(await ask("GET", BASE + "profile", undefined, "application/json", true));
  } catch (error) {
    if (error instanceof Refusal && (error.status === 401 || error.status === 403)) return null;
    throw error;
  }
}

/** What is asked for; nothing where the box says that it is not there. */
export async function there<T>(asked: Promise<T>): Promise<T | null> {
  return asked.catch((error: unknown) => { if (error instanceof Refusal && error.status === 404) return null; throw error; });
}
