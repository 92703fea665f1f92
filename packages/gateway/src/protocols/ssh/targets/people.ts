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
      // When a key was used last is told to people; nobody waits for it to be written down.
      if (signed) void identity.keyUsed(found.keyId).catch(() => {});
      return { id: found.person.id, name: found.person.name };
    },
  };
}
