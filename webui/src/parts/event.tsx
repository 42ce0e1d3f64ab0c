// One event of the feed, and blocks: how they read wherever they stand.
import type { BlockRow, Event } from "../../generated/schema";
import { post, remove } from "../api";
import { now, printable, spaced } from "../format";
import { to } from "../route";
import { ADMINS, may } from "../session";
import { t } from "../words";
import { Act } from "./act";
import { Ago, HostLink, Level, State } from "./show";

/** What an event is, in its own words; a finding leads to its page. */
export function What({ event }: { event: Event }) {
  const words = event.family ? <a href={to("threat", event.id)}>{spaced(event.family)}</a> : null;
  return <>{words}{words && " · "}<bdi>{printable(event.why, 400)}</bdi></>;
}

export function Feed({ events }: { events: Event[] }) {
  return <ul class="feed">{events.map((event) => <li key={event.id}>
    <Ago at={event.at} /><span><Level level={event.level} /></span>
    <span><HostLink host={event.host} mac={event.mac} /> <State state={event.state} /> <What event={event} /></span></li>)}</ul>;
}

/** Ends a block, with its inverse for 10 s. */
export function Unblock({ block }: { block: BlockRow }) {
  if (!may(ADMINS)) return null;
  const left = Math.max(60, Math.round((Date.parse(block.until) - now()) / 1_000));
  return <Act small run={async () => {
    await remove("blocks/{host}", { host: block.host });
    return () => post("blocks", { host: block.host, why: block.why, for_secs: left });
  }} of={block.host}>{t("block.end")}</Act>;
}
