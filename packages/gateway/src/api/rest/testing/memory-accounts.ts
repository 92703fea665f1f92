import { GatehouseError } from "@gatehouse/kernel";
import type { RestDoors } from "../../door.ts";

/** Everybody's password in the samples, until they set another. */
export const samplePassword = "the gate stands at the river";

/** Passwords in memory, in the clear: enough for the pages, and for what REST itself does with them. */
export function memoryAccounts(): {
  door: RestDoors["accounts"];
  isPassword(personId: string, password: string): boolean;
} {
  const own = new Map<string, { password: string; setAt: string } | null>();
  const first = { password: samplePassword, setAt: "2026-05-04T09:30:00.000Z" };
  const of = (personId: string) => {
    const found = own.get(personId);
    return found === undefined ? first : found;
  };
  const refuse = (code: "invalid" | "denied", message: string): never => {
    throw new GatehouseError({ code, op: "memory", message });
  };
  return {
    isPassword: (personId, password) => of(personId)?.password === password,
    door: {
      waysIn: async () => ({ items: [{ kind: "password" }, { kind: "link" }] }),
      async signInFacts(personId) {
        const kept = of(personId);
        return { password: kept && { setAt: kept.setAt } };
      },
      async setPassword({ subject }, { password, current }) {
        if (password.length < 12) refuse("invalid", "a password has at least 12 characters");
        if (current !== of(subject.id)?.password) refuse("denied", "this is not your current password");
        own.set(subject.id, { password, setAt: new Date(0).toISOString() });
      },
      async removePassword(_principal, personId) {
        own.set(personId, null);
      },
    },
  };
}
