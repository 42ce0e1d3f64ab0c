// The own account: names, password, second factor, sessions, tokens of programs, and how the page looks in this browser.
import { useSignal } from "../state";
import type { Scope } from "../../generated/schema";
import { type Gives, patch, post, profile, remove } from "../api";
import { printable } from "../format";
import { Act, Ask } from "../parts/act";
import { Dialog, Once } from "../parts/dialog";
import { Tongue } from "../parts/door";
import { Form, password } from "../parts/form";
import { said } from "../parts/notes";
import { Ago, Facts, Head, Name, Section, State } from "../parts/show";
import { List } from "../parts/table";
import { ADMINS, READERS, may, self } from "../session";
import { type Key, t, word } from "../words";

const SCOPES: Scope[] = ["read", "blocks", "alerts", "devices", "policy", "settings"];

function SecondFactor() {
  const secret = useSignal<Gives<"POST", "profile/totp"> | null>(null);
  const recovery = useSignal<string[] | null>(null);
  const fresh = async (): Promise<void> => { self.value = (await profile()) ?? self.value; };
  if (self.value?.totp) {
    return <><p class="lead">{t("totp.is")}</p>
      {recovery.value && <><p class="lead">{t("totp.recovery")}</p><pre>{recovery.value.join("\n")}</pre></>}
      <div class="acts"><Act kind="danger" ask={t("totp.end.ask")} done run={async () => { await remove("profile/totp"); recovery.value = null; await fresh(); }}>{t("totp.end")}</Act></div></>;
  }
  return <><p class="lead">{t("totp.about")}</p>
    <div class="acts"><Act kind="main" run={async () => { secret.value = await post("profile/totp", undefined); }}>{t("totp.begin")}</Act></div>
    {secret.value && <Dialog title={t("totp.begin")} close={() => { secret.value = null; }}>
      <p>{t("totp.scan")}</p><p><svg class="qr" viewBox={`-4 -4 ${secret.value.qr.size + 8} ${secret.value.qr.size + 8}`} role="img" aria-label={t("totp.qr")} shape-rendering="crispEdges"><path d={secret.value.qr.path} fill="#000" /></svg></p><p>{t("totp.type")}</p><p class="code">{secret.value.secret}</p>
      <Form submit={t("totp.confirm")} fields={[{ name: "code", label: "login.code", required: true, min: 6, max: 6, numeric: true, autocomplete: "one-time-code" }]} run={async ({ code = "" }) => {
        recovery.value = (await post("profile/totp/confirm", { code })).recovery_codes;
        secret.value = null;
        await fresh();
        said(t("act.saved"));
      }} /></Dialog>}</>;
}

function Tokens() {
  const made = useSignal<string | null>(null);
  return <>
    <List path="tokens" title="tokens.title" id={({ id }) => id} empty="tokens.none" side={may(ADMINS) && <Ask small done submit={t("tokens.make")} fields={[
      { name: "name", label: "tokens.name", required: true, max: 64 },
      ...SCOPES.map((scope) => ({ name: scope, label: `scope.${scope}` as Key, type: "checkbox" as const, value: scope === "read" })),
      { name: "days", label: "tokens.days", type: "number", value: 90, min: 1, max: 366, required: true },
    ]} send={async ({ name = "", days, ...rest }) => {
      made.value = (await post("tokens", { name, days: Number(days), scopes: SCOPES.filter((scope) => rest[scope]) })).token;
    }}>{t("tokens.new")}</Ask>} columns={[
      ["tokens.name", ({ name }) => <Name text={name} />],
      ["tokens.scopes", ({ scopes }) => scopes.map((scope) => word("scope", scope)).join(", ")],
      ["tokens.until", ({ until }) => <Ago at={until} />],
      ["tokens.used", ({ used }) => <Ago at={used} />],
      ["", ({ id, name }) => may(ADMINS) && <Act small kind="danger" of={name} ask={t("tokens.end.ask", { name })} done run={() => remove("tokens/{id}", { id })}>{t("act.remove")}</Act>, "end"],
    ]} />
    {made.value && <Once title={t("tokens.made")} code={made.value} close={() => { made.value = null; }}>{t("tokens.once")}</Once>}
  </>;
}

function Looks() {
  const theme = useSignal(document.documentElement.dataset.theme ?? "");
  return <Section title={t("looks.title")}><div class="filters">
    <label><span>{t("looks.theme")}</span><select value={theme.value} onChange={(event) => {
      theme.value = event.currentTarget.value;
      if (theme.value) document.documentElement.dataset.theme = theme.value; else delete document.documentElement.dataset.theme;
      try { localStorage.setItem("picket-theme", theme.value); } catch { /* private windows keep nothing */ }
    }}>{["", "light", "dark"].map((name) => <option key={name} value={name} selected={name === theme.value}>{t(name === "light" ? "looks.light" : name === "dark" ? "looks.dark" : "looks.system")}</option>)}</select></label>
    <Tongue />
  </div></Section>;
}

export function Profile() {
  const own = self.value;
  if (!own) return null;
  return <>
    <Head title={t("page.profile")} about={<><Name text={own.email} /> · {word("role", own.role)}</>} />
    <div class="two">
      <Section title={t("profile.names")}>
        <Form submit={t("act.save")} fields={[
          { name: "first_name", label: "account.first_name", value: own.first_name, required: true, max: 64, autocomplete: "given-name" },
          { name: "last_name", label: "account.last_name", value: own.last_name ?? "", max: 64, autocomplete: "family-name" },
        ]} run={async ({ first_name = "", last_name }) => { self.value = await patch("profile", { first_name, last_name: last_name || null }); said(t("act.saved")); }} />
        <Facts of={[["account.last", <span><Ago at={own.last_login} /> {own.last_login_from && <span class="mono">{own.last_login_from}</span>}</span>]]} />
      </Section>
      <Section title={t("profile.password")}>
        <Form submit={t("profile.password.set")} fields={[
          { name: "current", label: "profile.current", type: "password", required: true, autocomplete: "current-password" },
          password(),
        ]} run={async ({ current = "", password = "" }) => { await post("auth/password", { current, password }); said(t("profile.password.done")); }} />
      </Section>
      <Section title={t("totp.title")}><SecondFactor /></Section>
      <Looks />
    </div>
    <List path="sessions" title="sessions.title" id={({ id }) => id} empty="sessions.none" columns={[
      ["sessions.from", ({ from, current }) => <span class="mono">{from} {current && <State state="this" of="session" />}</span>],
      ["sessions.agent", ({ agent, page }) => <>{t(page ? "sessions.page" : "sessions.program")} · <small>{printable(agent, 90)}</small></>, "wide"],
      ["sessions.since", ({ created }) => <Ago at={created} />],
      ["sessions.seen", ({ seen }) => <Ago at={seen} />],
      ["", ({ id, from, current }) => !current && <Act small of={from} done run={() => remove("sessions/{id}", { id })}>{t("sessions.end")}</Act>, "end"],
    ]} />
    {may(READERS) && <Tokens />}
  </>;
}
