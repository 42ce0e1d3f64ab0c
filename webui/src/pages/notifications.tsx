// Who is told of what: channels, whether they work, and what did not arrive.
import type { ChannelRow, Family, Preset } from "../../generated/schema";
import { patch, post, remove, save } from "../api";
import { count, printable, span } from "../format";
import { Act, Ask } from "../parts/act";
import { Dialog, Once } from "../parts/dialog";
import type { Field, Values } from "../parts/form";
import { Ago, Head, Level, Name, State } from "../parts/show";
import { List, choices } from "../parts/table";
import { ADMINS, may } from "../session";
import { useSignal } from "../state";
import { type Key, t, word } from "../words";

const FAMILIES: Family[] = ["incident", "agent", "conflict", "link", "store", "channel", "device", "denied"];
/** What a new channel hears of. */
const USUAL = FAMILIES.slice(0, 5);
const PRESETS: Preset[] = ["json", "slack", "teams", "discord", "telegram", "ntfy", "gotify"];

/** What a channel hears of, and when. */
const fields = (of?: ChannelRow): Field[] => [
  ...FAMILIES.map((family): Field => ({ name: family, label: `family.${family}` as Key, type: "checkbox", value: (of?.families ?? USUAL).includes(family) })),
  { name: "high_only", label: "notify.high", type: "checkbox", value: of?.level === "HIGH" },
  { name: "quiet", label: "notify.quiet", type: "textarea", rows: 2, mono: true, value: of?.quiet.join("\n") ?? "", hint: t("notify.quiet.hint") },
  { name: "time_zone", label: "wizard.zone", max: 64, value: of?.time_zone ?? Intl.DateTimeFormat().resolvedOptions().timeZone },
  { name: "digest_minutes", label: "notify.digest", type: "number", min: 0, max: 10_080, value: of?.digest_minutes ?? 0, hint: t("notify.digest.hint") },
];
const typed = ({ quiet = "", time_zone = "", digest_minutes, high_only, ...rest }: Values) => ({
  families: FAMILIES.filter((family) => rest[family]), high_only: !!high_only, time_zone, digest_minutes: Number(digest_minutes),
  quiet: quiet.split("\n").map((window) => window.trim()).filter(Boolean),
});

export function Notifications() {
  const secret = useSignal<string | null | undefined>(null);
  const lost = useSignal<ChannelRow | null>(null);
  return <>
    <Head title={t("page.notifications")} about={t("notify.about")}>
      {may(ADMINS) && <Ask kind="main" done fields={[
        { name: "name", label: "account.name", required: true, max: 64 },
        { name: "url", label: "notify.to", required: true, max: 1_024, mono: true, hint: t("notify.to.hint") },
        { name: "preset", label: "notify.preset", options: choices("preset", PRESETS) },
        { name: "ca", label: "notify.ca", type: "textarea", rows: 2, mono: true, max: 8_192 },
        ...fields(),
      ]} send={async (values) => {
        const { name = "", url = "", preset, ca = "" } = values;
        const to = url.trim();
        // No way to a receiver of lines has an @ in it; a webhook's address has a scheme.
        const where = to.includes("@") && !to.includes("://") ? { mail: to } : { url: to, preset: preset as Preset, ca };
        secret.value = (await post("notifications", { name, ...where, ...typed(values) })).secret;
      }}>{t("notify.new")}</Ask>}
    </Head>
    <List path="notifications" title="page.notifications" id={({ id }) => id} empty="notify.none" columns={[
      ["account.name", ({ name, kind, preset, to }) => <><Name text={name} /><small>{kind} {preset} {kind === "file" ? null : <Name text={to} />}</small></>],
      ["notify.hears", ({ families, level }) => <>{families.map((family) => word("family", family)).join(", ")} <Level level={level} />{level === "HIGH" ? null : <> <Level level="HIGH" /></>}</>],
      ["notify.quiet", ({ quiet, time_zone, digest_minutes }) => <>{quiet.length > 0 && <>{quiet.map((window) => <div key={window}>{window.replaceAll(",", ", ")}</div>)}<small>{time_zone}</small></>}{digest_minutes > 0 && <small>{t("notify.digest")}: {span(digest_minutes * 60)}</small>}</>],
      ["account.state", ({ trouble, waiting, dead, held, dropped, last_sent }) => <><State state={trouble ? "failing" : "works"} of="channel" /><Name text={trouble} most={300} />
        {waiting + dead + held + dropped > 0 && <small>{t("notify.left", { waiting: count(waiting), dead: count(dead + dropped), held: count(held) })}</small>}
        {last_sent && <small>{t("notify.last")} <Ago at={last_sent} /></small>}</>],
      ["", (channel) => {
        const { id, name, kind } = channel;
        return <div class="acts">
          {channel.waiting + channel.dead > 0 && <Act small of={name} run={async () => { lost.value = channel; }}>{t("notify.letters")}</Act>}
          {kind === "file" && <Act small of={name} run={() => save("notifications/{id}/file", { id }, "*/*", "eve.json")}>{t("reports.save")}</Act>}
          {may(ADMINS) && <><Act small of={name} done={t("notify.tested")} run={() => post("notifications/{id}/test", undefined, { id })}>{t("notify.test")}</Act>
            <Ask small done of={name} submit={t("act.save")} fields={fields(channel)} send={(values) => patch("notifications/{id}", typed(values), { id })}>{t("settings.change")}</Ask>
            <Act small kind="danger" done of={name} ask={t("notify.remove.ask", { name: printable(name) })} run={() => remove("notifications/{id}", { id })}>{t("act.remove")}</Act></>}
        </div>;
      }, "end"],
    ]} />
    {lost.value && <Dialog title={`${t("notify.letters")}: ${printable(lost.value.name)}`} close={() => { lost.value = null; }}>
      <List path="notifications/{id}/letters" params={{ id: lost.value.id }} title="notify.letters" id={({ id }) => id} empty="list.filtered" columns={[
        ["threat.when", ({ created }) => <Ago at={created} />],
        ["incidents.what", ({ text }) => <Name text={text} most={300} />, "wide"],
        ["account.state", ({ dead, next, tries }) => <>{dead ? <><State state="dead" of="channel" /><small><Name text={dead} most={300} /></small></> : <Ago at={next} />}<small>{t("notify.tries", { count: tries })}</small></>],
      ]} /></Dialog>}
    {secret.value && <Once title={t("notify.secret")} code={secret.value} close={() => { secret.value = null; }}>{t("notify.secret.about")}</Once>}
  </>;
}
