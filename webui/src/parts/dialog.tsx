// A dialog over the page: the browser's own, which keeps the focus inside.
import type { ComponentChildren } from "preact";
import { useId, useLayoutEffect, useRef } from "preact/hooks";
import { t } from "../words";

export function Dialog({ title, close, children, firm }: { title: string; close?: () => void; children: ComponentChildren; firm?: boolean }) {
  const own = useRef<HTMLDialogElement>(null);
  const id = useId();
  // At once: a key that follows must not go to the page below.
  useLayoutEffect(() => {
    const dialog = own.current;
    // A dialog that is taken off the page gives the focus back to nobody by itself.
    const before = document.activeElement;
    if (dialog && !dialog.open) dialog.showModal();
    return () => { dialog?.close(); if (before instanceof HTMLElement) before.focus(); };
  }, []);
  return <dialog ref={own} aria-labelledby={id} onCancel={(event) => { event.preventDefault(); if (!firm) close?.(); }}>
    <div class="over"><h2 id={id}>{title}</h2>{close && !firm && <button type="button" class="close" aria-label={t("act.close")} onClick={close}>×</button>}</div>
    {children}
  </dialog>;
}

/** A secret that is shown this one time. */
export function Once({ title, code, close, children }: { title: string; code: string; close: () => void; children: ComponentChildren }) {
  return <Dialog title={title} close={close}>
    <p>{children}</p><p class="code">{code}</p>
    <div class="acts"><button type="button" class="main" onClick={close}>{t("act.noted")}</button></div>
  </Dialog>;
}
