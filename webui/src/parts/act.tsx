// Buttons that act: they show work, cannot be pressed twice, and say what came of it.
import type { ComponentChildren } from "preact";
import { useSignal } from "@preact/signals";
import { t } from "../words";
import { Dialog } from "./dialog";
import { failed } from "./notes";

interface Props {
  run: () => Promise<unknown>;
  children: ComponentChildren;
  kind?: "main" | "danger" | "plain";
  small?: boolean;
  disabled?: boolean;
  label?: string | undefined;
  /** Asks first: what will happen, to whom. */
  ask?: ComponentChildren;
}

export function Act({ run, children, kind = "plain", small, disabled, label, ask }: Props) {
  const busy = useSignal(false);
  const asking = useSignal(false);
  const go = async (): Promise<void> => {
    if (busy.value) return;
    asking.value = false;
    busy.value = true;
    try { await run(); } catch (error) { failed(error); } finally { busy.value = false; }
  };
  return <>
    <button type="button" class={`${kind}${small ? " small" : ""}`} disabled={disabled} aria-disabled={busy.value} aria-busy={busy.value} aria-label={label}
      onClick={() => { if (ask) asking.value = true; else void go(); }}>{children}</button>
    {asking.value && <Dialog title={label ?? t("act.sure")} close={() => { asking.value = false; }}>
      <p>{ask}</p>
      <div class="acts"><button type="button" class={kind === "plain" ? "main" : kind} onClick={() => void go()}>{children}</button>
        <button type="button" onClick={() => { asking.value = false; }}>{t("act.cancel")}</button></div>
    </Dialog>}
  </>;
}
