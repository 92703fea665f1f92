import { z } from "zod";
import { section } from "../../config/mod.ts";

const names = z.array(z.string().min(1).max(128)).max(64);
const byGroup = (expected: string) =>
  z.record(z.string().min(1).max(256), names).default({}).meta({ expected });

/** The `oidc` section of the configuration. */
export const oidcSection = section(
  {
    issuer: z
      .url({ protocol: /^https?$/ })
      .refine(isSafeIssuer, "expected https, or http on this machine only")
      .optional()
      .describe("The identity provider, as its discovery document names itself. Left out: none."),
    client_id: z.string().min(1).max(256).default("gatehouse").describe("What the provider calls this gate."),
    client_secret: z
      .string()
      .min(1)
      .optional()
      .describe(
        "A file in the folder `keys` of `data_dir` with the client's secret. Left out: a public client.",
      ),
    name: z.string().min(1).max(64).default("single sign-on").describe("What the sign-in page calls it."),
    scopes: names.default(["openid", "email", "profile"]).describe("What is asked for; `openid` always is."),
    person_claim: z.string().min(1).default("email").describe("The claim that is a person's name here."),
    verified_email: z
      .boolean()
      .default(true)
      .describe("Whether an address that the provider has not verified is refused, where it is the name."),
    create: z
      .enum(["never", "grouped", "anybody"])
      .default("never")
      .describe(
        "Who is added at their first sign-in: nobody, who is in a group of `roles` or `teams`, anybody.",
      ),
    groups_claim: z
      .string()
      .min(1)
      .default("groups")
      .describe("The claim with the names of somebody's groups."),
    second_factor: names
      .default([])
      .describe(
        "Methods (`amr`) that count as a second factor given at `auth_time`, such as [mfa, otp]. Empty: none does.",
      ),
    roles: byGroup("a group's name with roles, such as gate-admins: [platform-admin]").describe(
      "The roles of each group. With any, everybody's roles are set at each sign-in to what their groups give.",
    ),
    teams: byGroup("a group's name with teams, such as web-crew: [web]").describe(
      "The teams of each group. Who is in them follows the groups at each sign-in; teams not named here do not.",
    ),
    team_leads: byGroup("a group's name with teams, such as web-leads: [web]").describe(
      "The teams that each group leads.",
    ),
  },
  "Single sign-on with OpenID Connect.",
);
export type OidcConfig = z.output<typeof oidcSection>;

/** What is not encrypted does not leave the machine. */
function isSafeIssuer(issuer: string): boolean {
  const { protocol, hostname } = new URL(issuer);
  return protocol === "https:" || ["127.0.0.1", "localhost", "[::1]"].includes(hostname);
}
