import {
  createRootRoute,
  createRoute,
  createRouter,
  lazyRouteComponent,
  redirect,
} from "@tanstack/react-router";
import { Missing } from "./pages/missing.tsx";
import { SessionsPage } from "./pages/sessions.tsx";
import { SignInPage } from "./pages/sign-in.tsx";
import {
  approveSearch,
  auditSearch,
  everywhereSearch,
  lockSearch,
  momentSearch,
  nameSearch,
  requestSearch,
  sessionSearch,
} from "./search.ts";
import { startSession } from "./session/start.ts";
import { Shell } from "./shell/shell.tsx";
import { Problem } from "./ui/states.tsx";

const root = createRootRoute({ notFoundComponent: Missing });

const signIn = createRoute({ getParentRoute: () => root, path: "/sign-in", component: SignInPage });

/** Everything that needs somebody signed in. */
const shell = createRoute({ getParentRoute: () => root, id: "shell", component: Shell });

const index = createRoute({
  getParentRoute: () => shell,
  path: "/",
  beforeLoad: () => {
    throw redirect({ to: "/sessions" });
  },
});
const sessions = createRoute({
  getParentRoute: () => shell,
  path: "/sessions",
  validateSearch: sessionSearch,
  component: SessionsPage,
});
const live = createRoute({
  getParentRoute: () => shell,
  path: "/live",
  component: lazyRouteComponent(() => import("./pages/live.tsx"), "LivePage"),
});
const everywhere = createRoute({
  getParentRoute: () => shell,
  path: "/search",
  validateSearch: everywhereSearch,
  component: lazyRouteComponent(() => import("./pages/search.tsx"), "SearchPage"),
});
const session = createRoute({
  getParentRoute: () => shell,
  path: "/sessions/$sessionId",
  validateSearch: momentSearch,
  // The first picture is what somebody waits for: what it needs is asked for while the page itself is on its way.
  loader: ({ params: { sessionId }, location: { search }, cause }) => {
    if (cause === "enter") startSession(sessionId, (search as { watch?: unknown }).watch === "live");
  },
  component: lazyRouteComponent(() => import("./pages/session.tsx"), "SessionPage"),
});
const audit = createRoute({
  getParentRoute: () => shell,
  path: "/audit",
  validateSearch: auditSearch,
  component: lazyRouteComponent(() => import("./pages/audit.tsx"), "AuditPage"),
});
const requests = createRoute({
  getParentRoute: () => shell,
  path: "/requests",
  validateSearch: requestSearch,
  component: lazyRouteComponent(() => import("./pages/requests.tsx"), "RequestsPage"),
});
const request = createRoute({
  getParentRoute: () => shell,
  path: "/requests/$requestId",
  component: lazyRouteComponent(() => import("./pages/request.tsx"), "RequestPage"),
});
const targets = createRoute({
  getParentRoute: () => shell,
  path: "/targets",
  validateSearch: nameSearch,
  component: lazyRouteComponent(() => import("./pages/targets.tsx"), "TargetsPage"),
});
const target = createRoute({
  getParentRoute: () => shell,
  path: "/targets/$targetId",
  component: lazyRouteComponent(() => import("./pages/target.tsx"), "TargetPage"),
});
const locks = createRoute({
  getParentRoute: () => shell,
  path: "/locks",
  validateSearch: lockSearch,
  component: lazyRouteComponent(() => import("./pages/locks.tsx"), "LocksPage"),
});
const teams = createRoute({
  getParentRoute: () => shell,
  path: "/teams",
  component: lazyRouteComponent(() => import("./pages/teams.tsx"), "TeamsPage"),
});
const roles = createRoute({
  getParentRoute: () => shell,
  path: "/roles",
  component: lazyRouteComponent(() => import("./pages/roles.tsx"), "RolesPage"),
});
const role = createRoute({
  getParentRoute: () => shell,
  path: "/roles/$roleName",
  component: lazyRouteComponent(() => import("./pages/role.tsx"), "RolePage"),
});
const tokens = createRoute({
  getParentRoute: () => shell,
  path: "/tokens",
  component: lazyRouteComponent(() => import("./pages/tokens.tsx"), "TokensPage"),
});
const people = createRoute({
  getParentRoute: () => shell,
  path: "/people",
  validateSearch: nameSearch,
  component: lazyRouteComponent(() => import("./pages/people.tsx"), "PeoplePage"),
});
const person = createRoute({
  getParentRoute: () => shell,
  path: "/people/$personId",
  component: lazyRouteComponent(() => import("./pages/person.tsx"), "PersonPage"),
});
const health = createRoute({
  getParentRoute: () => shell,
  path: "/health",
  component: lazyRouteComponent(() => import("./pages/health.tsx"), "HealthPage"),
});

const account = createRoute({
  getParentRoute: () => shell,
  path: "/account",
  component: lazyRouteComponent(() => import("./pages/account.tsx"), "AccountPage"),
});
const approve = createRoute({
  getParentRoute: () => shell,
  path: "/approve",
  validateSearch: approveSearch,
  component: lazyRouteComponent(() => import("./pages/approve.tsx"), "ApprovePage"),
});

export const router = createRouter({
  routeTree: root.addChildren([
    signIn,
    shell.addChildren([
      index,
      live,
      sessions,
      everywhere,
      session,
      audit,
      requests,
      request,
      targets,
      target,
      teams,
      roles,
      role,
      tokens,
      locks,
      people,
      person,
      health,
      account,
      approve,
    ]),
  ]),
  defaultPreload: "intent",
  scrollRestoration: true,
  defaultErrorComponent: ({ error, reset }) => <Problem error={error} onRetry={reset} />,
});

declare module "@tanstack/react-router" {
  interface Register {
    router: typeof router;
  }
}
