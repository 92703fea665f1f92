import type { Certificate } from "@gatehouse/contracts/rest";
import { GatehouseError } from "@gatehouse/kernel";
import type { AuditLog } from "../../audit/mod.ts";
import type { Certificates, Certificate as Kept, Targets, UserKey, Users } from "../../directory/mod.ts";
import type { CertificateHolders, Person } from "../../identity/mod.ts";
import type { CertificatesDoor } from "../door.ts";
import { type GateEntrance, entranceOf, wayTo } from "./connections.ts";
import { noteChange } from "./note.ts";
import { found, isoTime } from "./page.ts";

export function createCertificates(options: {
  users: Pick<Users, "byId">;
  targets: Pick<Targets, "byId">;
  certificates: Pick<Certificates, "ofUser" | "remove">;
  holders: Pick<CertificateHolders, "admit">;
  audit: Pick<AuditLog, "append">;
  ssh: {
    /** Takes one line of a .pub file apart. Throws `invalid`. */
    parsePublicKey(line: string): Pick<UserKey, "blob" | "fingerprint">;
    /** The certificate as a line. */
    certify(wanted: {
      blob: Uint8Array;
      person: Pick<Person, "id" | "name">;
      serial: string;
      expiresAtMs: number;
      remoteAddress: string;
    }): string;
  };
  /** Undefined where no port for clients of databases is open. */
  database: DatabaseCertificates | undefined;
  /** By the protocol's name. */
  entrances: ReadonlyMap<string, GateEntrance>;
}): CertificatesDoor {
  const { users, targets, certificates, holders, audit, ssh, database, entrances } = options;
  const ofPerson = async (personId: string) => {
    const person = found(await users.byId(personId), "person", personId);
    return { person, kept: await certificates.ofUser(personId) };
  };
  return {
    async list(personId) {
      const { kept } = await ofPerson(personId);
      return { items: await Promise.all(kept.map(words)) };
    },
    async createForSsh({ remoteAddress }, sessionToken, { publicKey }) {
      const { blob, fingerprint } = ssh.parsePublicKey(publicKey);
      const { kept, person } = await holders.admit(sessionToken, {
        fingerprint,
        remoteAddress,
        scope: { kind: "ssh" },
      });
      const { serial, expiresAtMs } = kept;
      const certificate = ssh.certify({ blob, person, serial, expiresAtMs, remoteAddress });
      return { ...(await words(kept)), certificate };
    },
    async createForDatabase({ remoteAddress }, sessionToken, { targetId, login, publicKey, everyTarget }) {
      const target = found(await targets.byId(targetId), "target", targetId);
      const entrance = entranceOf(entrances, target);
      if (!database)
        throw new GatehouseError({
          code: "conflict",
          op: "certificates.create",
          message: "this gate has no open port for clients of databases",
        });
      const { spki, fingerprint } = database.parsePublicKey(publicKey);
      const { kept, person } = await holders.admit(sessionToken, {
        fingerprint,
        remoteAddress,
        scope: {
          kind: "database",
          ...(!everyTarget && { targetId: target.id, login }),
          ...(database.bindsAddress && remoteAddress !== "" && { sourceAddress: remoteAddress }),
        },
        ...(!everyTarget && { targetName: target.name }),
      });
      const { serial, expiresAtMs } = kept;
      const certificate = await database.certify({ spki, person, serial, expiresAtMs });
      return { ...(await words(kept)), certificate, entrance: wayTo(entrance, target, login) };
    },
    async remove(principal, personId, serial) {
      const { person, kept } = await ofPerson(personId);
      const certificate = await words(
        found(
          kept.find((one) => one.serial === serial),
          "certificate",
          serial,
        ),
      );
      await certificates.remove(personId, serial);
      const { kind, target, login } = certificate;
      await noteChange(audit, principal, "cert.delete", {
        cert_type: "user",
        usage: kind,
        owner: person.name,
        serial,
        key_fingerprint: certificate.fingerprint,
        expires: certificate.expiresAt,
        ...(target && { server_hostname: target.name }),
        ...(login !== null && { login }),
      });
    },
  };

  async function words(kept: Kept): Promise<Certificate> {
    const { serial, kind, targetId, login = null, fingerprint, issuedAtMs, expiresAtMs, lastUsedAtMs } = kept;
    const target = targetId === undefined ? undefined : await targets.byId(targetId);
    return {
      serial,
      kind,
      // One that was removed since has no name any more; it still opens nothing else.
      target: targetId === undefined ? null : { id: targetId, name: target?.name ?? targetId },
      login,
      fingerprint,
      issuedAt: isoTime(issuedAtMs),
      expiresAt: isoTime(expiresAtMs),
      lastUsedAt: lastUsedAtMs === undefined ? null : isoTime(lastUsedAtMs),
    };
  }
}

/** Signs what people come to databases with. */
type DatabaseCertificates = {
  /** Takes a public key in PEM apart. Throws `invalid`. */
  parsePublicKey(pem: string): { spki: Uint8Array; fingerprint: string };
  /** The certificate in PEM. */
  certify(wanted: {
    spki: Uint8Array;
    person: Pick<Person, "name">;
    serial: string;
    expiresAtMs: number;
  }): Promise<string>;
  /** Whether one is good only from the address that asked for it. */
  readonly bindsAddress: boolean;
};
