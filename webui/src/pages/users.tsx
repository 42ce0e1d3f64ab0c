// Accounts: who may do what here.
import { useSignal } from "../state";
import type { Role, UserRow } from "../../generated/schema";
import { patch, post, remove } from "../api";
import { printable } from "../format";
import { Act, Ask } from "../parts/act";
import { Once } from "../parts/dialog";
import { said } from "../parts/notes";
import { Ago, Head, Name, State } from "../parts/show";
import { List, choices } from "../parts/table";
import { OWNERS, may, self } from "../session";
import { t, word } from "../words";

const ROLES: Role[] = ["user", "auditor", "admin", "superadmin"];

export function Users() {
  const code = useSignal<{ who: string; code: string } | null>(null);
  /** A code that is not here went to its owner by mail. */
  const hand = (who: string, made: string | null | undefined): void => { if (made) code.value = { who, code: made }; else said(t("users.code.mailed", { who })); };
  const roles = choices("role", ROLES);
  const acts = (user: UserRow) => may(OWNERS) && user.id !== self.value?.id && <div class="acts">
    <select aria-label={t("users.role.of", { who: user.email })} value={user.role} onChange={(event) => {
      const box = event.currentTarget;
      patch("users/{id}", { role: box.value as Role }, { id: user.id }).then(() => said(t("act.saved"), () => patch("users/{id}", { role: user.role }, { id: user.id })), () => { box.value = user.role; });
    }}>{roles.map(([role, name]) => <option key={role} value={role} selected={role === user.role}>{name}</option>)}</select>
    <Act small of={user.email} run={async () => { const made = await post("users/{id}/code", { why: "" }, { id: user.id }); hand(user.email, made.setup_code); }}>{t("users.code")}</Act>
    <Act small of={user.email} run={async () => {
      await patch("users/{id}", { active: !user.active }, { id: user.id });
      return () => patch("users/{id}", { active: user.active }, { id: user.id });
    }}>{t(user.active ? "users.disable" : "users.enable")}</Act>
    <Act small kind="danger" of={user.email} ask={t("users.remove.ask", { who: user.email })} done run={() => remove("users/{id}", { id: user.id })}>{t("act.remove")}</Act>
  </div>;
  return <>
    <Head title={t("page.users")} about={t("users.about")}>
      {may(OWNERS) && <Ask kind="main" about={t("users.new.about")} submit={t("users.make")} fields={[
        { name: "first_name", label: "account.first_name", required: true, max: 64 },
        { name: "last_name", label: "account.last_name", max: 64 },
        { name: "email", label: "account.email", type: "email", required: true, max: 254 },
        { name: "role", label: "account.role", options: roles, value: "user" },
      ]} send={async ({ first_name = "", last_name, email = "", role }) => {
        const made = await post("users", { first_name, last_name: last_name || null, email, user_name: null, role: role as Role });
        hand(email, made.setup_code);
        said(t("users.made", { who: printable(email) }));
      }}>{t("users.new")}</Ask>}
    </Head>
    <List path="users" title="users.accounts" id={({ id }) => id} empty="users.none" csv
      filters={[["role", "account.role", roles]]}
      columns={[
          ["account.name", (user) => <Name text={[user.first_name, user.last_name].filter(Boolean).join(" ")} />],
          ["account.email", ({ email }) => <Name text={email} />],
          ["account.role", ({ role }) => word("role", role)],
          ["account.state", (user) => <State of="account" state={!user.active ? "disabled" : user.verified ? "active" : "invited"} />],
          ["account.totp", ({ totp }) => t(totp ? "word.yes" : "word.no")],
          ["account.last", (user) => <><Ago at={user.last_login} />{user.last_login_from && <small class="mono">{user.last_login_from}</small>}</>],
          ["", acts, "end"],
        ]} />
    {code.value && <Once title={t("users.code.title")} code={code.value.code} close={() => { code.value = null; }}>{t("users.code.about", { who: code.value.who })}</Once>}
  </>;
}
