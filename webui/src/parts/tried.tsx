// What a policy would have made of what devices did.
import { useSignal } from "../state";
import type { TriedView } from "../../generated/schema";
import { count, octets, printable } from "../format";
import { t } from "../words";
import { Ago, Name, State } from "./show";
import { Rows } from "./table";

/** How many are shown before somebody asks for all. */
const FEW = 10;

export function Tried({ tried }: { tried: TriedView }) {
  const all = useSignal(false);
  const { conversations, cut, opened, differences, untold } = tried;
  return <>
    <p class="lead">{t("tried.said", { conversations: count(conversations), cut: count(cut), opened: count(opened) })} <Ago at={tried.since} /></p>
    {differences.length > 0 && <Rows rows={all.value ? differences : differences.slice(0, FEW)} label={t("policy.past")} columns={[
      ["policy.decision", ({ decision }) => <State state={decision} of="decision" />],
      ["host.address", ({ device }) => <Name text={device} />],
      ["rule.to", ({ peer }) => <Name text={peer} />],
      ["rule.service", ({ service }) => <code>{printable(service)}</code>],
      ["tried.conversations", (one) => <>{count(one.conversations)}<small>{octets(one.octets)}</small></>],
      ["host.last", ({ last }) => <Ago at={last} />],
      ["rule.name", ({ rule, why, allow }) => <><Name text={rule} /><small>{printable(why, 200)}</small>{allow && <details><summary>{t("tried.allow")}</summary><pre>{allow}</pre></details>}</>, "wide"],
    ]} />}
    {!all.value && differences.length > FEW && <button type="button" class="link" onClick={() => { all.value = true; }}>{t("overview.more", { count: count(differences.length - FEW) })}</button>}
    {untold > 0 && <p class="dim">{t("overview.more", { count: count(untold) })}</p>}
  </>;
}
