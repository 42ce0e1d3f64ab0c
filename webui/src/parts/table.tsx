// A list of the box: filtered, sorted and paged by it; its filters stand in the address; rows become cards on a phone.
import type { ComponentChildren } from "preact";
import { useEffect } from "preact/hooks";
import { useSignal } from "../state";
import { type Lists, type Page, type Params, type RowOf, get, more, save } from "../api";
import { useResource } from "../resource";
import { filter, route } from "../route";
import { type Key, t, word } from "../words";
import { Act } from "./act";
import { Await, Empty, Section } from "./show";

/** What stands over a column, how a row's cell reads, and whether the column is wide or at the end. */
export type Column<Row> = [Key | "", (row: Row) => ComponentChildren, ("wide" | "end")?];

/** Rows under heads; on a phone each row is a card. */
export function Rows<Row>({ rows, columns, id, label }: { rows: Row[]; columns: Array<Column<Row>>; id?: (row: Row) => string | number; label: string }) {
  const heads = columns.map(([key]) => key && t(key));
  return <div class="scroll"><table aria-label={label}>
    <thead><tr>{columns.map(([, , kind], at) => <th key={at} scope="col" class={kind}>{heads[at] || <span class="hush">{t("list.acts")}</span>}</th>)}</tr></thead>
    <tbody>{rows.map((row, n) => <tr key={id ? id(row) : n}>{columns.map(([, cell, kind], at) => <td key={at} data-head={heads[at]} class={kind}><div>{cell(row)}</div></td>)}</tr>)}</tbody>
  </table></div>;
}

/** A choice or a text that the box filters by. */
export type Filter = [name: string, label: Key, options?: Array<[string, string]>];
/** Words of the box as choices. */
export const choices = (of: string, values: readonly string[]): Array<[string, string]> => values.map((value) => [value, word(of, value)]);

interface Props<P extends Lists> {
  path: P;
  params?: Params;
  /** What stands over it; it names the table too. */
  title: Key;
  side?: ComponentChildren;
  columns: Array<Column<RowOf<P>>>;
  id: (row: RowOf<P>) => string | number;
  filters?: Filter[];
  sort?: string;
  /** Rows a page. */
  limit?: number;
  empty: Key;
  /** Whether it can be saved as CSV. */
  csv?: boolean;
  keep?: (row: RowOf<P>) => boolean;
  children?: ComponentChildren;
}

export function List<P extends Lists & string>({ path, params, title, side, columns, id, filters = [], sort, limit = 50, empty, csv, keep, children }: Props<P>) {
  const { query } = route.value;
  const set: Params = { ...params, sort };
  for (const [name] of filters) if (query.get(name)) set[name] = query.get(name);
  const key = JSON.stringify([path, set]);
  // The pages after the first, by the address that the box gave for each.
  const trail = useSignal<string[]>([]);
  useEffect(() => { trail.value = []; }, [key]);
  const next = trail.value[trail.value.length - 1];
  type Row = RowOf<P>;
  const page = useResource<Page<Row>>(key + (next ?? ""), async () => (next ? more<Row>(next) : (await get(path as never, { ...set, limit })) as Page<Row>));
  const filtered = filters.some(([name]) => query.get(name));
  return <Section title={t(title)} side={side}>
    {children}
    {(filters.length > 0 || csv) && <div class="filters">
      {filters.map(([name, label, options]) => <label key={name}><span>{t(label)}</span>
        {options ? <select value={query.get(name) ?? ""} onChange={(event) => filter(name, event.currentTarget.value)}>
            <option value="">{t("list.all")}</option>{options.map(([value, shown]) => <option key={value} value={value}>{shown}</option>)}</select>
          : <input type="search" defaultValue={query.get(name) ?? ""} onChange={(event) => filter(name, event.currentTarget.value.trim())} />}
      </label>)}
      {csv && <Act small run={() => save(path, { ...set, limit: 100 }, "text/csv", `${path}.csv`)}>{t("list.csv")}</Act>}
    </div>}
    <Await of={page}>{({ items }) => {
      const rows = keep ? items.filter(keep) : items;
      return rows.length === 0 ? <Empty>{t(filtered ? "list.filtered" : empty)}</Empty> : <Rows rows={rows} columns={columns} id={id} label={t(title)} />;
    }}</Await>
    {(next || page.value?.next) && <nav class="pages" aria-label={t(title)}>
      <button type="button" disabled={!next} onClick={() => { trail.value = trail.value.slice(0, -1); }}>{t("list.back")}</button>
      <span>{t("list.page", { page: trail.value.length + 1 })}</span>
      <button type="button" disabled={!page.value?.next} onClick={() => { if (page.value?.next) trail.value = [...trail.value, page.value.next]; }}>{t("list.next")}</button>
    </nav>}
  </Section>;
}
