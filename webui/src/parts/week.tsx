// A weekly window of a rule: on which days, from when to when, also across midnight.
import { language, t } from "../words";

/** The days as a policy's text names them. */
const DAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/** What the fields hold, as a policy's text says it; nothing without a day, which is always. */
export const written = (days: string[], from: string, to: string): string => days.length ? `${days} ${from}-${to}` : "";

export function Week({ label }: { label: string }) {
  return <fieldset><legend>{label}</legend><div class="acts">
    {/* The first of January 2024 was a Monday. */}
    {DAYS.map((day, n) => <label key={day}><input type="checkbox" name="days" value={day} /> {new Intl.DateTimeFormat(language.value, { weekday: "short" }).format(new Date(2024, 0, n + 1))}</label>)}
    {["08:00", "18:00"].map((at) => <input key={at} type="time" name="times" defaultValue={at} aria-label={at} required />)}
  </div><small>{t("week.always")}</small></fieldset>;
}
