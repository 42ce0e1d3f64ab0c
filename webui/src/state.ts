// What is shown and may change: a component's own, or shared by the page. Shared state draws the whole page anew; what changes by the second is
// listened to by those few that show it.
import { useEffect, useReducer, useRef } from "preact/hooks";

type Listener = () => void;
export interface Signal<T> { value: T; listeners: Set<Listener> }

/** Those who draw the page. */
export const page = new Set<Listener>();

/** State outside of components. Whoever listens is told of each other value. */
export function signal<T>(first: T, listeners = page): Signal<T> {
  let held = first;
  return {
    listeners,
    get value() { return held; },
    set value(next) {
      if (next === held) return;
      held = next;
      for (const tell of listeners) tell();
    },
  };
}

/** A component's own state: another value draws it anew. */
export function useSignal<T>(first: T): Signal<T> {
  const [, draw] = useReducer((times: number) => times + 1, 0);
  return (useRef<Signal<T> | null>(null).current ??= signal(first, new Set([() => draw(undefined)])));
}

/** Draws a component anew with each other value of a signal to which nobody else listens. */
export function useValue<T>(of: Signal<T>): T {
  const own = useSignal(of.value);
  useListen(of, () => { own.value = of.value; });
  return own.value;
}

/** Tells a component of a signal's other values for as long as it is on the page. */
export function useListen(to: Signal<unknown>, tell: Listener): void {
  useEffect(() => {
    to.listeners.add(tell);
    return () => { to.listeners.delete(tell); };
  }, []);
}
