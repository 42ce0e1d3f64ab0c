// The one place that makes text of values: times, counts, names from the network.
import { ahead } from "./api";
import { language, t } from "./words";

/** The longest name that is shown whole. */
const NAME_MAX = 120;
/** Control characters, and those that turn the direction of text or cannot be seen. */
const ODD = /[\p{C}\p{DI}\p{Zl}\p{Zp}]/gu;

const formats: Record<string, unknown> = {};
/** What makes text of values in the language that is spoken, kept: the making costs as much as hundreds of uses. */
function made<F, O>(Format: new (language: string, options?: O) => F, options?: O): F {
  return (formats[language.value + Format.name + JSON.stringify(options)] ??= new Format(language.value, options)) as F;
}

/** The box's time now, in milliseconds. */
export const now = (): number => Date.now() + ahead.value;

/** A text from the network, cut, with what cannot be seen written out. */
export function printable(text: string, most = NAME_MAX): string {
  const letters = [...text];
  const cut = letters.length > most ? letters.slice(0, most).join("") + "…" : text;
  return cut.replace(ODD, (odd) => `‹U+${odd.codePointAt(0)!.toString(16).toUpperCase().padStart(4, "0")}›`);
}

export const count = (value: number): string => made(Intl.NumberFormat).format(value);
export const percent = (share: number): string => made(Intl.NumberFormat, { style: "percent" }).format(share);
/** A measured number with three digits. */
export const number = (value: number): string => made(Intl.NumberFormat, { maximumSignificantDigits: 3 }).format(value);

/** Octets, with a unit of 1,000. */
export function octets(value: number): string {
  const units = ["B", "kB", "MB", "GB", "TB", "PB"];
  let unit = 0;
  while (value >= 1_000 && unit < units.length - 1) { value /= 1_000; unit += 1; }
  return `${made(Intl.NumberFormat, { maximumFractionDigits: value < 10 && unit ? 1 : 0 }).format(value)} ${units[unit]}`;
}

/** Units of time, the largest first. Units: seconds. */
const UNITS = [["day", 86_400], ["hour", 3_600], ["minute", 60], ["second", 1]] as const;

/** A length of time in its largest two units, days alone. Units: seconds. */
export function span(seconds: number): string {
  const total = Math.max(0, Math.round(seconds));
  const at = UNITS.findIndex(([, length]) => total >= length || length === 1);
  const shown = UNITS.slice(at, at ? at + 2 : 1).map(([unit, length], n) => [unit, Math.floor((n ? total % UNITS[at]![1] : total) / length)] as const);
  return shown.filter(([, value], n) => !n || value).map(([unit, value]) => made(Intl.NumberFormat, { style: "unit", unit }).format(value)).join(" ");
}

/** A countdown, `1:59`. Units: seconds. */
export function countdown(seconds: number): string {
  const left = Math.max(0, Math.ceil(seconds));
  return `${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")}`;
}

export function absolute(at: string): string {
  const date = new Date(at);
  if (Number.isNaN(date.getTime())) return at;
  const local = made(Intl.DateTimeFormat, { dateStyle: "medium", timeStyle: "medium" }).format(date);
  return `${local} (${date.toISOString().replace("T", " ").slice(0, 19)} UTC)`;
}

/** A moment where there is little room. */
export const brief = (at: number): string => made(Intl.DateTimeFormat, { month: "short", day: "numeric", hour: "2-digit", minute: "2-digit" }).format(at);

/** How long ago, or in how long. */
export function relative(at: string): string {
  const seconds = (Date.parse(at) - now()) / 1_000;
  if (Number.isNaN(seconds)) return printable(at);
  const size = Math.abs(seconds);
  if (size < 5) return t("time.now");
  const format = made(Intl.RelativeTimeFormat, { style: "short" });
  const [unit, length] = UNITS.find(([, length]) => size >= length)!;
  return format.format(Math.trunc(seconds / length), unit);
}

/** A name of the field with underscores, as words. */
export const spaced = (word: string): string => {
  const text = printable(word).replaceAll("_", " ");
  return text.charAt(0).toUpperCase() + text.slice(1);
};
