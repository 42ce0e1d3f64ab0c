// One threat: what it is, in numbers, what Picket did and whether the kernel confirmed it, and what can be done now.
import { get, post, remove, save } from "../api";
import { number, percent, printable, spaced } from "../format";
import { Act } from "../parts/act";
import { AlertActs } from "../parts/alert";
import { Unblock } from "../parts/event";
import { said } from "../parts/notes";
import { Ago, Empty, Facts, Head, HostLink, Left, Level, Name, Refused, Section, State } from "../parts/show";
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
  if (!threat.value) return <><Head title={t("page.threat")} />{threat.refusal ? <Refused refusal={threat.refusal} again={threat.reload} /> : <p class="waits" aria-busy="true">{t("list.loading")}</p>}</>;
  const { family, level, state, at, why, confidence, detector, evidence, features, frames, mac, side } = threat.value;
  const alert = alerts.value?.find((one) => one.family === family) ?? alerts.value?.find((one) => one.threat === Number(id));
  const block = blocks.value?.[0];
  const told = (values: Record<string, number>): Array<[string, number]> => Object.entries(values);
  return <>
    <Head title={<>{family ? spaced(family) : t("page.threat")}</>} about={<><Level level={level} /> · <HostLink host={host} mac={mac} /> · <Ago at={at} /></>}>
      {alert && <AlertActs alert={alert} />}
    </Head>
    <div class="two">
      <Section title={t("threat.what")}>
        {about.value && <p class="lead">{about.value.meaning}</p>}
        <p class="lead"><bdi>{printable(why, 500)}</bdi></p>
        {about.value && <Facts of={[[t("help.definition"), about.value.definition], [t("help.horizon"), about.value.horizon], [t("help.hidden"), about.value.hidden_by], [t("help.techniques"), about.value.techniques.join(", ")]]} />}
      </Section>
      <Section title={t("threat.did")}>
        <p class="lead">{word("did", state)}</p>
        <Facts of={[
          [t("threat.state"), <State key="s" state={state} />],
          [t("threat.now"), block ? <span key="b">{t("threat.now.blocked")} <Left until={block.until} /> <Unblock block={block} /></span> : t("threat.now.free")],
          [t("threat.detector"), detector],
          [t("threat.confidence"), percent(confidence)],
          [t("host.side"), word("side", side)],
        ]} />
        {may(ADMINS) && <div class="acts">
          {!block && <Act small ask={t("block.ask", { host })} label={t("block.of", { host })} run={async () => {
            await post("blocks", { host, why: t("block.why", { id }), for_secs: 3_600 });
            said(t("block.done", { host }), () => remove("blocks/{host}", { host }));
          }}>{t("block.hour")}</Act>}
          <Act small run={async () => { await post("threats/{id}/feedback", { right: true, for_secs: null }, { id }); said(t("threat.right.done"), () => remove("threats/{id}/feedback", { id })); }}>{t("threat.right")}</Act>
          {!alert && <Act small kind="danger" ask={t("alert.false.ask", { host, family: spaced(family ?? "") })} label={t("alert.false.of", { host })} run={async () => {
            await post("threats/{id}/feedback", { right: false, for_secs: null }, { id });
            said(t("alert.false.done"), () => remove("threats/{id}/feedback", { id }));
          }}>{t("alert.false")}</Act>}
        </div>}
      </Section>
      <Section title={t("threat.evidence")}>
        {told(evidence).length === 0 ? <Empty>{t("threat.evidence.none")}</Empty> : <Facts of={told(evidence).map(([name, value]) => [spaced(name), number(value)])} />}
      </Section>
      <Section title={t("threat.notes")}>
        {!alert || alert.notes.length === 0 ? <Empty>{t("threat.notes.none")}</Empty>
          : <ul class="todo">{alert.notes.map((note, n) => <li key={n}><span><bdi>{printable(note.text, 500)}</bdi><br /><small>{printable(note.who)} · <Ago at={note.at} /></small></span></li>)}</ul>}
      </Section>
    </div>
    <Section title={t("threat.frames")} side={frames.length > 0 && <Act small run={() => save("threats/{id}/pcap", { id }, "text/plain", `threat-${id}.pcap.hex`)}>{t("threat.pcap")}</Act>}>
      {frames.length === 0 ? <Empty>{t("threat.frames.none")}</Empty> : <Rows rows={frames.map((frame, n) => ({ ...frame, n }))} id={({ n }) => n} label={t("threat.frames")} columns={[
        { head: t("threat.when"), cell: (frame) => <Ago at={frame.at} /> },
        { head: t("frame.source"), cell: (frame) => <Name text={frame.source ?? ""} /> },
        { head: t("frame.destination"), cell: (frame) => <Name text={frame.destination ?? ""} /> },
        { head: t("frame.protocol"), cell: (frame) => <Name text={frame.protocol ?? ""} /> },
        { head: t("frame.len"), end: true, cell: (frame) => frame.len },
      ]} />}
    </Section>
    <Section title={t("threat.features")} side={<small>{t("threat.features.about")}</small>}>
      {told(features).length === 0 ? <Empty>{t("threat.features.none")}</Empty>
        : <details><summary>{t("threat.features.show", { count: told(features).length })}</summary><Facts of={told(features).map(([name, value]) => [spaced(name), number(value)])} /></details>}
    </Section>
  </>;
}
