// Every setting: what it means, its value, its default, who set it; those that can be are changed here, at once.
import { patch } from "../api";
import { printable } from "../format";
import { Ask } from "../parts/act";
import { WHY } from "../parts/form";
import { Head, State } from "../parts/show";
import { List, choices } from "../parts/table";
import { ADMINS, may } from "../session";
import { t } from "../words";

const shown = (value: unknown): string => (typeof value === "string" ? value : JSON.stringify(value));
/** What was typed, as the kind of value that was there. */
const read = (text: string, was: unknown): unknown => { if (typeof was === "string") return text; try { return JSON.parse(text) as unknown; } catch { return text; } };

export function Settings() {
  return <>
    <Head title={t("page.settings")} about={t("settings.about")} />
    <List path="settings" title="settings.all" id={({ id }) => id} empty="list.filtered"
      filters={[["q", "search.title"], ["origin", "settings.origin", choices("origin", ["default", "file", "here"])]]}
      columns={[
        ["settings.name", ({ id, meaning }) => <><code>{id}</code><small>{printable(meaning, 400)}</small></>, "wide"],
        ["settings.value", ({ value }) => <span class="mono">{printable(shown(value))}</span>],
        ["settings.default", (row) => <span class="mono dim">{printable(shown(row.default))}</span>],
        ["settings.origin", ({ origin, line }) => <><State state={origin} of="origin" />{line ? <small>{t("policy.line", { line })}</small> : null}</>],
        ["", (row) => may(ADMINS) && row.changeable && <Ask small of={row.id} about={printable(row.meaning, 400)} submit={t("act.save")} fields={[
          { name: "value", label: "settings.value", type: /PEM/.test(row.expected) ? "textarea" : "text", value: shown(row.value), hint: row.expected, mono: true }, WHY,
        ]} send={async ({ value = "", why = "" }) => {
          await patch("settings/{id}", { value: value === shown(row.default) ? null : read(value, row.value), why }, { id: row.id });
          return () => patch("settings/{id}", { value: row.origin === "here" ? row.value : null, why: t("act.undone") }, { id: row.id });
        }}>{t("settings.change")}</Ask>, "end"],
      ]} />
  </>;
}
