// The catalogue of all texts: one language is loaded; both hold the same keys, which the type check sees to.
import { signal } from "../state";
import type en from "./en";

export type Key = keyof typeof en;
export type Catalogue = Record<Key, string>;
export const LANGUAGES = { en: "English", de: "Deutsch" } as const;
export type Language = keyof typeof LANGUAGES;

const KEPT = "picket-language";
export const language = signal<Language>("en");
const texts = signal<Catalogue | null>(null);

const load: Record<Language, () => Promise<{ default: Catalogue }>> = { en: () => import("./en"), de: () => import("./de") };

/** Takes a language, and keeps the choice in this browser. */
export async function speak(wanted: Language, keep = false): Promise<void> {
  texts.value = (await load[wanted]()).default;
  language.value = wanted;
  document.documentElement.lang = wanted;
  if (keep) try { localStorage.setItem(KEPT, wanted); } catch { /* private windows keep nothing */ }
}

/** The language that was chosen here, or that the browser asks for. */
export function preferred(): Language {
  let kept: string | null = null;
  try { kept = localStorage.getItem(KEPT); } catch { /* as above */ }
  return [kept ?? "", ...navigator.languages].map((tag) => tag.slice(0, 2)).find((tag): tag is Language => tag in LANGUAGES) ?? "en";
}

/** A text, with `{names}` filled in. */
export function t(key: Key, values: Record<string, string | number> = {}): string {
  const text = texts.value?.[key] ?? key;
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole));
}

/** A text whose key is made of a word of the box; the word itself, where the catalogue has none. */
export function word(prefix: string, value: string): string {
  const key = `${prefix}.${value.toLowerCase().replaceAll(" ", "_")}` as Key;
  const text = texts.value?.[key];
  return text ?? value.replaceAll("_", " ");
}
