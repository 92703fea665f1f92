import type { AuditLog } from "../../audit/mod.ts";
import type { Rekeyed } from "../../credentials/mod.ts";
import type { CredentialsDoor } from "../door.ts";
import { requireNoToken } from "../decided.ts";
import { noteChange } from "./note.ts";

/** The sealing of stored secrets as a whole. */
export function createCredentialsDoor({
  rekey,
  audit,
}: {
  rekey(): Promise<Rekeyed>;
  audit: Pick<AuditLog, "append">;
}): CredentialsDoor {
  return {
    async rekey(principal) {
      requireNoToken(principal, "change keys");
      await noteChange(audit, principal, "credential.rekey", { phase: "begins" });
      const { keyId, resealed, keysDropped, unreadable } = await rekey();
      const outcome = { keyId, resealed, keysDropped, unreadable: [...unreadable] };
      await noteChange(audit, principal, "credential.rekey", {
        phase: "done",
        key_id: keyId,
        resealed,
        keys_dropped: keysDropped,
        unreadable: unreadable.length,
      });
      return outcome;
    },
  };
}
