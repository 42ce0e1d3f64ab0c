// Something asked of the box, kept while it is asked for anew: after each thing that happened, and twice a minute.
import { useEffect, useRef } from "preact/hooks";
import { signal, useListen, useSignal } from "./state";
import { Refusal } from "./api";
import { news } from "./live";

/** Goes up when the page itself changed something. */
export const acted = signal(0, news.listeners);
const EVERY = 30_000;
/** How long after the last asking the next may follow. Units: milliseconds. */
const PAUSE = 900;
const SETTLED = 1_500;

export interface Resource<T> { value: T | undefined; refusal: Refusal | undefined; busy: boolean; reload: () => void }

/** Asks when the page opens, when `key` changes, and when there is news. What was there stays until the next is there. */
export function useResource<T>(key: string, ask: () => Promise<T>): Resource<T> {
  const value = useSignal<T | undefined>(undefined);
  const refusal = useSignal<Refusal | undefined>(undefined);
  const busy = useSignal(false);
  const latest = useRef(ask);
  const turn = useRef(0);
  const last = useRef(0);
  const timer = useRef(0);
  latest.current = ask;
  const reload = (): void => {
    const mine = ++turn.current;
    last.current = Date.now();
    busy.value = true;
    latest.current().then(
      (given) => { if (mine === turn.current) { value.value = given; refusal.value = undefined; } },
      (error: unknown) => { if (mine === turn.current) refusal.value = error instanceof Refusal ? error : new Refusal(0, String(error)); },
    ).finally(() => { if (mine === turn.current) busy.value = false; });
  };
  useEffect(() => {
    value.value = undefined;
    reload();
    const every = setInterval(reload, EVERY);
    return () => { clearInterval(every); clearTimeout(timer.current); timer.current = 0; turn.current += 1; };
  }, [key]);
  const again = (): void => {
    if (timer.current) return;
    // Figures that the gateway gathers by the second follow what happened: they are asked for once more.
    const ask = (more: boolean) => (): void => { timer.current = more ? window.setTimeout(ask(false), SETTLED) : 0; reload(); };
    timer.current = window.setTimeout(ask(true), Math.max(0, last.current + PAUSE - Date.now()));
  };
  // What happened just before the page opened may show in the gateway's figures only in a second.
  useEffect(() => { if (news.value + acted.value) again(); }, []);
  useListen(news, again);
  return { value: value.value, refusal: refusal.value, busy: busy.value, reload };
}
