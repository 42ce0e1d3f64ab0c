// A list of the box: filtered, sorted and paged by it; its filters stand in the address; rows become cards on a phone.
import type { ComponentChildren } from "preact";
import { useEffect } from "preact/hooks";
import { useSignal } from "@preact/signals";
import { type Lists, type Page, type Params, type RowOf, get, more, save } from "../api";
import { useResource } from "../resource";
import { filter, route } from "../route";
import { t } from "../words";
import { Act } from "./act";
import { Empty, Refused } from "./show";

export interface Column<Row> { head: string; cell: (row: Row) => ComponentChildren; wide?: boolean; end?: boolean; sort?: string }

/** Rows under heads; on a phone each row is a card. */
export function Rows<Row>({ rows, columns, id, label }: { rows: Row[]; columns: Array<Column<Row>>; id: (row: Row) => string | number; label: string }) {
  return <div class="scroll"><table aria-label={label}>
    <thead><tr>{columns.map(({ head, end }) => <th key={head} scope="col" class={end ? "end" : undefined}>{head || <span class="hush">{t("list.acts")}</span>}</th>)}</tr></thead>
    <tbody>{rows.map((row) => <tr key={id(row)}>{columns.map(({ head, cell, wide, end }) =>
      <td key={head} data-head={head} class={[wide ? "wide" : "", end ? "end" : ""].join(" ").trim() || undefined}>{cell(row)}</td>)}</tr>)}</tbody>
  </table></div>;
}

/** A choice or a text that the box filters by. */
export interface Filter { name: string; label: string; options?: Array<[string, string]> }

interface Props<P extends Lists> {
  path: P;
  params?: Params;
  label: string;
  columns: Array<Column<RowOf<P>>>;
  id: (row: RowOf<P>) => string | number;
  filters?: Filter[];
  sort?: string;
  empty: ComponentChildren;
  csv?: string;
  keep?: (row: RowOf<P>) => boolean;
}

export function List<P extends Lists & string>({ path, params, label, columns, id, filters = [], sort, empty, csv, keep }: Props<P>) {
  const { query } = route.value;
  const set: Params = { ...params, sort };
  for (const { name } of filters) if (query.get(name)) set[name] = query.get(name);
  const key = JSON.stringify([path, set]);
  // The pages after the first, by the address that the box gave for each.
  const trail = useSignal<string[]>([]);
  useEffect(() => { trail.value = []; }, [key]);
  const next = trail.value[trail.value.length - 1];
  type Row = RowOf<P>;
  const page = useResource<Page<Row>>(key + (next ?? ""), async () => (next ? more<Row>(next) : (await get(path as never, { ...set, limit: 50 })) as Page<Row>));
  const rows = page.value?.items.filter((row) => !keep || keep(row)) ?? [];
  const filtered = filters.some(({ name }) => query.get(name));
  return <>
    {(filters.length > 0 || csv) && <div class="filters">
      {filters.map(({ name, label: text, options }) => <label key={name}><span>{text}</span>
        {options ? <select value={query.get(name) ?? ""} onChange={(event) => filter(name, event.currentTarget.value)}>
            <option value="">{t("list.all")}</option>{options.map(([value, shown]) => <option key={value} value={value}>{shown}</option>)}</select>
          : <input type="search" value={query.get(name) ?? ""} onChange={(event) => filter(name, event.currentTarget.value.trim())} />}
      </label>)}
      {csv && <Act small run={() => save(path, { ...set, limit: 100 }, "text/csv", `${csv}.csv`)}>{t("list.csv")}</Act>}
    </div>}
    {page.refusal && <Refused refusal={page.refusal} again={page.reload} />}
    {!page.value && !page.refusal && <p class="waits" aria-busy="true">{t("list.loading")}</p>}
    {page.value && rows.length === 0 && <Empty>{filtered ? t("list.filtered") : empty}</Empty>}
    {rows.length > 0 && <Rows rows={rows} columns={columns} id={id} label={label} />}
    {(next || page.value?.next) && <nav class="pages" aria-label={t("list.pages")}>
      <button type="button" disabled={!next} onClick={() => { trail.value = trail.value.slice(0, -1); }}>{t("list.back")}</button>
      <span>{t("list.page", { page: trail.value.length + 1 })}</span>
      <button type="button" disabled={!page.value?.next} onClick={() => { if (page.value?.next) trail.value = [...trail.value, page.value.next]; }}>{t("list.next")}</button>
    </nav>}
  </>;
}
