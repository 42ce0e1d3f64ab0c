// "/" jumps to any page, host, alert or threat kind: asked of the box when the search opens, narrowed while one types.
import { useEffect, useRef } from "preact/hooks";
import { signal, useSignal } from "../state";
import { get } from "../api";
import { printable, spaced } from "../format";
import { PLACES } from "../pages";
import { to } from "../route";
import { READERS, may } from "../session";
import { t } from "../words";
import { Dialog } from "./dialog";

export const searching = signal(false);
interface Hit { text: string; kind: string; link: string }
const SHOWN = 8;

addEventListener("keydown", (event) => {
  const typing = event.target instanceof HTMLElement && event.target.closest("input, textarea, select, dialog");
  if (event.key !== "/" || typing || event.ctrlKey || event.metaKey || event.altKey) return;
  event.preventDefault();
  searching.value = true;
});

async function things(): Promise<Hit[]> {
  const kinds = await get("catalogue", { limit: 100 });
  const found: Hit[] = kinds.items.map(({ id }) => ({ text: spaced(id), kind: t("search.kind"), link: to("help", id) }));
  if (!may(READERS)) return found;
  const [hosts, alerts] = await Promise.all([get("hosts", { limit: 100 }), get("alerts", { limit: 100, sort: "-acknowledged" })]);
  return [
    ...hosts.items.map(({ host, mac }) => ({ text: [host, mac].join(" "), kind: t("search.host"), link: to("host", host) })),
    ...alerts.items.map(({ host, family, threat }) => ({ text: `${host} ${spaced(family)}`, kind: t("search.alert"), link: to("threat", threat) })),
    ...found,
  ];
}

export function Search() {
  const typed = useSignal("");
  const all = useSignal<Hit[]>([]);
  const box = useRef<HTMLInputElement>(null);
  useEffect(() => {
    box.current?.focus();
    const pages = PLACES.filter(({ hidden, roles }) => !hidden && (!roles || may(roles))).map(({ name, title }) => ({ text: t(title), kind: t("search.page"), link: to(name) }));
    all.value = pages;
    things().then((more) => { all.value = [...pages, ...more]; }, () => undefined);
  }, []);
  const close = (): void => { searching.value = false; };
  const wanted = typed.value.trim().toLowerCase();
  const hits = all.value.filter(({ text }) => text.toLowerCase().includes(wanted)).slice(0, SHOWN);
  return <Dialog title={t("search.title")} close={close}>
    <form role="search" onSubmit={(event) => { event.preventDefault(); if (hits[0]) location.hash = hits[0].link; close(); }}>
      <input ref={box} type="search" aria-label={t("search.title")} placeholder={t("search.about")} onInput={(event) => { typed.value = event.currentTarget.value; }} />
    </form>
    <ul class="found" aria-live="polite">{hits.map(({ text, kind, link }) => <li key={link + text}><a href={link} onClick={close}><bdi>{printable(text)}</bdi><span class="dim">{kind}</span></a></li>)}
      {hits.length === 0 && <li class="empty">{t("search.none")}</li>}</ul>
  </Dialog>;
}
