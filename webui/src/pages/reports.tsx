// Reports: of a period, in a form, made by the box, kept for a while, fetched.
import { post, save } from "../api";
import { now, octets, printable } from "../format";
import { Act } from "../parts/act";
import { Form } from "../parts/form";
import { said } from "../parts/notes";
import { Ago, Head, Name, Section, State } from "../parts/show";
import { List } from "../parts/table";
import { t } from "../words";

const FORMS = ["pdf", "html", "csv", "json"] as const;
const DAY = 86_400_000;
const day = (back: number): string => new Date(now() - back * DAY).toISOString().slice(0, 10);

export function Reports() {
  return <>
    <Head title={t("page.reports")} about={t("reports.about")} />
    <Section title={t("reports.new")}>
      <Form row submit={t("reports.make")} fields={[
        { name: "from", label: "reports.from", type: "date", value: day(7), required: true },
        { name: "to", label: "reports.to", type: "date", value: day(0), required: true },
        { name: "format", label: "reports.form", options: FORMS.map((form) => [form, form.toUpperCase()]) },
      ]} run={async ({ from, to, format }) => {
        // The last day belongs to it.
        const end = new Date(Date.parse(`${to}T00:00:00Z`) + DAY).toISOString();
        await post("reports", { from: `${from}T00:00:00Z`, to: end.replace(".000", ""), format: format as "pdf" });
        said(t("reports.begun"));
      }} />
    </Section>
    <List path="reports" title="reports.kept" id={({ id }) => id} empty="reports.none" sort="-id" columns={[
      ["reports.period", ({ from, to }) => `${from.slice(0, 10)} – ${to.slice(0, 10)}`],
      ["reports.form", ({ format }) => format.toUpperCase()],
      ["account.state", ({ state, why }) => <><State state={state} of="report" />{why && <small>{printable(why, 300)}</small>}</>],
      ["frame.len", (report) => octets(report.octets)],
      ["threat.when", ({ created }) => <Ago at={created} />],
      ["audit.who", ({ by }) => <Name text={by} />],
      ["", ({ id, from, to, format, state }) => state === "done" && <Act small of={`${from.slice(0, 10)} ${format}`} run={() => save("reports/{id}/file", { id }, "*/*", `picket-${from.slice(0, 10)}-${to.slice(0, 10)}.${format}`)}>{t("reports.save")}</Act>, "end"],
    ]} />
  </>;
}
