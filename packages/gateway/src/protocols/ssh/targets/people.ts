import { GatehouseError } from "@gatehouse/kernel";
import type { Decision, Question } from "../../../access/mod.ts";
import type { CertificateHolders, Identity } from "../../../identity/mod.ts";
import type { People, PersonAttempt } from "../gate/door.ts";
import { type Certificate, checkCertificate, fingerprint } from "../keys/mod.ts";

/** Finds the person behind an SSH key, or behind a certificate of the gate's own authority for people. */
export function sshPeople(options: {
  identity: Pick<Identity, "personByKey" | "personById" | "keyUsed">;
  holders: Pick<CertificateHolders, "bySerial" | "used">;
  /** Public key of the authority whose certificates are taken; nobody else's are. */
  authority: Uint8Array;
  decide(question: Question): Decision;
  nowMs(): number;
}): People {
  const { identity, holders } = options;
  return {
    async authenticate(attempt) {
      // The key under a certificate proves only itself: one that somebody else signed must not stand in for a registered key.
      if (attempt.certificate) return certified(attempt, attempt.certificate);
      const found = await identity.personByKey(attempt.key.blob);
      if (!found) return undefined;
      // When a key was used last is told to people; nobody waits for it to be written down.
      if (attempt.signed) void identity.keyUsed(found.keyId).catch(() => {});
      return { id: found.person.id, name: found.person.name };
    },
    async shutOut({ id }, remoteAddress) {
      const subject = await identity.personById(id);
      if (!subject) return "your account is shut";
      // What everybody may: only a restriction, such as a lock, can stand against it.
      const context = { remoteAddress };
      return options.decide({ subject, action: "self.read", resource: {}, context }).because;
    },
  };

  async function certified({ key, flags, signed, remoteAddress }: PersonAttempt, certificate: Certificate) {
    const serial = String(certificate.serial);
    const holder = await holders.bySerial("ssh", serial);
    const grant = checkCertificate(certificate, {
      authorities: [options.authority],
      kind: "user",
      // Nobody holds it any longer: the rest is still told, and then this.
      principals: holder ? [holder.person.name] : certificate.principals,
      nowMs: options.nowMs(),
      sourceAddress: remoteAddress,
    });
    if (holder?.fingerprint !== fingerprint(key.blob))
      throw refused(serial, "it was revoked, or its session or its person's account has ended");
    // The gate would have to hold the person to that one command; it makes no such certificate.
    if (grant.forceCommand !== undefined) throw refused(serial, "it is for a single command");
    if (grant.verifyRequired && signed && !flags?.userVerified)
      throw refused(serial, "its key did not verify its user");
    if (signed) void holders.used(serial).catch(() => {});
    const { id, name, proof } = holder.person;
    return { id, name, ...(proof?.mfaAtMs !== undefined && { mfaAtMs: proof.mfaAtMs }) };
  }
}

function refused(serial: string, why: string): GatehouseError {
  return new GatehouseError({
    code: "denied",
    op: "ssh.people.certificate",
    message: `the certificate ${serial} is refused: ${why}`,
  });
}
