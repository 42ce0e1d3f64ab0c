// One device: how it is known, what it may, what it did.
import { get, patch, remove } from "../api";
import { count, octets, printable } from "../format";
import { Act } from "../parts/act";
import { DeviceActs } from "../parts/device";
import { Feed } from "../parts/event";
import { Form } from "../parts/form";
import { said } from "../parts/notes";
import { Ago, Empty, Facts, Head, HostLink, Level, Name, Refused, Section, State } from "../parts/show";
import { Rows } from "../parts/table";
import { useResource } from "../resource";
import { to } from "../route";
import { ADMINS, READERS, may } from "../session";
import { t, word } from "../words";

export function Device({ id = "" }: { id?: string | undefined }) {
  const found = useResource(id, () => get("devices/{id}", { id }));
  const address = found.value?.addresses[0] ?? "";
  const host = useResource(`host ${address}`, async () => (address && may(READERS) ? get("hosts/{host}", { host: address }).catch(() => null) : null));
  const rules = useResource(`rules ${id}`, async () => (may(READERS) ? (await get("rules", { limit: 100 })).items : []));
  const device = found.value;
  if (!device) return <><Head title={t("page.device")} />{found.refusal ? <Refused refusal={found.refusal} again={found.reload} /> : <p class="waits" aria-busy="true">{t("list.loading")}</p>}</>;
  const words = (text: string | undefined): string[] => (text ?? "").split(",").map((part) => part.trim()).filter(Boolean);
  const own = new Set(["any", "*", device.name, ...device.groups]);
  const applying = rules.value?.filter(({ who }) => who.length === 0 || who.some((one) => own.has(one) || own.has(one.replace(/^(device|group):/, "")))) ?? [];
  return <>
    <Head title={<Name text={device.name} />} about={<><State state={device.state} of="device.state" /> {device.kind && word("kind", device.kind)} {device.vendor && <Name text={device.vendor} />}</>}><DeviceActs device={device} /></Head>
    {device.conflicts.length > 0 && <div class="warning"><ul>{device.conflicts.map((conflict) => <li key={conflict}><bdi>{printable(conflict, 300)}</bdi></li>)}</ul></div>}
    {device.returns_as && <div class="warning"><span>{t("device.returns")} <a href={to("device", device.returns_as)}>#{device.returns_as}</a>: {device.returns_reasons.map((reason) => printable(reason, 200)).join("; ")}</span></div>}
    <div class="two">
      <Section title={t("device.identity")}><Facts of={[
        [t("host.mac"), <ul key="m" class="mono">{device.macs.map((mac) => <li key={mac}><Name text={mac} /></li>)}</ul>],
        [t("device.addresses"), <ul key="a">{device.addresses.map((one) => <li key={one}>{may(READERS) ? <HostLink host={one} /> : <Name text={one} />}</li>)}</ul>],
        [t("device.names"), device.names.length > 0 && <ul key="n">{device.names.map(({ source, name }) => <li key={source + name}><Name text={name} /> <span class="dim">{source}</span></li>)}</ul>],
        [t("device.kind.why"), device.kind_reasons.map((reason) => printable(reason, 200)).join("; ")],
        [t("device.randomised"), device.randomised ? t("word.yes") : undefined],
        [t("host.side"), word("side", device.side)],
        [t("host.first"), <Ago key="f" at={device.first_seen} />],
        [t("host.last"), <Ago key="l" at={device.last_seen} />],
      ]} /></Section>
      {may(ADMINS) ? <Section title={t("device.said")}>
        <Form key={device.id} submit={t("act.save")} fields={[
          { name: "name", label: t("device.name"), value: device.name, max: 64 },
          { name: "owner", label: t("device.owner"), value: device.owner, max: 256, hint: t("device.owner.hint") },
          { name: "groups", label: t("device.groups"), value: device.groups.join(", "), hint: t("device.groups.hint") },
          { name: "tags", label: t("device.tags"), value: device.tags.join(", ") },
          { name: "notes", label: t("device.notes"), value: device.notes, type: "textarea", rows: 2, max: 256 },
        ]} run={async ({ name = "", owner = "", groups, tags, notes = "" }) => {
          const old = { name: device.name, owner: device.owner, groups: device.groups, tags: device.tags, notes: device.notes };
          // What is as it was is not said again: a name that the device gave itself does not become a person's word.
          await patch("devices/{id}", { name: name === device.name ? null : name, owner, groups: words(groups), tags: words(tags), notes }, { id });
          said(t("act.saved"), () => patch("devices/{id}", old, { id }));
        }} /></Section> : <Section title={t("device.said")}><Facts of={[[t("device.owner"), device.owner], [t("device.groups"), device.groups.join(", ")], [t("device.notes"), device.notes]]} /></Section>}
      {host.value && <Section title={t("device.level")}><Facts of={[
        [t("threat.level"), <Level key="l" level={host.value.host.level} />],
        [t("host.octets"), octets(host.value.host.octets)],
        [t("host.frames"), count(host.value.host.frames)],
        [t("host.holds"), host.value.learnt_since ? t(host.value.habits_hold ? "word.yes" : "host.holds.no") : t("host.habits.none")],
      ]} /><a href={to("host", address)}>{t("device.evidence")}</a></Section>}
      {host.value && <Section title={t("host.events")}>{host.value.events.length === 0 ? <Empty>{t("host.events.none")}</Empty> : <Feed events={[...host.value.events].reverse().slice(0, 12)} />}</Section>}
    </div>
    {may(READERS) && <Section title={t("device.rules")} side={<a href={to("policy")}>{t("page.policy")}</a>}>
      {applying.length === 0 ? <Empty>{t("device.rules.none")}</Empty> : <Rows rows={applying} id={(rule) => rule.id} label={t("device.rules")} columns={[
        { head: t("rule.name"), cell: (rule) => <Name text={rule.id} /> }, { head: t("rule.effect"), cell: ({ effect }) => <State state={effect} of="effect" /> },
        { head: t("rule.to"), cell: (rule) => <Name text={rule.to.join(", ")} /> }, { head: t("rule.service"), cell: ({ service }) => <Name text={service.join(", ")} /> },
      ]} />}
    </Section>}
    {may(ADMINS) && <div class="acts"><Act kind="danger" ask={t("device.forget.ask", { name: printable(device.name) })} label={t("device.forget")} run={async () => { await remove("devices/{id}", { id }); location.hash = to("devices"); said(t("device.forgotten")); }}>{t("device.forget")}</Act></div>}
  </>;
}
