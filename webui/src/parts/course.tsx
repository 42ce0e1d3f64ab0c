// A figure over time: of the whole network, or of one device.
import { useSignal } from "../state";
import { get } from "../api";
import { brief, span } from "../format";
import { useResource } from "../resource";
import { type Key, t } from "../words";
import { Trend } from "./chart";
import { Await, Empty, Section } from "./show";

// What the box keeps. Units: seconds.
const REACHES = { hour: 3_600, day: 86_400, week: 604_800, month: 2_678_400, year: 31_622_400 };

interface Props { title: Key; none: Key; topic: string; device?: number; shown: (value: number) => string; head: Key }

export function Course({ title, none, topic, device, shown, head }: Props) {
  const reach = useSignal("day");
  const series = useResource(`${topic} ${reach.value} ${device}`, () => get("statistics/{reach}/{topic}", { reach: reach.value, topic }));
  const side = <select aria-label={`${t(title)}: ${t("course.reach")}`} value={reach.value} onChange={(event) => { reach.value = event.currentTarget.value; }}>
    {Object.entries(REACHES).map(([one, seconds]) => <option key={one} value={one} selected={one === reach.value}>{span(seconds)}</option>)}</select>;
  return <Section title={t(title)} side={side}>
    <Await of={series}>{({ from, step, points, lines }) => {
      const own = lines.filter((line) => device === undefined || line.device === device);
      const sums = Array.from({ length: points }, (_, at) => own.reduce((sum, { sent, received }) => sum + (sent[at] ?? 0) + (received[at] ?? 0), 0));
      const all = sums.reduce((sum, value) => sum + value, 0);
      return all === 0 ? <Empty>{t(none)}</Empty>
        : <Trend points={sums.map((value, at) => ({ label: brief(Date.parse(from) + at * step * 1_000), value }))}
            said={t("course.said", { all: shown(all), most: shown(Math.max(...sums)) })} shown={shown} head={["threat.when", head]} />;
    }}</Await>
  </Section>;
}
