// Accounts: who may do what here.
import { useSignal } from "@preact/signals";
import type { Role, UserRow } from "../../generated/schema";
import { patch, post, remove } from "../api";
import { printable } from "../format";
import { Act } from "../parts/act";
import { Dialog } from "../parts/dialog";
import { Form } from "../parts/form";
import { said } from "../parts/notes";
import { Ago, Head, Name, Section, State } from "../parts/show";
import { List } from "../parts/table";
import { OWNERS, may, self } from "../session";
import { t, word } from "../words";

const ROLES: Role[] = ["user", "auditor", "admin", "superadmin"];

export function Users() {
  const adding = useSignal(false);
  const code = useSignal<{ who: string; code: string } | null>(null);
  /** A code that is not here went to its owner by mail. */
  const hand = (who: string, made: string | null | undefined): void => { if (made) code.value = { who, code: made }; else said(t("users.code.mailed", { who })); };
  const roles = ROLES.map((role): [string, string] => [role, word("role", role)]);
  const acts = (user: UserRow) => may(OWNERS) && user.id !== self.value?.id && <div class="acts">
    <select aria-label={t("users.role.of", { who: user.email })} value={user.role} onChange={(event) => {
      const box = event.currentTarget;
      patch("users/{id}", { role: box.value as Role }, { id: user.id }).then(() => said(t("users.changed", { who: user.email }), () => patch("users/{id}", { role: user.role }, { id: user.id })), () => { box.value = user.role; });
    }}>{roles.map(([role, name]) => <option key={role} value={role} selected={role === user.role}>{name}</option>)}</select>
    <Act small label={t("users.code.of", { who: user.email })} run={async () => { const made = await post("users/{id}/code", { why: "" }, { id: user.id }); hand(user.email, made.setup_code); }}>{t("users.code")}</Act>
    <Act small label={t(user.active ? "users.disable.of" : "users.enable.of", { who: user.email })} run={async () => {
      await patch("users/{id}", { active: !user.active }, { id: user.id });
      said(t("users.changed", { who: user.email }), () => patch("users/{id}", { active: user.active }, { id: user.id }));
    }}>{t(user.active ? "users.disable" : "users.enable")}</Act>
    <Act small kind="danger" label={t("users.remove.of", { who: user.email })} ask={t("users.remove.ask", { who: user.email })} run={async () => { await remove("users/{id}", { id: user.id }); said(t("users.removed", { who: user.email })); }}>{t("act.remove")}</Act>
  </div>;
  return <>
    <Head title={t("page.users")} about={t("users.about")}>{may(OWNERS) && <button type="button" class="main" onClick={() => { adding.value = true; }}>{t("users.new")}</button>}</Head>
    <Section title={t("users.accounts")}>
      <List path="users" label={t("users.accounts")} id={({ id }) => id} empty={t("users.none")} csv="users"
        filters={[{ name: "role", label: t("account.role"), options: roles }]}
        columns={[
          { head: t("account.name"), cell: (user) => <Name text={[user.first_name, user.last_name].filter(Boolean).join(" ")} /> },
          { head: t("account.email"), cell: ({ email }) => <Name text={email} /> },
          { head: t("account.role"), cell: ({ role }) => word("role", role) },
          { head: t("account.state"), cell: (user) => <State of="account" state={!user.active ? "disabled" : user.verified ? "active" : "invited"} /> },
          { head: t("account.totp"), cell: ({ totp }) => t(totp ? "word.yes" : "word.no") },
          { head: t("account.last"), cell: (user) => <><Ago at={user.last_login} />{user.last_login_from && <small class="mono">{user.last_login_from}</small>}</> },
          { head: "", end: true, cell: acts },
        ]} />
    </Section>
    {adding.value && <Dialog title={t("users.new")} close={() => { adding.value = false; }}>
      <p>{t("users.new.about")}</p>
      <Form submit={t("users.make")} fields={[
        { name: "first_name", label: t("account.first_name"), required: true, max: 64 },
        { name: "last_name", label: t("account.last_name"), max: 64 },
        { name: "email", label: t("account.email"), type: "email", required: true, max: 254 },
        { name: "role", label: t("account.role"), options: roles, value: "user" },
      ]} run={async ({ first_name = "", last_name, email = "", role }) => {
        const made = await post("users", { first_name, last_name: last_name || null, email, user_name: null, role: role as Role });
        adding.value = false;
        hand(email, made.setup_code);
        said(t("users.made", { who: printable(email) }));
      }} />
    </Dialog>}
    {code.value && <Dialog title={t("users.code.title")} close={() => { code.value = null; }}>
      <p>{t("users.code.about", { who: code.value.who })}</p><p class="code">{code.value.code}</p>
      <div class="acts"><button type="button" class="main" onClick={() => { code.value = null; }}>{t("act.done")}</button></div>
    </Dialog>}
  </>;
}
