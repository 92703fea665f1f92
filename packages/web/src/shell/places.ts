import { Gauge, Inbox, Radio, ScrollText, Server, SquareTerminal, TextSearch, Users } from "lucide-react";

/** Where the rail leads, in its order, and the action that one must be allowed to be shown it. */
export const places = [
  { to: "/live", name: "Live", icon: Radio, action: "session.list" },
  { to: "/sessions", name: "Sessions", icon: SquareTerminal, action: "session.list" },
  { to: "/search", name: "Search", icon: TextSearch, action: "session.list" },
  { to: "/audit", name: "Audit", icon: ScrollText, action: "audit.read" },
  { to: "/requests", name: "Requests", icon: Inbox, action: "request.list" },
  { to: "/targets", name: "Targets", icon: Server, action: "target.list" },
  { to: "/people", name: "People", icon: Users, action: "person.read" },
  { to: "/health", name: "Health", icon: Gauge, action: "health.read" },
] as const;

/** What belongs to people, side by side under their place. */
export const peopleRooms = [
  { to: "/people", name: "People", action: "person.read" },
  { to: "/teams", name: "Teams", action: "team.read" },
  { to: "/roles", name: "Roles", action: "role.read" },
  { to: "/tokens", name: "Tokens", action: "person.read" },
  { to: "/locks", name: "Locks", action: "lock.read" },
] as const;
