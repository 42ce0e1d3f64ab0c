// The frame around every page: its header with what must be at hand, the navigation, the connection's state.
import { useEffect, useRef } from "preact/hooks";
import { useSignal, useValue } from "../state";
import { get, heard } from "../api";
import { clock, stale } from "../live";
import { PLACES } from "../pages";
import { useResource } from "../resource";
import { route, to } from "../route";
import { READERS, logout, may, name } from "../session";
import { printable, span } from "../format";
import { t } from "../words";
import { Act } from "./act";
import { Mark } from "./door";
import { Search, searching } from "./search";
import { Posture, Trial } from "./trial";

function Connection() {
  useValue(clock);
  const gone = stale();
  return <span class={gone ? "link-state gone" : "link-state"} role="status">
    {gone ? t("frame.gone", { ago: span((clock.value - heard.value) / 1_000) }) : t("frame.live")}</span>;
}

function Navigation({ open, close }: { open: boolean; close: () => void }) {
  const here = route.value.page;
  const alerts = useResource("nav", async () => (may(READERS) ? (await get("alerts", { acknowledged: false, limit: 100 })).items.filter(({ over }) => !over).length : 0));
  const shown = PLACES.filter(({ roles, hidden }) => !hidden && (!roles || may(roles)));
  const groups = [...new Set(shown.map(({ group }) => group))];
  const current = PLACES.find(({ name }) => name === here);
  return <nav class={open ? "side-nav open" : "side-nav"} aria-label={t("frame.pages")} id="navigation"><div>
    {groups.map((group) => <section key={group}><h2>{t(group)}</h2>
      {shown.filter((place) => place.group === group).map(({ name, title }) =>
        <a key={name} href={to(name)} aria-current={here === name || (current?.hidden && `${here}s` === name) ? "page" : undefined} onClick={close}>
          {t(title)}{name === "threats" && alerts.value ? <span class="count" title={t("frame.unseen")}>{alerts.value}</span> : null}</a>)}
    </section>)}
  </div></nav>;
}

export function Frame() {
  const open = useSignal(false);
  const { page, id } = route.value;
  const place = PLACES.find(({ name, roles }) => name === page && (!roles || may(roles))) ?? PLACES.find(({ roles }) => !roles || may(roles))!;
  const box = printable(name.value || "Picket", 30);
  const main = useRef<HTMLElement>(null);
  const first = useRef(true);
  useEffect(() => { document.title = `${t(place.title)} – ${box}`; });
  useEffect(() => {
    // On a change of page the focus goes to its heading, as after a load.
    if (!first.current) { main.current?.querySelector<HTMLElement>("h1")?.focus(); scrollTo(0, 0); }
    first.current = false;
  }, [place.name, id]);
  const Shown = place.show;
  return <div class="frame">
    <header class="bar">
      <a class="skip" href="#content" onClick={(event) => { event.preventDefault(); main.current?.focus(); }}>{t("frame.skip")}</a>
      <button type="button" class="menu" aria-expanded={open.value} aria-controls="navigation" onClick={() => { open.value = !open.value; }}>{t("frame.menu")}</button>
      <a class="brand" href="#/overview"><Mark /><span>{box}</span></a>
      <button type="button" class="find" onClick={() => { searching.value = true; }}>{t("search.title")} <kbd aria-hidden="true">/</kbd></button>
      <span class="push" />
      <Connection />
      {may(READERS) && <Posture />}
      <Act run={logout}>{t("frame.logout")}</Act>
    </header>
    <Navigation open={open.value} close={() => { open.value = false; }} />
    <main ref={main} tabIndex={-1} id="content">{may(READERS) && <Trial />}<Shown key={`${place.name}/${id ?? ""}`} id={id} /></main>
    {searching.value && <Search />}
  </div>;
}
