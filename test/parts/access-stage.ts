/** A whole gateway with somebody in each role, signed in, and things of ann's that most of them may not know of. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type Client, createClient } from "@gatehouse/contracts/client";
import { builtInRoles } from "@gatehouse/contracts/rest";
import { Secret, TOTP } from "otpauth";
import { generateKey, publicKeyLine } from "../../packages/gateway/src/protocols/ssh/keys/mod.ts";
import { type GatewayOptions, addTarget } from "./gateway.ts";
import { type GrpcClient, startGrpcClient } from "./grpc-client.ts";
import { Needles } from "./secrets.ts";
import { awaitStored } from "./sessions.ts";
import { sessionOf } from "./signed-in.ts";
import { type Stage, startStage } from "./stage.ts";

type InRole = (typeof builtInRoles)[number];
/** One for each role, who leads only a team without ann; ann herself; and lea, who leads a team that ann is in. */
export type Somebody = InRole | "ann" | "lea";
const everybody: readonly Somebody[] = [...builtInRoles, "ann", "lea"];

export type AccessStage = Stage & {
  grpc: GrpcClient;
  ids: Record<Somebody, string>;
  /** The secret of each one's web session. */
  tokens: Record<Somebody, string>;
  /** The same, as a client. */
  as: Record<Somebody, Client>;
  /** What is ann's, or of nobody whom most others may know of, by the names that parts of paths have. */
  anns: Record<string, string>;
  /** What was given out so far, and must stand nowhere. */
  secrets: Needles;
};

export async function startAccessStage(options: GatewayOptions = {}): Promise<AccessStage> {
  const stage = await startStage({
    gateway: { ...options, config: { grpc: { listen: "127.0.0.1:0" }, ...options.config } },
  });
  try {
    return await peopled(stage);
  } catch (error) {
    await stage.close();
    throw error;
  }
}

async function peopled(stage: Stage): Promise<AccessStage> {
  const { gateway } = stage;
  const ids = { ann: stage.person.id } as AccessStage["ids"];
  const tokens = {} as AccessStage["tokens"];
  const as = {} as AccessStage["as"];
  const secrets = new Needles();
  for (const who of everybody) {
    const roles = [who === "lea" ? ("team-lead" as const) : who];
    if (who !== "ann") ids[who] = (await gateway.admin.people.create({ name: `one-${who}`, roles })).id;
    tokens[who] = await sessionOf(gateway, ids[who]);
    secrets.add(`the web session of ${who}`, tokens[who]);
    as[who] = createClient({ baseUrl: gateway.web, token: tokens[who] });
  }
  const { grpc: address } = JSON.parse(readFileSync(join(gateway.dataDir, "addresses.json"), "utf8")) as {
    grpc: string;
  };
  const certificate = await gateway.admin.ca.grpc();
  const grpc = await startGrpcClient({ folder: gateway.dataDir, address, certificate });
  return {
    ...stage,
    grpc,
    ids,
    tokens,
    as,
    secrets,
    anns: await annsThings(stage, as, ids, secrets),
    async close() {
      await grpc.close();
      await stage.close();
    },
  };
}

async function annsThings(
  { gateway, person, sshd, ssh, address }: Stage,
  as: AccessStage["as"],
  ids: AccessStage["ids"],
  secrets: Needles,
): Promise<Record<string, string>> {
  const { ann } = as;
  const { admin } = gateway;
  const target = await addTarget(gateway, sshd, { name: "db-01", allowRoles: [] });
  const reviewers = { roles: ["platform-admin"], users: [], teamLeads: false };
  await admin.targets.update(target.id, {
    access: { requests: { askers: { roles: [], users: ["ann"] }, reviewers } },
  });
  const asked = await ann.requests.create({
    kind: "target",
    targetId: target.id,
    logins: [sshd.user],
    reason: "to see",
    minutes: 5,
  });
  const team = await admin.teams.create({
    name: "web",
    members: [{ userId: person.id }, { userId: ids.lea, leads: true }],
  });
  await admin.teams.create({
    name: "others",
    members: [{ userId: ids["team-lead"], leads: true }, { userId: ids.user }],
  });
  await admin.roles.set("reader", { statements: [{ actions: ["audit.read"] }] });
  const { lock } = await admin.locks.create({ on: "login", name: "oracle", reason: "drill" });
  const token = await ann.tokens.create(person.id, { name: "ci", scopes: ["self.read"] });
  const certificate = await ann.certificates.createForSsh(
    publicKeyLine(generateKey("ed25519").public.blob).trim(),
  );
  const offer = await ann.factors.offerTotp();
  const code = new TOTP({ secret: Secret.fromBase32(offer.secret) }).generate();
  const { factor, recoveryCodes } = await ann.factors.add({ ticket: offer.ticket, name: "phone", code });
  secrets.add("an API token", token.token);
  secrets.add("a secret of an authenticator app", offer.secret);
  secrets.add("a ticket of a second factor", offer.ticket);
  for (const one of recoveryCodes ?? []) secrets.add("a recovery code", one);
  await ssh([address, "echo of ann"]);
  const session = await awaitStored(gateway);
  return {
    personId: person.id,
    keyId: (await ann.people.sshKeys(person.id))[0]?.id ?? "",
    tokenId: token.id,
    serial: certificate.serial,
    sessionId: session.id,
    targetId: target.id,
    login: sshd.user,
    teamId: team.id,
    roleName: "reader",
    lockId: lock.id,
    requestId: asked.id,
    factorId: factor.id,
    statement: "987654",
    signInId: (await ann.signIns.list(person.id))[0]?.id ?? "",
  };
}
