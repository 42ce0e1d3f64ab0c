// Buttons that act: they show work, cannot be pressed twice, and say what came of it.
import type { ComponentChildren } from "preact";
import { useSignal } from "../state";
import { printable } from "../format";
import { t } from "../words";
import { Dialog } from "./dialog";
import { type Field, Form, type Values } from "./form";
import { failed, said } from "./notes";

interface Props {
  /** Does it; a function that it gives takes it back. */
  run: () => Promise<unknown>;
  /** Whether it is told that it was done, and in which words where the act's name does not say enough. */
  done?: boolean | string;
  /** What it does, in a word or two. */
  children: string;
  kind?: "main" | "danger" | "plain";
  small?: boolean;
  disabled?: boolean;
  /** On whom or what, where several stand on a page: read out, and over the question. */
  of?: string;
  /** Asks first: what will happen, to whom. */
  ask?: ComponentChildren;
}

/** A name that says on what it acts. */
const named = (act: string, of?: string): string | undefined => of && `${act}: ${printable(of, 60)}`;

/** Tells that an act was done, with its inverse where it has one. */
async function told(act: string, acted: Promise<unknown>, done?: boolean | string): Promise<void> {
  const back = await acted;
  const undo = typeof back === "function" ? back as () => Promise<unknown> : undefined;
  if (done || undo) said(typeof done === "string" ? done : t("act.done", { act }), undo);
}

export function Act({ run, done, children, kind = "plain", small, disabled, of, ask }: Props) {
  const label = named(children, of);
  const busy = useSignal(false);
  const asking = useSignal(false);
  const go = async (): Promise<void> => {
    if (busy.value) return;
    asking.value = false;
    busy.value = true;
    try { await told(label ?? children, run(), done); } catch (error) { failed(error); } finally { busy.value = false; }
  };
  return <>
    <button type="button" class={`${kind}${small ? " small" : ""}`} disabled={disabled} aria-disabled={busy.value} aria-busy={busy.value} aria-label={label}
      onClick={() => { if (ask) asking.value = true; else void go(); }}>{children}</button>
    {asking.value && <Dialog title={label ?? children} close={() => { asking.value = false; }}>
      <p>{ask}</p>
      <div class="acts"><button type="button" class={kind === "plain" ? "main" : kind} onClick={() => void go()}>{children}</button>
        <button type="button" onClick={() => { asking.value = false; }}>{t("act.cancel")}</button></div>
    </Dialog>}
  </>;
}

interface Asked extends Pick<Props, "children" | "of" | "kind" | "small" | "done"> {
  title?: string;
  about?: ComponentChildren;
  fields: Field[];
  /** What the form's button says, where it is not what the first one said. */
  submit?: string;
  send: (values: Values, form: HTMLFormElement) => Promise<unknown>;
}

/** A button that asks for more in a dialog, which closes once it is done. */
export function Ask({ children, of, done, kind = "plain", small, title, about, fields, submit, send }: Asked) {
  const open = useSignal(false);
  const label = named(children, of);
  const close = (): void => { open.value = false; };
  return <>
    <button type="button" class={`${kind}${small ? " small" : ""}`} aria-label={label} onClick={() => { open.value = true; }}>{children}</button>
    {open.value && <Dialog title={title ?? label ?? children} close={close}>
      {about && <p>{about}</p>}
      <Form kind={kind === "danger" ? kind : "main"} submit={submit ?? children} fields={fields} run={async (values, form) => { await told(label ?? children, send(values, form), done); close(); }} />
    </Dialog>}
  </>;
}
