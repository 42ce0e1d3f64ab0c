// Every setting: what it means, its value, its default, who set it; those that can be are changed here, at once.
import { useSignal } from "@preact/signals";
import type { RowOf } from "../api";
import { patch } from "../api";
import { printable } from "../format";
import { Dialog } from "../parts/dialog";
import { Form } from "../parts/form";
import { said } from "../parts/notes";
import { Head, Section, State } from "../parts/show";
import { List } from "../parts/table";
import { ADMINS, may } from "../session";
import { t, word } from "../words";

const shown = (value: unknown): string => (typeof value === "string" ? value : JSON.stringify(value));
/** What was typed, as the kind of value that was there. */
const read = (text: string, was: unknown): unknown => { if (typeof was === "string") return text; try { return JSON.parse(text) as unknown; } catch { return text; } };

export function Settings() {
  const open = useSignal<RowOf<"settings"> | null>(null);
  const one = open.value;
  return <>
    <Head title={t("page.settings")} about={t("settings.about")} />
    <Section title={t("settings.all")}>
      <List path="settings" label={t("settings.all")} id={({ id }) => id} empty={t("list.filtered")} filters={[
        { name: "q", label: t("search.title") }, { name: "origin", label: t("settings.origin"), options: ["default", "file", "here"].map((origin): [string, string] => [origin, word("origin", origin)]) },
      ]} columns={[
        { head: t("settings.name"), wide: true, cell: ({ id, meaning }) => <><code>{id}</code><small>{printable(meaning, 400)}</small></> },
        { head: t("settings.value"), cell: ({ value }) => <span class="mono">{printable(shown(value))}</span> },
        { head: t("settings.default"), cell: (row) => <span class="mono dim">{printable(shown(row.default))}</span> },
        { head: t("settings.origin"), cell: ({ origin, line }) => <><State state={origin} of="origin" />{line ? <small>{t("policy.line", { line })}</small> : null}</> },
        { head: "", end: true, cell: (row) => may(ADMINS) && row.changeable && <button type="button" class="small" aria-label={t("settings.change.of", { name: row.id })} onClick={() => { open.value = row; }}>{t("settings.change")}</button> },
      ]} />
    </Section>
    {one && <Dialog title={one.id} close={() => { open.value = null; }}>
      <p>{printable(one.meaning, 400)}</p>
      <Form submit={t("act.save")} fields={[
        { name: "value", label: t("settings.value"), value: shown(one.value), hint: one.expected, mono: true },
        { name: "why", label: t("block.reason"), max: 200 },
      ]} run={async ({ value = "", why = "" }) => {
        const wanted = value === shown(one.default) ? null : read(value, one.value);
        await patch("settings/{id}", { value: wanted, why }, { id: one.id });
        open.value = null;
        said(t("act.saved"), () => patch("settings/{id}", { value: one.origin === "here" ? one.value : null, why: t("act.undone") }, { id: one.id }));
      }} />
    </Dialog>}
  </>;
}
