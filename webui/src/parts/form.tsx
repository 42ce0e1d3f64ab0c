// Forms: fields with their hints, one button that shows work, refusals beside the field that they name.
import type { ComponentChildren } from "preact";
import { useId, useRef } from "preact/hooks";
import { useSignal } from "../state";
import { Refusal } from "../api";
import { span } from "../format";
import { type Key, t } from "../words";
import { why } from "./show";
import { Week } from "./week";

export interface Field {
  name: string;
  label: Key;
  type?: "text" | "email" | "password" | "number" | "checkbox" | "textarea" | "file" | "date" | "week";
  value?: string | number | boolean;
  hint?: string;
  options?: Array<[string, string]>;
  required?: boolean;
  min?: number;
  max?: number;
  autocomplete?: string;
  rows?: number;
  mono?: boolean;
  numeric?: boolean;
}
export type Values = Record<string, string>;

/** Why something is done, for the history. */
export const WHY: Field = { name: "why", label: "block.reason", max: 200 };
/** A password that somebody chooses. */
export const password = (): Field => ({ name: "password", label: "account.password", type: "password", required: true, min: 12, max: 256, autocomplete: "new-password", hint: t("account.password.hint") });
/** Lengths of time as choices. Units: seconds. */
export const spans = (...seconds: number[]): Array<[string, string]> => seconds.map((length) => [String(length), span(length)]);

interface Props {
  fields: Field[];
  submit: string;
  run: (values: Values, form: HTMLFormElement) => Promise<unknown>;
  children?: ComponentChildren;
  row?: boolean;
  kind?: "main" | "danger";
}

export function Form({ fields, submit, run, children, row, kind = "main" }: Props) {
  const own = useRef<HTMLFormElement>(null);
  const busy = useSignal(false);
  const refusal = useSignal<{ field: string | undefined; text: string } | null>(null);
  const id = useId();
  const send = async (event: Event): Promise<void> => {
    event.preventDefault();
    if (busy.value || !own.current) return;
    const form = own.current;
    const values: Values = {};
    for (const [name, value] of new FormData(form)) values[name] = String(value);
    busy.value = true;
    refusal.value = null;
    try {
      await run(values, form);
    } catch (error) {
      const field = error instanceof Refusal && fields.some(({ name }) => name === error.field) ? error.field : undefined;
      refusal.value = { field, text: why(error) };
      (field ? form.elements.namedItem(field) as HTMLElement | null : null)?.focus();
    } finally { busy.value = false; }
  };
  return <form ref={own} class={row ? "row" : undefined} onSubmit={send} noValidate={false}>
    {fields.map((field) => <Input key={field.name} id={`${id}${field.name}`} field={field} error={refusal.value?.field === field.name ? refusal.value.text : undefined} />)}
    {refusal.value && !refusal.value.field && <p class="refused" role="alert">{refusal.value.text}</p>}
    <div class="acts"><button type="submit" class={kind} aria-busy={busy.value} aria-disabled={busy.value}>{submit}</button>{children}</div>
  </form>;
}

function Input({ field, id, error }: { field: Field; id: string; error?: string | undefined }) {
  const { name, label, hint, type = "text", options, value, required, min, max, autocomplete, rows, mono, numeric } = field;
  if (type === "week") return <Week label={t(label)} />;
  const told = [hint ? `${id}-hint` : "", error ? `${id}-error` : ""].filter(Boolean).join(" ") || undefined;
  const shared = { id, name, required, "aria-describedby": told, "aria-invalid": error ? true : undefined };
  const tail = <>{hint && <small id={`${id}-hint`}>{hint}</small>}{error && <small id={`${id}-error`} class="error" role="alert">{error}</small>}</>;
  if (type === "checkbox") {
    return <div class="field check"><label for={id}><input {...shared} type="checkbox" value="yes" defaultChecked={value === true} /> {t(label)}</label>{tail}</div>;
  }
  const text = value === undefined || typeof value === "boolean" ? "" : String(value);
  return <div class="field"><label for={id}>{t(label)}</label>
    {options ? <select {...shared}>{options.map(([key, shown]) => <option key={key} value={key} selected={key === text}>{shown}</option>)}</select>
      : type === "textarea" ? <textarea {...shared} rows={rows ?? 4} class={mono ? "mono" : undefined} spellcheck={!mono} defaultValue={text} />
      : <input {...shared} type={type as "text"} defaultValue={text} min={min} max={max} minLength={type === "number" ? undefined : min} maxLength={type === "number" ? undefined : max}
          autocomplete={autocomplete ?? "off"} inputMode={numeric ? "numeric" : undefined} class={mono ? "mono" : undefined} autocapitalize="none" />}
    {tail}</div>;
}
