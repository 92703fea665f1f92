import { type AccessPolicy, type Target, type TargetLogin, accessPolicy } from "@gatehouse/contracts/rest";
import type { z } from "zod";
import { type Clock, GatehouseError, isGatehouseError, messageOf } from "@gatehouse/kernel";
import type { AuditLog } from "../../audit/mod.ts";
import { type Credentials, Secret } from "../../credentials/mod.ts";
import {
  type JsonObject,
  type Roles,
  type Target as StoredTarget,
  type TargetLogin as StoredLogin,
  type Targets,
  requestResource,
  targetResource,
} from "../../directory/mod.ts";
import type { TargetAdministration } from "../../protocols/door.ts";
import { decide } from "../../access/mod.ts";
import type { Principal, TargetScope, TargetsDoor } from "../door.ts";
import { checkThere, rolesIn } from "./given-roles.ts";
import { noteChange } from "./note.ts";
import { found, isoTime, pageRequest, wirePage } from "./page.ts";

const credentialWords = {
  key: "private-key",
  password: "password",
  user_ca: "certificate",
} as const satisfies Record<StoredLogin["kind"], TargetLogin["credential"]>;

export function createTargets(options: {
  targets: Targets;
  roles: Pick<Roles, "named">;
  credentials: Pick<Credentials, "create" | "remove" | "list">;
  protocols: readonly TargetAdministration[];
  audit: AuditLog;
  clock: Clock;
}): TargetsDoor {
  const { targets, credentials, audit, clock } = options;

  function protocolOf(name: string): TargetAdministration {
    const protocol = options.protocols.find((candidate) => candidate.protocol === name);
    if (!protocol)
      throw new GatehouseError({
        code: "invalid",
        op: "targets",
        message: `this gate does not speak ${name}`,
        hint: `It speaks ${options.protocols.map((p) => p.protocol).join(", ")}.`,
      });
    return protocol;
  }

  const note = (
    principal: Principal,
    event: string,
    target: StoredTarget,
    fields: Record<string, unknown> = {},
  ) => noteChange(audit, principal, event, { name: target.name, ...fields }, { serverId: target.id });

  async function byId(id: string): Promise<StoredTarget> {
    return found(await targets.byId(id), "target", id);
  }

  async function words(target: StoredTarget): Promise<Target> {
    const protocol = protocolOf(target.protocol);
    // A login begins as one of the SSH CA, which says nothing where no such certificate is taken.
    const signsItself = (kind: StoredLogin["kind"]) =>
      kind === "user_ca" && protocol.credentialKinds.includes("certificate");
    const sealed = new Map((await credentials.list()).map((credential) => [credential.id, credential]));
    return {
      id: target.id,
      name: target.name,
      protocol: target.protocol,
      host: target.host,
      port: target.port,
      labels: { ...target.labels },
      allowRoles: [...target.allowed.roles],
      allowUsers: [...target.allowed.users],
      permits: protocol.permitsOf(target.policy),
      access: target.access,
      logins: target.logins.map((login) => {
        const credential = login.credentialId === undefined ? undefined : sealed.get(login.credentialId);
        return {
          name: login.login,
          credential: credential || signsItself(login.kind) ? credentialWords[login.kind] : "none",
          credentialSetAt: credential ? isoTime(credential.updatedAtMs) : null,
        };
      }),
      credentialKinds: [...protocol.credentialKinds],
      hostTrust: protocol.hostTrustOf(target.hostTrust),
      createdAt: isoTime(target.createdAtMs),
    };
  }

  /** The login with its new proof. A login that the target does not have is `not_found`. */
  async function setLogin(
    target: StoredTarget,
    name: string,
    proof: Omit<StoredLogin, "login">,
  ): Promise<void> {
    const before = found(
      target.logins.find((candidate) => candidate.login === name),
      `login on ${target.name}`,
      name,
    );
    const logins = target.logins.map((login) => (login.login === name ? { login: name, ...proof } : login));
    await targets.update(target.id, { logins });
    if (before.credentialId !== undefined) await credentials.remove(before.credentialId);
  }

  /** The secret sealed, and the login's from now on, in one step of the database; the one before is forgotten. */
  async function store(
    target: StoredTarget,
    login: string,
    secret: { kind: "key" | "password"; secret: Uint8Array },
  ): Promise<{ credential_id: string; name: string; kind: string }> {
    const name = `${target.name}/${login}`;
    const credentialId = await credentials.create({
      name: `${name}/${clock.nowMs()}`,
      kind: secret.kind,
      secret: new Secret(secret.secret),
    });
    await setLogin(target, login, { kind: secret.kind, credentialId });
    return { credential_id: credentialId, name, kind: secret.kind };
  }

  /** From now on the gate proves itself with its own CA. */
  async function forget(principal: Principal, target: StoredTarget, login: string): Promise<void> {
    await setLogin(target, login, { kind: "user_ca" });
    await note(principal, "target.update", target, { changed: ["logins"] });
  }

  const noteRefusedRotation = (
    { subject, remoteAddress }: Principal,
    target: StoredTarget,
    { login, kind, error }: { login: string; kind: string; error: unknown },
  ) =>
    audit.append({
      event: "credential.update",
      user: subject.name,
      success: false,
      serverId: target.id,
      ...(remoteAddress !== "" && { remoteAddress }),
      fields: { name: `${target.name}/${login}`, kind, reason: messageOf(error) },
    });

  return {
    async list(query, scope) {
      const filter = query.q === undefined ? {} : { text: query.q };
      // Targets that the person may not use are passed over, so a page may be shorter than asked for, but never empty
      // while there are more.
      let page = await targets.list(filter, pageRequest(query));
      let items = page.items.filter((target) => mayUse(target, scope, clock.nowMs()));
      while (items.length === 0 && page.next !== undefined) {
        page = await targets.list(filter, { limit: query.limit, after: page.next });
        items = page.items.filter((target) => mayUse(target, scope, clock.nowMs()));
      }
      return wirePage({ items, ...(page.next !== undefined && { next: page.next }) }, words);
    },
    async get(id, scope) {
      const target = await targets.byId(id);
      return words(found(target && mayUse(target, scope, clock.nowMs()) ? target : undefined, "target", id));
    },
    async create(principal, target) {
      const protocol = protocolOf(target.protocol ?? "ssh");
      await checkThere(options.roles, rolesIn(target));
      const created = await targets.create({
        name: target.name,
        protocol: protocol.protocol,
        host: target.host,
        port: target.port,
        labels: target.labels ?? {},
        allowed: { roles: target.allowRoles ?? [], users: target.allowUsers ?? [] },
        // Until a secret is set, the gate proves itself with its own CA: nothing to store, nothing to leak.
        logins: (target.logins ?? []).map((login) => ({ login, kind: "user_ca" as const })),
        policy: policyFor(protocol, {}, target.permits ?? {}),
        access: accessFor(protocol, target.access ?? {}),
        hostTrust: {},
      });
      await note(principal, "target.create", created, {
        proto: created.protocol,
        addr: `${created.host}:${created.port}`,
        logins: created.logins.map((login) => login.login),
      });
      return words(created);
    },
    async update(principal, id, change) {
      const before = await byId(id);
      const protocol = protocolOf(before.protocol);
      // One that was taken away since stands in no way of other changes.
      const had = new Set(rolesIn({ allowRoles: before.allowed.roles, access: before.access }));
      await checkThere(
        options.roles,
        rolesIn(change).filter((role) => !had.has(role)),
      );
      const kept = change.logins?.map(
        (name) =>
          before.logins.find((login) => login.login === name) ?? { login: name, kind: "user_ca" as const },
      );
      const updated = await targets.update(id, {
        ...(change.host !== undefined && { host: change.host }),
        ...(change.port !== undefined && { port: change.port }),
        ...(change.labels !== undefined && { labels: change.labels }),
        ...((change.allowRoles !== undefined || change.allowUsers !== undefined) && {
          allowed: {
            roles: change.allowRoles ?? before.allowed.roles,
            users: change.allowUsers ?? before.allowed.users,
          },
        }),
        ...(kept && { logins: kept }),
        ...(change.access !== undefined && { access: accessFor(protocol, change.access) }),
        ...(change.permits !== undefined && { policy: policyFor(protocol, before.policy, change.permits) }),
      });
      for (const login of before.logins)
        if (login.credentialId !== undefined && kept && !kept.some((other) => other.login === login.login))
          await credentials.remove(login.credentialId);
      await note(principal, "target.update", updated, { changed: Object.keys(change) });
      return words(updated);
    },
    async remove(principal, id) {
      const target = await byId(id);
      await targets.remove(id);
      for (const login of target.logins)
        if (login.credentialId !== undefined) await credentials.remove(login.credentialId);
      await note(principal, "target.delete", target);
    },
    async setCredential(principal, id, login, credential) {
      const target = await byId(id);
      const secret = protocolOf(target.protocol).secretFrom(credential);
      if (secret) {
        await note(principal, "credential.create", target, await store(target, login, secret));
      } else await forget(principal, target, login);
    },
    async rotateCredential(principal, id, login, credential) {
      const target = await byId(id);
      found(
        target.logins.find((candidate) => candidate.login === login),
        `login on ${target.name}`,
        login,
      );
      const protocol = protocolOf(target.protocol);
      const secret = protocol.secretFrom(credential);
      if (!secret)
        throw new GatehouseError({
          code: "invalid",
          op: "targets.rotate",
          message:
            "a certificate of the gate's own is made anew for each connection: there is nothing to rotate",
          hint: "Set it without rotate: gatehouse targets credential <name> <login> --certificate",
        });
      const { subject, remoteAddress } = principal;
      const by = { id: subject.id, name: subject.name, remoteAddress };
      try {
        await protocol.prove({ target, login, secret, by });
      } catch (error) {
        await noteRefusedRotation(principal, target, { login, kind: secret.kind, error });
        throw stays(target, login, error);
      }
      // As it is now: somebody may have changed its other logins meanwhile.
      await note(principal, "credential.update", target, await store(await byId(id), login, secret));
    },
    async removeCredential(principal, id, login) {
      await forget(principal, await byId(id), login);
    },
    async scanHostKeys(_principal, id) {
      const target = await byId(id);
      return {
        scannedAt: isoTime(clock.nowMs()),
        address: `${target.host}:${target.port}`,
        keys: await protocolOf(target.protocol).scan(target.host, target.port),
      };
    },
    async trustHostKeys(principal, id, trust) {
      const target = await byId(id);
      const protocol = protocolOf(target.protocol);
      const updated = await targets.update(id, { hostTrust: protocol.hostTrustFrom(trust) });
      const shown = protocol.hostTrustOf(updated.hostTrust);
      if (shown.keys.length === 0)
        await note(principal, "target.update", updated, { changed: ["host_trust"] });
      for (const key of shown.keys)
        await note(principal, "target.trust", updated, {
          key_type: key.algorithm,
          key_fingerprint: key.fingerprint,
          as: shown.kind === "ca" ? "authority" : "host_key",
        });
      return words(updated);
    },
  };
}

/** What the target said to the new secret, and what that means for the old one. */
function stays(target: StoredTarget, login: string, error: unknown): GatehouseError {
  const known = isGatehouseError(error) ? error : undefined;
  // Whoever asked was allowed: that the target says no is about the secret, and not about them.
  const code = known?.code === "denied" ? "conflict" : (known?.code ?? "internal");
  return new GatehouseError({
    code,
    op: "targets.rotate",
    message: `the secret of ${login} on ${target.name} stays as it was: ${messageOf(error)}`,
    hint: "Set the new one at the target first, or see why it refuses it.",
    cause: error,
  });
}

/** Throws `invalid` for what a protocol has no such permission for. */
function policyFor(
  protocol: TargetAdministration,
  policy: JsonObject,
  permits: Target["permits"],
): JsonObject {
  const has = Object.keys(protocol.permitsOf(policy));
  const strange = Object.entries(permits).find(([name, may]) => may === true && !has.includes(name));
  if (strange)
    throw new GatehouseError({
      code: "invalid",
      op: "targets.permits",
      message: `there is no ${strange[0]} on a target of ${protocol.protocol}`,
      hint: `It has ${has.join(", ")}.`,
    });
  return protocol.policyWith(policy, permits);
}

/** The policy with what it leaves open; rules about statements are refused where there are none. */
function accessFor(
  { protocol, readsStatements }: TargetAdministration,
  wanted: z.input<typeof accessPolicy>,
): AccessPolicy {
  const policy = accessPolicy.parse(wanted);
  if (policy.statements && !readsStatements)
    throw new GatehouseError({
      code: "invalid",
      op: "targets.write",
      message: `a target of ${protocol} has no statements that rules could be about`,
      hint: "Leave `statements` out of its access policy.",
    });
  return policy;
}

/** Whether any login of this target is open to whoever asks. */
function mayUse(target: StoredTarget, scope: TargetScope, nowMs: number): boolean {
  if (scope === "all") return true;
  const { subject } = scope;
  const asked = requestResource(target);
  if (asked && decide({ subject, action: "request.create", resource: asked }).allowed) return true;
  return target.logins.some(({ login }) => {
    const resource = targetResource(target, login);
    const { allowed, wouldAllow } = decide({ subject, action: "session.open", resource, context: { nowMs } });
    // Where only the hour or the network stands against it, they may know that it is there.
    return allowed || wouldAllow !== undefined;
  });
}
