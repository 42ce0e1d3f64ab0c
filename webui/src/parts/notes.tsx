// Notes: what was done fades after 5 s, or stays 10 s with its undo; what was refused stays until it is closed.
import { signal } from "../state";
import { t } from "../words";
import { acted } from "../resource";
import { why } from "./show";

interface Note { id: number; text: string; bad: boolean; undo?: () => Promise<unknown> }
const notes = signal<Note[]>([]);
let last = 0;
const FADES = 5_000;
const UNDO = 10_000;

function add(note: Omit<Note, "id">): void {
  const id = ++last;
  notes.value = [...notes.value.slice(-3), { ...note, id }];
  if (!note.bad) setTimeout(() => close(id), note.undo ? UNDO : FADES);
}
const close = (id: number): void => { notes.value = notes.value.filter((note) => note.id !== id); };

/** Says that something was done; it can be undone for 10 s where there is an inverse. */
export function said(text: string, undo?: () => Promise<unknown>): void {
  acted.value += 1;
  add(undo ? { text, bad: false, undo } : { text, bad: false });
}
export function failed(error: unknown): void { add({ text: why(error), bad: true }); }

export function Notes() {
  return <div class="notes" aria-live="polite">
    {notes.value.map((note) => <div key={note.id} class={note.bad ? "note bad" : "note"} role={note.bad ? "alert" : "status"}>
      <span>{note.text}</span>
      {note.undo && <button type="button" class="small" onClick={() => {
        close(note.id);
        note.undo!().then(() => said(t("act.undone")), failed);
      }}>{t("act.undo")}</button>}
      <button type="button" class="close" aria-label={t("act.close")} onClick={() => close(note.id)}>×</button>
    </div>)}
  </div>;
}
