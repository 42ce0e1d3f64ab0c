// The table of pages: what stands where, and who may see it. The server decides all the same.
import type { ComponentType } from "preact";
import type { Role } from "../generated/schema";
import { Activity } from "./pages/activity";
import { Audit } from "./pages/audit";
import { Blocked } from "./pages/blocked";
import { Device } from "./pages/device";
import { Devices } from "./pages/devices";
import { Help } from "./pages/help";
import { Host } from "./pages/host";
import { Hosts } from "./pages/hosts";
import { Incident } from "./pages/incident";
import { Incidents } from "./pages/incidents";
import { Learning } from "./pages/learning";
import { Notifications } from "./pages/notifications";
import { Overview } from "./pages/overview";
import { Policy } from "./pages/policy";
import { Profile } from "./pages/profile";
import { Reports } from "./pages/reports";
import { Requests } from "./pages/requests";
import { Settings } from "./pages/settings";
import { Sources } from "./pages/sources";
import { Subjects } from "./pages/subjects";
import { System } from "./pages/system";
import { Threat } from "./pages/threat";
import { Threats } from "./pages/threats";
import { Users } from "./pages/users";
import { OVERSEERS, READERS } from "./session";
import type { Key } from "./words";

export interface Place { name: string; title: Key; group: Key; show: ComponentType<{ id: string | undefined }>; roles?: Role[]; hidden?: boolean }

export const PLACES: Place[] = [
  { name: "overview", title: "page.overview", group: "nav.watch", show: Overview, roles: READERS },
  { name: "incidents", title: "page.incidents", group: "nav.watch", show: Incidents, roles: READERS },
  { name: "incident", title: "page.incident", group: "nav.watch", show: Incident, roles: READERS, hidden: true },
  { name: "threats", title: "page.threats", group: "nav.watch", show: Threats, roles: READERS },
  { name: "threat", title: "page.threat", group: "nav.watch", show: Threat, roles: READERS, hidden: true },
  { name: "blocked", title: "page.blocked", group: "nav.watch", show: Blocked, roles: READERS },
  { name: "activity", title: "page.activity", group: "nav.watch", show: Activity, roles: READERS },
  { name: "devices", title: "page.devices", group: "nav.network", show: Devices },
  { name: "device", title: "page.device", group: "nav.network", show: Device, hidden: true },
  { name: "policy", title: "page.policy", group: "nav.network", show: Policy, roles: READERS },
  { name: "learning", title: "page.learning", group: "nav.network", show: Learning, roles: READERS },
  { name: "requests", title: "page.requests", group: "nav.network", show: Requests },
  { name: "hosts", title: "page.hosts", group: "nav.network", show: Hosts, roles: READERS },
  { name: "host", title: "page.host", group: "nav.network", show: Host, roles: READERS, hidden: true },
  { name: "sources", title: "page.sources", group: "nav.network", show: Sources, roles: READERS },
  { name: "subjects", title: "page.subjects", group: "nav.network", show: Subjects, roles: READERS },
  { name: "reports", title: "page.reports", group: "nav.watch", show: Reports, roles: READERS },
  { name: "users", title: "page.users", group: "nav.box", show: Users, roles: OVERSEERS },
  { name: "audit", title: "page.audit", group: "nav.box", show: Audit, roles: OVERSEERS },
  { name: "notifications", title: "page.notifications", group: "nav.box", show: Notifications, roles: READERS },
  { name: "settings", title: "page.settings", group: "nav.box", show: Settings, roles: READERS },
  { name: "system", title: "page.system", group: "nav.box", show: System, roles: READERS },
  { name: "profile", title: "page.profile", group: "nav.you", show: Profile },
  { name: "help", title: "page.help", group: "nav.you", show: Help },
];
