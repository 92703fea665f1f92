import { createHash } from "node:crypto";
import { type Clock, type Random, GatehouseError, toBase64 } from "@gatehouse/kernel";
import type { Subject } from "../access/mod.ts";
import type { AuditLog } from "../audit/mod.ts";
import type {
  ApiToken,
  ApiTokens,
  ConnectionSecret,
  ConnectionSecrets,
  LoginLinks,
  User,
  UserKeys,
  Users,
  WebSession,
  WebSessions,
} from "../directory/mod.ts";
import { verifierFrom, verifierOf, verifierText } from "./connection-secret.ts";
import type { Waiting } from "./factors/second-step.ts";
import type { Standing } from "./standing.ts";
import { type From, type SignedIn, type WebSignIn, personOf as personIn } from "./web-sign-in.ts";

/** Somebody known, as access asks about them. */
export type Person = Subject & { displayName: string };

/**
 * Whoever may open the administration socket: the file's permissions are the proof, as with a database's socket.
 * The name shows in the audit log.
 */
export const localAdministrator: Person = {
  id: "local-administrator",
  name: "local-administrator",
  displayName: "Local administrator",
  roles: ["platform-admin"],
  leads: [],
};

/** What a connection secret opens. What is absent is not limited. */
export type ConnectionScope = { protocol: string; targetId?: string; login?: string };

export type Identity = {
  /** On an empty directory: makes the first administrator and a link for them. Undefined ever after. */
  firstAdministrator(): Promise<{ token: string; expiresAtMs: number } | undefined>;
  /** A one-time link's secret, 256 bits, shown once. `not_found` for an unknown or disabled person. */
  createLink(userId: string): Promise<{ token: string; expiresAtMs: number }>;
  /** Uses the link up. `unauthenticated` for one that is used, expired or was never made: the three look the same. */
  signInByLink(token: string, from: From): Promise<SignedIn | Waiting>;
  /**
   * The person behind a web session's token, with the session, or behind a program's token, or nobody. Where somebody stands
   * behind it the session was seen, and is not idle.
   */
  personByToken(
    token: string,
    how: { isAttended: boolean },
  ): Promise<{ person: Person; expiresAtMs: number; session?: WebSession } | undefined>;
  /** A token for a program, 256 bits, shown once; it does nothing but what its scopes say. `not_found` as above. */
  createApiToken(
    personId: string,
    token: { name: string; scopes: readonly string[]; ttlMs: number },
  ): Promise<{ token: string; kept: ApiToken }>;
  /** A token that is nobody's is no error. */
  signOut(token: string, remoteAddress: string): Promise<void>;
  /** Somebody active, or nobody. */
  personById(id: string): Promise<Person | undefined>;
  /** The person who registered this public key (wire blob), or nobody. */
  personByKey(publicKeyBlob: Uint8Array): Promise<{ person: Person; keyId: string } | undefined>;
  /** Notes a key's use, once its signature was verified. */
  keyUsed(keyId: string): Promise<void>;
  /**
   * A secret for a client that knows only passwords, 256 bits, shown once. It opens new connections of that protocol, and
   * of that target and login where they are given, until it expires. `not_found` for an unknown or disabled person.
   */
  createConnectionSecret(
    personId: string,
    scope: ConnectionScope & { ttlMs: number; mfaAtMs?: number | undefined },
  ): Promise<{ secret: string; expiresAtMs: number }>;
  /** The person behind a connection secret and what it opens, or nobody. */
  personBySecret(secret: string): Promise<{ person: Person; scope: ConnectionScope } | undefined>;
  /**
   * The same, behind the secret that a client has proved to have without sending it; with what it can be proved to the client
   * by. `proves` is asked of each that may be meant.
   */
  personByProof(
    wanted: { protocol: string; login: string },
    proves: (storedKey: Uint8Array) => boolean,
  ): Promise<{ person: Person; scope: ConnectionScope; serverKey: Uint8Array } | undefined>;
};

/** Of one login at one time; more would make each sign-in slow. */
const secretsTriedMax = 10_000;

/** So that whoever finds one in a file or a log knows what it is, and scanners for secrets do too. */
export const apiTokenPrefix = "gatehouse_";

/** Noted no oftener: a page that asks all day must not write all day. */
export const seenEveryMs = 60_000;
const firstLinkMs = 24 * 3_600_000;
const linkMs = 15 * 60_000;

export function createIdentity(options: {
  users: Users;
  userKeys: Pick<UserKeys, "byFingerprint" | "used">;
  loginLinks: LoginLinks;
  webSessions: Pick<WebSessions, "byHash" | "revoke" | "seen">;
  webSignIn: WebSignIn;
  connectionSecrets: ConnectionSecrets;
  apiTokens: Pick<ApiTokens, "create" | "use">;
  standing: Standing;
  audit: AuditLog;
  clock: Clock;
  random: Random;
}): Identity {
  const { users, userKeys, loginLinks, webSessions, connectionSecrets, audit, clock, random } = options;

  const personOf = (user: User) => personIn(user, options.standing);

  /** Whoever the secret was made for, while they are active. */
  async function holderOf({ userId, protocol, targetId, login, mfaAtMs }: ConnectionSecret) {
    const user = await users.byId(userId);
    if (!user || user.disabled) return undefined;
    const scope: ConnectionScope = {
      protocol,
      ...(targetId !== undefined && { targetId }),
      ...(login !== undefined && { login }),
    };
    return { person: { ...(await personOf(user)), proof: { mfaAtMs } }, scope };
  }

  async function newLink(userId: string, lifetimeMs: number) {
    const token = secret(random);
    const expiresAtMs = clock.nowMs() + lifetimeMs;
    await loginLinks.create({ hash: hashOf(token), userId, expiresAtMs });
    return { token, expiresAtMs };
  }

  return {
    async firstAdministrator() {
      if ((await users.count()) > 0) return undefined;
      const user = await users.create({
        name: "admin",
        displayName: "First administrator",
        roles: ["platform-admin"],
      });
      await audit.append({
        event: "user.create",
        user: "system",
        success: true,
        fields: { user_id: user.id, name: user.name, roles: [...user.roles] },
      });
      return newLink(user.id, firstLinkMs);
    },

    async createLink(userId) {
      const user = await users.byId(userId);
      if (!user || user.disabled)
        throw new GatehouseError({
          code: "not_found",
          op: "identity.link",
          message: "there is no such active person",
        });
      return newLink(user.id, linkMs);
    },

    async signInByLink(token, from) {
      const userId = await loginLinks.consume(hashOf(token));
      const user = userId === undefined ? undefined : await users.byId(userId);
      if (!user || user.disabled) {
        const error = "the link is used, expired or unknown";
        await options.webSignIn.failed(user?.name, { method: "link", error, ...from });
        throw new GatehouseError({
          code: "unauthenticated",
          op: "identity.link",
          message: "this link is used up, expired or was never made",
          hint: "On the gateway's machine, `gatehouse users link <name>` makes a new one.",
        });
      }
      return options.webSignIn.begin(user, { method: "link", ...from });
    },

    async createApiToken(personId, { name, scopes, ttlMs }) {
      const person = await this.personById(personId);
      if (!person)
        throw new GatehouseError({
          code: "not_found",
          op: "identity.token",
          message: "there is no such active person",
        });
      const token = apiTokenPrefix + secret(random);
      const expiresAtMs = clock.nowMs() + ttlMs;
      const kept = await options.apiTokens.create({
        hash: hashOf(token),
        userId: personId,
        name,
        scopes,
        expiresAtMs,
      });
      return { token, kept };
    },

    async personByToken(token, { isAttended }) {
      if (token.startsWith(apiTokenPrefix)) {
        const used = await options.apiTokens.use(hashOf(token));
        const found = used && (await this.personById(used.userId));
        return (
          found && {
            person: { ...found, proof: { scopes: used.scopes } },
            expiresAtMs: used.expiresAtMs,
          }
        );
      }
      const session = await webSessions.byHash(hashOf(token));
      const person = session && (await this.personById(session.userId));
      if (!person) return undefined;
      if (isAttended && clock.nowMs() - session.lastSeenAtMs >= seenEveryMs)
        await webSessions.seen(session.hash);
      const { expiresAtMs, mfaAtMs } = session;
      return { person: { ...person, proof: { mfaAtMs } }, expiresAtMs, session };
    },

    async signOut(token, remoteAddress) {
      // A program's token is revoked, not signed out.
      if (token.startsWith(apiTokenPrefix)) return;
      const found = await this.personByToken(token, { isAttended: false });
      if (!found) return;
      await webSessions.revoke(hashOf(token));
      await audit.append({
        event: "user.logout",
        user: found.person.name,
        success: true,
        remoteAddress,
        fields: { reason: "asked" },
      });
    },

    async personById(id) {
      const user = await users.byId(id);
      return user && !user.disabled ? personOf(user) : undefined;
    },

    async personByKey(publicKeyBlob) {
      const found = await userKeys.byFingerprint(fingerprintOf(publicKeyBlob));
      if (!found || found.user.disabled) return undefined;
      return { person: await personOf(found.user), keyId: found.key.id };
    },

    keyUsed: (keyId) => userKeys.used(keyId),

    async createConnectionSecret(personId, { ttlMs, mfaAtMs, ...scope }) {
      const person = await this.personById(personId);
      if (!person)
        throw new GatehouseError({
          code: "not_found",
          op: "identity.connection",
          message: "there is no such active person",
        });
      const token = secret(random);
      const expiresAtMs = clock.nowMs() + ttlMs;
      await audit.append({
        event: "connection_secret.create",
        user: person.name,
        success: true,
        ...(scope.targetId !== undefined && { serverId: scope.targetId }),
        fields: {
          proto: scope.protocol,
          ...(scope.login !== undefined && { login: scope.login }),
          expires: new Date(expiresAtMs).toISOString(),
        },
      });
      await connectionSecrets.create({
        hash: verifierText(await verifierOf(token)),
        userId: personId,
        expiresAtMs,
        ...scope,
        ...(mfaAtMs !== undefined && { mfaAtMs }),
      });
      return { secret: token, expiresAtMs };
    },

    async personBySecret(token) {
      const found = await connectionSecrets.byHash(verifierText(await verifierOf(token)));
      return found && holderOf(found);
    },

    async personByProof(wanted, proves) {
      for (const secret of await connectionSecrets.inForce(wanted, secretsTriedMax)) {
        const { storedKey, serverKey } = verifierFrom(secret.hash);
        if (!proves(storedKey)) continue;
        const holder = await holderOf(secret);
        return holder && { ...holder, serverKey };
      }
      return undefined;
    },
  };
}

/** 256 random bits, URL-safe. */
export function secret(random: Random): string {
  return toBase64(random.bytes(32)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

/** The secrets are random and long, so a plain hash is enough to look them up by. */
export function hashOf(token: string): string {
  return createHash("sha256").update(token).digest("hex");
}

/** As `ssh-keygen -l` prints it. */
function fingerprintOf(blob: Uint8Array): string {
  return `SHA256:${createHash("sha256").update(blob).digest("base64").replaceAll("=", "")}`;
}
