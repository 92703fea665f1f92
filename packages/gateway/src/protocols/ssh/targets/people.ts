import type { Identity } from "../../../identity/mod.ts";
import type { People } from "../gate/door.ts";

/** Finds the person behind an SSH key. */
export function sshPeople(identity: Pick<Identity, "personByKey" | "keyUsed">): People {
  return {
    async authenticate({ key, certificate, signed }) {
      // No certificate authority of people is trusted yet: the key under a certificate proves only itself, and a
      // certificate that somebody else signed must not stand in for a registered key.
      if (certificate) return undefined;
      const found = await identity.personByKey(key.blob);
      if (!found) return undefined;
      if (signed) await identity.keyUsed(found.keyId);
      return { id: found.person.id, name: found.person.name };
    },
  };
}
