import type { SshCertificate } from "@gatehouse/contracts/rest";
import type { AuditLog } from "../../audit/mod.ts";
import type { SshCertificate as Kept, SshCertificates, UserKey, Users } from "../../directory/mod.ts";
import type { CertificateHolders, Person } from "../../identity/mod.ts";
import type { SshCertificatesDoor } from "../door.ts";
import { noteChange } from "./note.ts";
import { found, isoTime } from "./page.ts";

export function createSshCertificates(options: {
  users: Pick<Users, "byId">;
  sshCertificates: Pick<SshCertificates, "ofUser" | "remove">;
  holders: Pick<CertificateHolders, "admit">;
  audit: Pick<AuditLog, "append">;
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
}): SshCertificatesDoor {
  const { users, sshCertificates, holders, audit } = options;
  const ofPerson = async (personId: string) => {
    const person = found(await users.byId(personId), "person", personId);
    return { person, kept: await sshCertificates.ofUser(personId) };
  };
  return {
    list: async (personId) => ({ items: (await ofPerson(personId)).kept.map(words) }),
    async create({ remoteAddress }, sessionToken, publicKey) {
      const { blob, fingerprint } = options.parsePublicKey(publicKey);
      const { kept, person } = await holders.admit(sessionToken, { fingerprint, remoteAddress });
      const { serial, expiresAtMs } = kept;
      const certificate = options.certify({ blob, person, serial, expiresAtMs, remoteAddress });
      return { ...words(kept), certificate };
    },
    async remove(principal, personId, serial) {
      const { person, kept } = await ofPerson(personId);
      const certificate = found(
        kept.find((one) => one.serial === serial),
        "certificate",
        serial,
      );
      await sshCertificates.remove(personId, serial);
      await noteChange(audit, principal, "cert.delete", {
        cert_type: "user",
        owner: person.name,
        serial,
        key_fingerprint: certificate.fingerprint,
        expires: isoTime(certificate.expiresAtMs),
      });
    },
  };
}

function words({ serial, fingerprint, issuedAtMs, expiresAtMs, lastUsedAtMs }: Kept): SshCertificate {
  return {
    serial,
    fingerprint,
    issuedAt: isoTime(issuedAtMs),
    expiresAt: isoTime(expiresAtMs),
    lastUsedAt: lastUsedAtMs === undefined ? null : isoTime(lastUsedAtMs),
  };
}
