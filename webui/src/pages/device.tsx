// One device: how it is known, what it may, what it did.
import { get, patch, remove, there } from "../api";
import { count, octets, printable } from "../format";
import { Act } from "../parts/act";
import { Course } from "../parts/course";
import { DeviceActs } from "../parts/device";
import { Feed } from "../parts/event";
import { Form } from "../parts/form";
import { said } from "../parts/notes";
import { Ago, Await, Empty, Facts, Head, HostLink, Level, Name, Section, State, Texts } from "../parts/show";
import { Rows } from "../parts/table";
import { useResource } from "../resource";
import { to } from "../route";
import { ADMINS, READERS, may } from "../session";
import { t, word } from "../words";
import { Flows } from "./activity";

export function Device({ id = "" }: { id?: string | undefined }) {
  const found = useResource(id, () => get("devices/{id}", { id }));
  const address = found.value?.addresses[0] ?? "";
  const host = useResource(`host ${address}`, async () => (address && may(READERS) ? there(get("hosts/{host}", { host: address })) : null));
  const rules = useResource(`rules ${id}`, async () => (may(READERS) ? (await get("rules", { limit: 100 })).items : []));
  const device = found.value;
  if (!device) return <><Head title={t("page.device")} /><Await of={found}>{() => null}</Await></>;
  const words = (text: string | undefined): string[] => (text ?? "").split(",").map((part) => part.trim()).filter(Boolean);
  const own = new Set(["any", "*", device.name, ...device.groups]);
  const applying = rules.value?.filter(({ who }) => who.length === 0 || who.some((one) => own.has(one) || own.has(one.replace(/^(device|group):/, "")))) ?? [];
  return <>
    <Head title={<Name text={device.name} />} about={<><State state={device.state} of="device.state" /> {device.kind && word("kind", device.kind)} {device.vendor && <Name text={device.vendor} />}</>}><DeviceActs device={device} /></Head>
    {device.conflicts.length > 0 && <div class="warning"><Texts of={device.conflicts} /></div>}
    {device.returns_as && <div class="warning"><span>{t("device.returns")} <a href={to("device", device.returns_as)}>#{device.returns_as}</a>: {device.returns_reasons.map((reason) => printable(reason, 200)).join("; ")}</span></div>}
    <div class="two">
      <Section title={t("device.identity")}><Facts of={[
        ["host.mac", <ul class="mono">{device.macs.map((mac) => <li key={mac}><Name text={mac} /></li>)}</ul>],
        ["device.addresses", <ul>{device.addresses.map((one) => <li key={one}><HostLink host={one} /></li>)}</ul>],
        ["device.names", device.names.length > 0 && <ul>{device.names.map(({ source, name }) => <li key={source + name}><Name text={name} /> <span class="dim">{source}</span></li>)}</ul>],
        ["device.kind.why", device.kind_reasons.map((reason) => printable(reason, 200)).join("; ")],
        ["device.randomised", device.randomised ? t("word.yes") : undefined],
        ["host.side", word("side", device.side)],
        ["host.first", <Ago at={device.first_seen} />],
        ["host.last", <Ago at={device.last_seen} />],
      ]} /></Section>
      {may(ADMINS) ? <Section title={t("device.said")}>
        <Form key={device.id} submit={t("act.save")} fields={[
          { name: "name", label: "device.name", value: device.name, max: 64 },
          { name: "owner", label: "device.owner", value: device.owner, max: 256, hint: t("device.owner.hint") },
          { name: "groups", label: "device.groups", value: device.groups.join(", "), hint: t("device.groups.hint") },
          { name: "tags", label: "device.tags", value: device.tags.join(", ") },
          { name: "notes", label: "device.notes", value: device.notes, type: "textarea", rows: 2, max: 256 },
        ]} run={async ({ name = "", owner = "", groups, tags, notes = "" }) => {
          const old = { name: device.name, owner: device.owner, groups: device.groups, tags: device.tags, notes: device.notes };
          // What is as it was is not said again: a name that the device gave itself does not become a person's word.
          await patch("devices/{id}", { name: name === device.name ? null : name, owner, groups: words(groups), tags: words(tags), notes }, { id });
          said(t("act.saved"), () => patch("devices/{id}", old, { id }));
        }} /></Section> : <Section title={t("device.said")}><Facts of={[["device.owner", device.owner], ["device.groups", device.groups.join(", ")], ["device.notes", device.notes]]} /></Section>}
      {host.value && <Section title={t("device.level")}><Facts of={[
        ["threat.level", <Level level={host.value.host.level} />],
        ["host.octets", octets(host.value.host.octets)],
        ["host.frames", count(host.value.host.frames)],
        ["host.holds", host.value.learnt_since ? t(host.value.habits_hold ? "word.yes" : "host.holds.no") : t("host.habits.none")],
      ]} /><a href={to("host", address)}>{t("device.evidence")}</a></Section>}
      {host.value && <Section title={t("host.events")}>{host.value.events.length === 0 ? <Empty>{t("host.events.none")}</Empty> : <Feed events={[...host.value.events].reverse().slice(0, 12)} />}</Section>}
    </div>
    {may(READERS) && <Section title={t("device.rules")} side={<><a href={to("learning", id)}>{t("page.learning")}</a> · <a href={to("policy")}>{t("page.policy")}</a></>}>
      {applying.length === 0 ? <Empty>{t("device.rules.none")}</Empty> : <Rows rows={applying} label={t("device.rules")} columns={[
        ["rule.name", (rule) => <Name text={rule.id} />], ["rule.effect", ({ effect }) => <State state={effect} of="effect" />],
        ["rule.to", (rule) => <Name text={rule.to.join(", ")} />], ["rule.service", ({ service }) => <Name text={service.join(", ")} />],
      ]} />}
    </Section>}
    {may(READERS) && <Course title="traffic.title" none="traffic.small" topic="devices" device={device.id} shown={octets} head="host.octets" />}
    <Flows mac={device.macs[0] ?? "-"} />
    {may(ADMINS) && <div class="acts"><Act kind="danger" ask={t("device.forget.ask", { name: printable(device.name) })} of={device.name} done run={async () => { await remove("devices/{id}", { id }); location.hash = to("devices"); }}>{t("device.forget")}</Act></div>}
  </>;
}
