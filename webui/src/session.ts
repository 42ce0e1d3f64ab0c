// Who is at the page, and what the page is about: the claim, a log-in, or the box.
import { signal } from "./state";
import type { Role, UserRow } from "../generated/schema";
import { type Gives, get, post, profile, proven } from "./api";
import { deafen, events, listen } from "./live";

export type Stage = "opening" | "claim" | "wizard" | "login" | "in" | "unreached";
export const stage = signal<Stage>("opening");
/** What people call the box. */
export const name = signal("");
/** The question of the first set-up that comes next; 0 when it is over. */
export const step = signal(0);
export const self = signal<UserRow | null>(null);

/** Who may change the network's policy, who looks at the whole of it, who looks at accounts, who changes them. */
export const ADMINS: Role[] = ["admin", "superadmin"];
export const READERS: Role[] = ["auditor", "admin", "superadmin"];
export const OVERSEERS: Role[] = ["auditor", "superadmin"];
export const OWNERS: Role[] = ["superadmin"];
export const may = (roles: Role[]): boolean => self.value !== null && roles.includes(self.value.role);

/** Finds out where things stand. */
export async function open(): Promise<void> {
  try {
    const { unclaimed } = await get("auth/claim");
    if (unclaimed) { stage.value = "claim"; return; }
    const own = await profile();
    if (own) await enter(own); else stage.value = "login";
  } catch {
    stage.value = "unreached";
    setTimeout(() => void open(), 3_000);
  }
}

/** There is a session now. */
export async function enter(own: UserRow): Promise<void> {
  self.value = own;
  // What was asked while nobody was logged in, as a list that was being read at the log-out, asks for no second log-in.
  proven(true);
  const [setup, box, page] = await Promise.all([
    may(OWNERS) && get("settings/{id}", { id: "setup.step" }),
    may(READERS) && get("system"),
    get("activity", { limit: 40 }).catch(() => null),
  ]);
  step.value = Number(setup && setup.value);
  if (box) name.value = box.name;
  events.value = page?.items ?? [];
  listen(page?.items[0]?.id ?? 0);
  stage.value = step.value > 0 ? "wizard" : "in";
}

/** Logs in; what is still due. */
export async function login(email: string, password: string): Promise<Gives<"POST", "auth/login">> {
  return post("auth/login", { email, password });
}

export async function logout(): Promise<void> {
  await post("auth/logout", undefined as never);
  deafen();
  self.value = null;
  events.value = [];
  stage.value = "login";
}
