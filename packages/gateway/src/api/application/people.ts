import type { Person, SshKey } from "@gatehouse/contracts/rest";
import { toBase64 } from "@gatehouse/kernel";
import type { AuditLog } from "../../audit/mod.ts";
import type {
  ApiTokens,
  ConnectionSecrets,
  User,
  UserKey,
  UserKeys,
  Users,
  WebSessions,
} from "../../directory/mod.ts";
import type { Identity } from "../../identity/mod.ts";
import type { PeopleDoor, Principal } from "../door.ts";
import { requireNoToken } from "../decided.ts";
import { type RightsOf, checkActsFor, checkGiven } from "./given-roles.ts";
import { noteChange } from "./note.ts";
import { found, isoTime, pageRequest, wirePage } from "./page.ts";

export function createPeople(
  options: RightsOf & {
    users: Users;
    userKeys: UserKeys;
    webSessions: Pick<WebSessions, "revokeOfUser">;
    apiTokens: Pick<ApiTokens, "removeOfUser">;
    connectionSecrets: Pick<ConnectionSecrets, "removeOfUser">;
    identity: Pick<Identity, "createLink">;
    audit: AuditLog;
    /** Called when what somebody may do has changed. */
    rightsChanged?(): void;
    /** Takes one line of `authorized_keys` apart. Throws `invalid`. */
    parsePublicKey(line: string): Pick<UserKey, "type" | "blob" | "fingerprint" | "comment">;
    /** `https://gate.example.com`. */
    publicUrl(): string;
  },
): PeopleDoor {
  const { users, userKeys, webSessions, apiTokens, connectionSecrets, identity, audit } = options;

  const note = (principal: Principal, event: string, fields: Record<string, unknown>) =>
    noteChange(audit, principal, event, fields);

  async function words(user: User): Promise<Person> {
    const keys = await userKeys.ofUser(user.id);
    const lastSeenMs = Math.max(0, ...keys.map((key) => key.lastUsedAtMs ?? 0));
    return {
      id: user.id,
      name: user.name,
      displayName: user.displayName === "" ? null : user.displayName,
      roles: [...user.roles],
      disabled: user.disabled,
      createdAt: isoTime(user.createdAtMs),
      sshKeys: keys.length,
      lastSeenAt: lastSeenMs === 0 ? null : isoTime(lastSeenMs),
    };
  }

  return {
    async list(query) {
      const page = await users.list(query.q === undefined ? {} : { text: query.q }, pageRequest(query));
      return wirePage(page, words);
    },
    async get(id) {
      return words(found(await users.byId(id), "person", id));
    },
    async create(principal, person) {
      requireNoToken(principal, "add people");
      const roles = person.roles ?? ["user"];
      await checkGiven(options.roles, principal, roles);
      const user = await users.create({
        name: person.name,
        roles,
        ...(person.displayName !== undefined && { displayName: person.displayName }),
      });
      await note(principal, "user.create", { user_id: user.id, name: user.name, roles });
      return words(user);
    },
    async update(principal, id, change) {
      if (change.roles !== undefined || change.disabled === false)
        requireNoToken(principal, "change what people may do");
      const before = found(await users.byId(id), "person", id);
      if (change.roles) {
        const had = new Set(before.roles);
        await checkGiven(
          options.roles,
          principal,
          change.roles.filter((role) => !had.has(role)),
        );
      }
      if (change.disabled === false) await checkActsFor(options, principal, before);
      const user = await users.update(id, {
        ...(change.displayName !== undefined && { displayName: change.displayName ?? "" }),
        ...(change.roles !== undefined && { roles: change.roles }),
        ...(change.disabled !== undefined && { disabled: change.disabled }),
      });
      // Somebody shut out is out at once, not when the cookie ends.
      if (user.disabled) {
        await webSessions.revokeOfUser(user.id);
        // Nor is what was given out before good again when they are let in again.
        await apiTokens.removeOfUser(user.id);
        await connectionSecrets.removeOfUser(user.id);
      }
      options.rightsChanged?.();
      await note(principal, "user.update", {
        user_id: user.id,
        name: user.name,
        roles: [...user.roles],
        disabled: user.disabled,
        changed: Object.keys(change),
      });
      return words(user);
    },
    async signInLink(principal, id) {
      requireNoToken(principal, "make sign-in links");
      const user = found(await users.byId(id), "person", id);
      await checkActsFor(options, principal, user);
      const link = await identity.createLink(user.id);
      await note(principal, "login_link.create", {
        user_id: user.id,
        name: user.name,
        expires: isoTime(link.expiresAtMs),
      });
      return {
        personId: user.id,
        // In the fragment, so that no server or proxy ever logs it.
        url: `${options.publicUrl().replace(/\/$/, "")}/sign-in#token=${link.token}`,
        expiresAt: isoTime(link.expiresAtMs),
      };
    },
    async sshKeys(id) {
      found(await users.byId(id), "person", id);
      return (await userKeys.ofUser(id)).map(keyWords);
    },
    async addSshKey(principal, id, publicKey) {
      requireNoToken(principal, "register SSH keys");
      const user = found(await users.byId(id), "person", id);
      await checkActsFor(options, principal, user);
      const key = await userKeys.add({ userId: user.id, ...options.parsePublicKey(publicKey) });
      await note(principal, "user.key.create", {
        user_id: user.id,
        name: user.name,
        key_type: key.type,
        key_fingerprint: key.fingerprint,
      });
      return keyWords(key);
    },
    async removeSshKey(principal, id, keyId) {
      const user = found(await users.byId(id), "person", id);
      const key = (await userKeys.ofUser(id)).find((candidate) => candidate.id === keyId);
      found(key && (await userKeys.remove(id, keyId)) ? key : undefined, "key", keyId);
      await note(principal, "user.key.delete", {
        user_id: user.id,
        name: user.name,
        key_fingerprint: key?.fingerprint ?? "",
      });
    },
  };
}

function keyWords(key: UserKey): SshKey {
  return {
    id: key.id,
    fingerprint: key.fingerprint,
    algorithm: key.type,
    comment: key.comment,
    publicKey: `${key.type} ${toBase64(key.blob)}`,
    addedAt: isoTime(key.addedAtMs),
    lastUsedAt: key.lastUsedAtMs === undefined ? null : isoTime(key.lastUsedAtMs),
  };
}
