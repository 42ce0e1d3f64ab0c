// What the forest says of a minute: what spoke most, and what would have had to be otherwise.
import { post } from "../api";
import { number, percent, spaced } from "../format";
import { useResource } from "../resource";
import { t } from "../words";
import { Await, Level, Pairs, Section } from "./show";

/** How many features are shown. */
const MOST = 3;

export function Forest({ features }: { features: Record<string, number> }) {
  const said = useResource(JSON.stringify(features), () => post("model/classify", { vector: features }));
  return <Section title={t("forest.title")}>
    <Await of={said}>{({ level, score, base, contributions, counterfactual }) => {
      const spoke = Object.entries(contributions).sort(([, a], [, b]) => Math.abs(b) - Math.abs(a)).slice(0, MOST);
      const otherwise = Object.entries(counterfactual ?? {});
      return <>
        <p class="lead"><Level level={level} /> {t("forest.said", { score: percent(score), base: percent(base) })}</p>
        <Pairs of={spoke.map(([name, moved]) => [spaced(name), `${number(features[name] ?? 0)} (${moved > 0 ? "+" : ""}${percent(moved)})`])} />
        {counterfactual === null || counterfactual === undefined ? <p class="lead">{t("forest.far")}</p>
          : otherwise.length > 0 && <><p class="lead">{t("forest.otherwise")}</p><Pairs of={otherwise.map(([name, value]) => [spaced(name), `${number(features[name] ?? 0)} → ${number(value)}`])} /></>}
      </>;
    }}</Await>
  </Section>;
}
