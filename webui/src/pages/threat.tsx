// One threat: what it is, in numbers, what Picket did and whether the kernel confirmed it, and what can be done now.
import { get, post, remove, save } from "../api";
import { percent, printable, spaced } from "../format";
import { Act } from "../parts/act";
import { AlertActs } from "../parts/alert";
import { Unblock } from "../parts/event";
import { Forest } from "../parts/forest";
import { Ago, Await, Empty, Facts, Head, HostLink, Left, Level, Name, Numbers, Remarks, Section, State } from "../parts/show";
import { Rows } from "../parts/table";
import { useResource } from "../resource";
import { ADMINS, may } from "../session";
import { t, word } from "../words";

export function Threat({ id = "" }: { id?: string | undefined }) {
  const threat = useResource(id, () => get("threats/{id}", { id }));
  const host = threat.value?.host ?? "";
  const about = useResource(`kind ${threat.value?.family ?? ""}`, async () => (await get("catalogue", { limit: 100 })).items.find((kind) => kind.id === threat.value?.family));
  const alerts = useResource(`alerts ${host}`, async () => (host ? (await get("alerts", { host, limit: 50 })).items : []));
  const blocks = useResource(`blocks ${host}`, async () => (host ? (await get("blocks", { host, limit: 1 })).items : []));
  if (!threat.value) return <><Head title={t("page.threat")} /><Await of={threat}>{() => null}</Await></>;
  const { family, level, state, at, why, confidence, detector, evidence, features, frames, mac, side } = threat.value;
  const alert = alerts.value?.find((one) => one.family === family) ?? alerts.value?.find((one) => one.threat === Number(id));
  const block = blocks.value?.[0];
  const measured = Object.keys(features).length;
  return <>
    <Head title={<>{family ? spaced(family) : t("page.threat")}</>} about={<><Level level={level} /> · <HostLink host={host} mac={mac} /> · <Ago at={at} /></>}>
      {alert && <AlertActs alert={alert} />}
    </Head>
    <div class="two">
      <Section title={t("threat.what")}>
        {about.value && <p class="lead">{about.value.meaning}</p>}
        <p class="lead"><bdi>{printable(why, 500)}</bdi></p>
        {about.value && <Facts of={[["help.definition", about.value.definition], ["help.horizon", about.value.horizon], ["help.hidden", about.value.hidden_by], ["help.techniques", about.value.techniques.join(", ")]]} />}
      </Section>
      <Section title={t("threat.did")}>
        <p class="lead">{word("did", state)}</p>
        <Facts of={[
          ["threat.state", <State state={state} />],
          ["threat.now", block ? <span>{t("threat.now.blocked")} <Left until={block.until} /> <Unblock block={block} /></span> : t("threat.now.free")],
          ["threat.detector", detector],
          ["threat.confidence", percent(confidence)],
          ["host.side", word("side", side)],
        ]} />
        {may(ADMINS) && <div class="acts">
          {!block && <Act small ask={t("block.ask", { host })} of={host} run={async () => {
            await post("blocks", { host, why: t("block.why", { id }), for_secs: 3_600 });
            return () => remove("blocks/{host}", { host });
          }}>{t("block.hour")}</Act>}
          <Act small run={async () => { await post("threats/{id}/feedback", { right: true, for_secs: null }, { id }); return () => remove("threats/{id}/feedback", { id }); }}>{t("threat.right")}</Act>
          {!alert && <Act small kind="danger" ask={t("alert.false.ask", { host, family: spaced(family ?? "") })} of={host} run={async () => {
            await post("threats/{id}/feedback", { right: false, for_secs: null }, { id });
            return () => remove("threats/{id}/feedback", { id });
          }}>{t("alert.false")}</Act>}
        </div>}
      </Section>
      <Section title={t("threat.evidence")}>
        {Object.keys(evidence).length === 0 ? <Empty>{t("threat.evidence.none")}</Empty> : <Numbers of={evidence} />}
      </Section>
      {measured > 0 && <Forest features={features} />}
      <Section title={t("threat.notes")}>
        <Remarks of={alert?.notes ?? []} />
      </Section>
    </div>
    <Section title={t("threat.frames")} side={frames.length > 0 && <Act small run={() => save("threats/{id}/pcap", { id }, "text/plain", `threat-${id}.pcap.hex`)}>{t("threat.pcap")}</Act>}>
      {frames.length === 0 ? <Empty>{t("threat.frames.none")}</Empty> : <Rows rows={frames} label={t("threat.frames")} columns={[
        ["threat.when", (frame) => <Ago at={frame.at} />],
        ["frame.source", (frame) => <Name text={frame.source ?? ""} />],
        ["frame.destination", (frame) => <Name text={frame.destination ?? ""} />],
        ["frame.protocol", (frame) => <Name text={frame.protocol ?? ""} />],
        ["frame.len", (frame) => frame.len, "end"],
      ]} />}
    </Section>
    <Section title={t("threat.features")} side={<small>{t("threat.features.about")}</small>}>
      {measured === 0 ? <Empty>{t("threat.features.none")}</Empty> : <details><summary>{t("threat.features.show", { count: measured })}</summary><Numbers of={features} /></details>}
    </Section>
  </>;
}
