// Small things that are shown: names, times, levels, states, refusals.
import type { ComponentChildren } from "preact";
import { Refusal } from "../api";
import { absolute, countdown, now, number, printable, relative, spaced } from "../format";
import { clock } from "../live";
import { useValue } from "../state";
import type { Resource } from "../resource";
import { to } from "../route";
import { READERS, may } from "../session";
import { type Key, t, word } from "../words";

/** A name from the network: text only, its direction kept to itself, what cannot be seen written out. */
export function Name({ text, most }: { text: string; most?: number }) {
  if (!text) return null;
  return <bdi class="name" title={text.length > 40 ? printable(text, 300) : undefined}>{printable(text, most)}</bdi>;
}

/** How long ago or in how long, with the whole time on hover. */
export function Ago({ at }: { at: string | null | undefined }) {
  if (!at) return <span class="dim">{t("time.never")}</span>;
  // Read so that the text is made anew by the second.
  useValue(clock);
  return <time dateTime={at} title={absolute(at)}>{relative(at)}</time>;
}

/** What is left until a time. */
export function Left({ until }: { until: string }) {
  useValue(clock);
  return <time dateTime={until} title={absolute(until)}>{countdown((Date.parse(until) - now()) / 1_000)}</time>;
}

const SHAPES: Record<string, string> = { HIGH: "M8 1 15 14H1z", MEDIUM: "M8 1 15 8 8 15 1 8z", SAFE: "M8 1a7 7 0 1 0 0 14A7 7 0 0 0 8 1z" };

/** A level: a shape, a colour and a word. */
export function Level({ level }: { level: string }) {
  const name = level.toUpperCase();
  return <span class={`level ${name.toLowerCase()}`}>
    <svg viewBox="0 0 16 16" aria-hidden="true"><path d={SHAPES[name] ?? SHAPES.SAFE!} /></svg>{word("level", name)}
  </span>;
}

/** A state in words, as the box says it. */
export function State({ state, of = "state" }: { state: string; of?: string }) {
  return <span class={`state ${state.toLowerCase().replaceAll(" ", "-")}`}>{word(of, state)}</span>;
}

/** A host's address as a link to what is known of it. */
export function HostLink({ host, mac }: { host: string; mac?: string | null | undefined }) {
  // What people do is about no host.
  if (/^[0:]+$/.test(host)) return null;
  if (!may(READERS)) return <span class="mono"><Name text={host} /></span>;
  return <a href={to("host", host)} title={mac ?? undefined} class="mono"><Name text={host} /></a>;
}

/** A refusal in words, and what to do. */
export function why(error: unknown): string {
  if (!(error instanceof Refusal)) return t("refusal.page", { why: String(error) });
  switch (error.status) {
    case 0: return error.message === "timeout" ? t("refusal.timeout") : t("refusal.offline");
    case 412: return t("refusal.changed");
    case 429: return t("refusal.often", { seconds: error.retryAfter ?? 60 });
    case 500: return t("refusal.failed", { why: error.message });
    default: return printable(error.message, 400);
  }
}

export function Refused({ refusal, again }: { refusal: Refusal; again?: () => void }) {
  return <p class="refused" role="alert">{why(refusal)}{again && <> <button type="button" class="small" onClick={again}>{t("act.again")}</button></>}</p>;
}

/** Nothing there, and what that means. */
export function Empty({ children }: { children: ComponentChildren }) {
  return <p class="empty">{children}</p>;
}

/** Facts as pairs; those without a value are left out. */
export function Facts({ of }: { of: Array<[Key, ComponentChildren]> }) {
  return <Pairs of={of.map(([name, value]) => [t(name), value])} />;
}
/** Numbers by names of the field. */
export function Numbers({ of }: { of: Record<string, number> }) {
  return <Pairs of={Object.entries(of).map(([name, value]) => [spaced(name), number(value)])} />;
}
/** Pairs under names that are no keys. */
export function Pairs({ of }: { of: Array<[string, ComponentChildren]> }) {
  return <dl class="facts">{of.map(([name, value]) => value !== undefined && value !== null && value !== "" && value !== false && <div key={name}><dt>{name}</dt><dd>{value}</dd></div>)}</dl>;
}

/** What was asked for, once it is there; until then that it is asked for, or why it is not there. */
export function Await<T>({ of, children }: { of: Resource<T>; children: (given: NonNullable<T>) => ComponentChildren }) {
  return <>{of.refusal && <Refused refusal={of.refusal} again={of.reload} />}
    {of.value !== undefined && of.value !== null ? children(of.value) : of.value === undefined && !of.refusal && <p class="waits" aria-busy="true">{t("list.loading")}</p>}</>;
}

/** Texts as a list. */
export function Texts({ of }: { of: string[] }) {
  return <ul class="texts">{of.map((text) => <li key={text}><bdi>{printable(text, 400)}</bdi></li>)}</ul>;
}

/** What people wrote, each with who and when. */
export function Remarks({ of }: { of: Array<{ text: string; who: string; at: string }> }) {
  return of.length === 0 ? <Empty>{t("threat.notes.none")}</Empty>
    : <ul class="todo">{of.map(({ text, who, at }, n) => <li key={n}><span><bdi>{printable(text, 1_000)}</bdi><br /><small>{printable(who)} · <Ago at={at} /></small></span></li>)}</ul>;
}

/** A part of a page under a heading. */
export function Section({ title, side, children, id }: { title: string; side?: ComponentChildren; children: ComponentChildren; id?: string }) {
  return <section class="part" aria-label={title} id={id}><header><h2>{title}</h2>{side && <div class="side">{side}</div>}</header>{children}</section>;
}

/** A page's head. */
export function Head({ title, about, children }: { title: ComponentChildren; about?: ComponentChildren; children?: ComponentChildren }) {
  return <header class="head"><div><h1 tabIndex={-1}>{title}</h1>{about && <p class="about">{about}</p>}</div>{children && <div class="acts">{children}</div>}</header>;
}
