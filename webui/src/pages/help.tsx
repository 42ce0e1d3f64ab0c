// What Picket looks for, what it does about it, and what it does not see.
import { useEffect } from "preact/hooks";
import { get } from "../api";
import { spaced } from "../format";
import { Facts, Head, Level, Refused, Section } from "../parts/show";
import { useResource } from "../resource";
import { t, word } from "../words";

export function Help({ id }: { id?: string | undefined }) {
  const kinds = useResource("catalogue", async () => (await get("catalogue", { limit: 100, sort: "group" })).items);
  const groups = [...new Set(kinds.value?.map(({ group }) => group) ?? [])];
  useEffect(() => {
    const entry = id ? document.getElementById(`kind-${id}`) : null;
    if (entry instanceof HTMLDetailsElement) { entry.open = true; entry.scrollIntoView({ block: "center" }); }
  }, [id, kinds.value]);
  return <>
    <Head title={t("page.help")} about={t("help.about")} />
    <Section title={t("help.levels")}><Facts of={[
      ["level.high", t("help.high")], ["level.medium", t("help.medium")], ["level.safe", t("help.safe")],
    ]} /></Section>
    <Section title={t("help.unseen")}><p class="lead">{t("help.unseen.about")}</p></Section>
    {kinds.refusal && <Refused refusal={kinds.refusal} again={kinds.reload} />}
    {groups.map((group) => <Section key={group} title={word("group", group)}>
      {kinds.value?.filter((kind) => kind.group === group).map((kind) => <details key={kind.id} id={`kind-${kind.id}`}>
        <summary><strong>{spaced(kind.id)}</strong> <span class="dim">{kind.meaning}</span></summary>
        <Facts of={[
          ["threat.level", <Level level={kind.level} />],
          ["help.response", word("response", kind.response)],
          ["help.definition", kind.definition],
          ["help.horizon", kind.horizon],
          ["help.least", kind.least],
          ["help.hidden", kind.hidden_by],
          ["help.techniques", kind.techniques.join(", ")],
          ["help.not", kind.not_found],
        ]} />
      </details>)}
    </Section>)}
  </>;
}
