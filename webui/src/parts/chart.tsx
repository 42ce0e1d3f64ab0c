// Charts: drawn in SVG, said in a sentence, shown as a table on demand.
import type { ComponentChildren } from "preact";
import { useId } from "preact/hooks";
import { useSignal } from "../state";
import { type Key, t } from "../words";
import { area, nice } from "./scale";

export interface Point { label: string; value: number; note?: ComponentChildren }
interface Props { points: Point[]; said: string; shown: (value: number) => string; head: [Key, Key] }

function Figure({ points, said, shown, head, children }: Props & { children: ComponentChildren }) {
  const table = useSignal(false);
  const id = useId();
  return <figure class="chart">
    <figcaption id={id}>{said}</figcaption>
    {table.value ? <div class="scroll"><table><thead><tr><th scope="col">{t(head[0])}</th><th scope="col" class="end">{t(head[1])}</th></tr></thead>
      <tbody>{points.map(({ label, value }, at) => <tr key={at}><th scope="row">{label}</th><td class="end">{shown(value)}</td></tr>)}</tbody></table></div> : children}
    <button type="button" class="link" aria-expanded={table.value} onClick={() => { table.value = !table.value; }}>{t(table.value ? "chart.drawn" : "chart.table")}</button>
  </figure>;
}

/** Bars from the left, each with its name and value in words. */
export function Bars(props: Props & { link?: (point: Point) => string | undefined }) {
  const most = Math.max(1, ...props.points.map(({ value }) => value));
  return <Figure {...props}><ul class="bars">{props.points.map((point, at) => {
    const link = props.link?.(point);
    return <li key={at}><span class="label">{link ? <a href={link}><bdi>{point.label}</bdi></a> : <bdi>{point.label}</bdi>}</span><span class="value">{props.shown(point.value)}</span>
      <svg viewBox="0 0 100 4" preserveAspectRatio="none" aria-hidden="true"><rect width={(point.value / most) * 100} height="4" rx="1" /></svg></li>;
  })}</ul></Figure>;
}

const WIDTH = 600;
const HEIGHT = 140;

/** A value over time, as an area. */
export function Trend(props: Props) {
  const { points, said, shown } = props;
  const most = nice(Math.max(0, ...points.map(({ value }) => value)));
  return <Figure {...props}>
    <small>{shown(most)}</small>
    <svg class="trend" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" role="img" aria-label={said}>
      {[0, 0.5, 1].map((part) => <line key={part} x2={WIDTH} y1={part * HEIGHT} y2={part * HEIGHT} />)}
      <path d={area(points.map(({ value }) => value), most, WIDTH, HEIGHT, HEIGHT)} />
    </svg>
    <p class="ends"><small>{points[0]?.label}</small><small>{points[points.length - 1]?.label}</small></p>
  </Figure>;
}
