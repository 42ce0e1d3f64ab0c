// What devices need, learnt from what they did: proposed as rules, watched in shadow, then enforced.
import { download, get, post } from "../api";
import { count, printable } from "../format";
import { Act, Ask } from "../parts/act";
import { WHY, spans } from "../parts/form";
import { Ago, Await, Empty, Facts, Head, Name, Numbers, Section, State } from "../parts/show";
import { List, choices } from "../parts/table";
import { Tried } from "../parts/tried";
import { useResource } from "../resource";
import { filter, route, to } from "../route";
import { ADMINS, may } from "../session";
import { t, word } from "../words";

const DAYS = [1, 7, 30];

export function Learning({ id }: { id?: string | undefined }) {
  return id === undefined ? <>
    <Head title={t("page.learning")} about={t("learning.about")} />
    <List path="devices" title="learning.devices" id={({ id }) => id} empty="devices.none" sort="-last_seen"
      filters={[["q", "search.title"], ["state", "device.state", choices("device.state", ["new", "approved", "quarantined"])]]} columns={[
        ["device.name", ({ id, name }) => <a href={to("learning", id)}><Name text={name || `#${id}`} /></a>],
        ["device.state", ({ state }) => <State state={state} of="device.state" />],
        ["device.kind", ({ kind }) => kind && word("kind", kind)],
        ["host.first", ({ first_seen }) => <Ago at={first_seen} />],
        ["host.last", ({ last_seen }) => <Ago at={last_seen} />],
      ]} />
  </> : <One device={id} />;
}

function One({ device }: { device: string }) {
  const days = Number(route.value.query.get("days")) || null;
  const proposal = useResource(`proposal ${device} ${days}`, () => post("proposals/{device}", { days }, { device }));
  const shadow = useResource(`shadow ${device}`, () => get("proposals/{device}/shadow", { device }));
  const name = proposal.value?.device ?? "";
  /** A draft of the policy in force with these rules at its end. */
  const edit = async (rules: string): Promise<void> => {
    const { text } = await get("rules/policy");
    await post("rules/draft", { text: `${text}\n${rules}` });
    location.hash = to("policy");
  };
  return <>
    <Head title={name ? <Name text={name} /> : t("page.learning")} about={t("learning.one")}>
      <Act small run={async () => download(new Blob([JSON.stringify((await get("rules/mud/{name}", { name })).file, null, 2)]), `${name}.json`)}>{t("mud.save")}</Act>
    </Head>
    <Section title={t("learning.proposal")} side={<label>{t("learning.span")} <select value={days ?? ""} onChange={(event) => filter("days", event.currentTarget.value)}>
      <option value="">{t("learning.span.set")}</option>{DAYS.map((one) => <option key={one} value={one} selected={one === days}>{count(one)}</option>)}</select></label>}>
      <Await of={proposal}>{({ rules, covered, anyway, left_out, text }) => <>
        <Facts of={[["learning.rules", count(rules)], ["learning.covered", count(covered)], ["learning.anyway", count(anyway)]]} />
        {Object.keys(left_out).length > 0 && <><h3>{t("learning.left")}</h3><Numbers of={left_out as Record<string, number>} /></>}
        {rules === 0 ? <Empty>{t("learning.none")}</Empty> : <><pre aria-label={t("policy.rules")}>{text}</pre>
          {may(ADMINS) && <div class="acts"><Act run={() => edit(text)}>{t("learning.edit")}</Act></div>}</>}
      </>}</Await>
    </Section>
    <Section title={t("learning.shadow")}>
      <Await of={shadow}>{({ since, seen }) => <>
        <p class="lead">{since ? <>{t("learning.shadow.on")} <Ago at={since} /></> : t("learning.shadow.off")}</p>
        <Tried tried={seen} />
        {may(ADMINS) && <div class="acts">
          <Act kind={since ? "plain" : "main"} done run={() => post("proposals/{device}/shadow", { on: !since, why: "" }, { device })}>{t(since ? "learning.shadow.end" : "learning.shadow.begin")}</Act>
          <Ask kind={since ? "main" : "plain"} about={t("learning.enforce.about", { name: printable(name), cut: count(seen.cut) })} fields={[{ name: "within", label: "policy.within", value: 120, options: spans(60, 120, 600) }, WHY]}
            done={t("policy.trial")} send={({ within, why = "" }) => post("proposals/{device}/enforce", { within_secs: Number(within), why }, { device })}>{t("learning.enforce")}</Ask>
        </div>}
      </>}</Await>
    </Section>
  </>;
}
