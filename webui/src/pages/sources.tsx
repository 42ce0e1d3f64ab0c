// Hosts that send their logs: whether they still do, what was lost, who may.
import { useSignal } from "../state";
import { post, remove } from "../api";
import { count } from "../format";
import { Act, Ask } from "../parts/act";
import { Once } from "../parts/dialog";
import { Ago, Head, Name, State } from "../parts/show";
import { List, choices } from "../parts/table";
import { ADMINS, may } from "../session";
import { t } from "../words";

const HANDED = ["code", "token"] as const;

export function Sources() {
  const made = useSignal<{ name: string; code: string } | null>(null);
  return <>
    <Head title={t("page.sources")} about={t("sources.about")}>
      {may(ADMINS) && <Ask kind="main" fields={[
        { name: "name", label: "page.host", required: true, max: 64 },
        { name: "with", label: "sources.with", options: choices("sources.with", HANDED) },
      ]} done send={async ({ name = "", with: handed }) => {
        const { code, token } = await post("sources", { name, with: handed as typeof HANDED[number] });
        made.value = { name, code: code ?? token ?? "" };
      }}>{t("sources.new")}</Ask>}
    </Head>
    <List path="sources" title="page.sources" id={({ id }) => id} empty="sources.none" csv columns={[
      ["page.host", ({ name, address }) => <><Name text={name} />{address && address !== name && <small class="mono"><Name text={address} /></small>}</>],
      ["sources.proof", ({ proof, transports }) => <><State state={proof} of="proof" /><small>{transports.join(", ")}</small></>],
      ["account.state", ({ silent, waiting }) => (waiting || silent) && <State state={silent ? "silent" : "waiting"} of="source" />],
      ["sources.stored", ({ stored }) => count(stored)],
      ["sources.lost", ({ dropped, lost }) => count(dropped + lost)],
      ["host.last", ({ last_seen }) => <Ago at={last_seen} />],
      ["", ({ id, name, enrolled }) => enrolled && may(ADMINS) && <Act small kind="danger" of={name} ask={t("sources.revoke.ask", { name })} done run={() => remove("sources/{id}", { id })}>{t("act.remove")}</Act>, "end"],
    ]} />
    {made.value && <Once title={t("users.code.title")} code={made.value.code} close={() => { made.value = null; }}>{t("sources.once", { name: made.value.name })}</Once>}
  </>;
}
