import type { Factor, PasskeyOptions } from "@gatehouse/contracts/rest";
import { GatehouseError } from "@gatehouse/kernel";
import type { Factor as Kept, Users, WebSessions } from "../../directory/mod.ts";
import type { PasskeyAsk, SecondFactors, SecondStep } from "../../identity/mod.ts";
import type { FactorsDoor } from "../door.ts";
import { ownSession, requireNoToken } from "../decided.ts";
import { type RightsOf, checkActsFor } from "./given-roles.ts";
import { found, isoTime } from "./page.ts";

/** Second factors of people: their own to add, theirs and administrators' to remove. */
export function createFactors(
  options: RightsOf & {
    users: Pick<Users, "byId">;
    webSessions: Pick<WebSessions, "revokeOfUser">;
    secondFactors: SecondFactors;
    secondStep: SecondStep;
  },
): FactorsDoor {
  const { users, secondFactors, secondStep } = options;
  const personOf = async (id: string) => found(await users.byId(id), "person", id);
  const byOf = ({ subject, remoteAddress }: Parameters<FactorsDoor["reset"]>[0]) => ({
    name: subject.name,
    remoteAddress,
  });

  return {
    async list(personId) {
      await personOf(personId);
      const { factors, recoveryCodesLeft } = await secondFactors.ofUser(personId);
      return { items: factors.map(words), recoveryCodesLeft, required: secondFactors.isRequired };
    },
    async offerTotp(principal) {
      const { expiresAtMs, ...offer } = await secondStep.offerTotp(ownSession(principal, "add a factor"));
      return { ...offer, expiresAt: isoTime(expiresAtMs) };
    },
    offerPasskey: async (principal, origin) =>
      passkeyWords(await secondStep.offerPasskey(ownSession(principal, "add a factor"), origin)),
    async add(principal, { ticket, name, ...made }) {
      const { factor, recoveryCodes = null } = await secondStep.add(
        ownSession(principal, "add a factor"),
        { ticket, name, made },
        principal.remoteAddress,
      );
      return { factor: words(factor), recoveryCodes };
    },
    async rename(principal, id, { name }) {
      const { userId } = ownSession(principal, "name a factor");
      return words(await secondFactors.rename(userId, id, name));
    },
    async renewRecoveryCodes(principal) {
      const session = ownSession(principal, "make recovery codes");
      await secondFactors.requireFresh(session, "make recovery codes");
      return {
        recoveryCodes: await secondFactors.renewRecoveryCodes(
          await personOf(session.userId),
          principal.remoteAddress,
        ),
      };
    },
    async remove(principal, personId, id) {
      requireNoToken(principal, "remove second factors");
      const person = await personOf(personId);
      if (principal.subject.id !== personId) await checkActsFor(options, principal, person);
      else {
        await secondFactors.requireFresh(ownSession(principal, "remove a factor"), "remove a second factor");
        const { factors } = await secondFactors.ofUser(personId);
        if (secondFactors.isRequired && factors.length === 1 && factors[0]?.id === id)
          throw new GatehouseError({
            code: "conflict",
            op: "factors.remove",
            message: "a second factor is required here, and this is your only one",
            hint: "Add another one first.",
          });
      }
      await secondFactors.remove(person, id, byOf(principal));
    },
    async reset(principal, personId) {
      requireNoToken(principal, "remove second factors");
      if (principal.subject.id === personId)
        throw new GatehouseError({
          code: "denied",
          op: "factors.reset",
          message: "nobody resets their own second factors",
          hint: "Remove them one by one, or ask another administrator.",
        });
      const person = await personOf(personId);
      await checkActsFor(options, principal, person);
      await secondFactors.remove(person, "all", byOf(principal));
      // Whoever has the lost device may sit in one of them.
      await options.webSessions.revokeOfUser(personId);
    },
  };
}

export function passkeyWords({ expiresAtMs, ...asked }: PasskeyAsk): PasskeyOptions {
  return { ...asked, expiresAt: isoTime(expiresAtMs) };
}

function words({ id, kind, name, createdAtMs, lastUsedAtMs }: Kept): Factor {
  return {
    id,
    kind,
    name,
    createdAt: isoTime(createdAtMs),
    lastUsedAt: lastUsedAtMs === undefined ? null : isoTime(lastUsedAtMs),
  };
}
