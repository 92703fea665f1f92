import {
  type Identity,
  type LocalAccounts,
  type SignedIn,
  apiTokenPrefix,
  localAdministrator,
} from "../../identity/mod.ts";
import type { Entered, IdentityDoor } from "../door.ts";

/** Signing in and out, as the API tells people apart. */
export function restIdentity(
  identity: Identity,
  accounts: Pick<LocalAccounts, "signInByPassword">,
): IdentityDoor {
  const entered = ({ token, person, session }: SignedIn): Entered => {
    const { expiresAtMs, remoteAddress } = session;
    return {
      principal: { subject: person, via: "web", expiresAtMs, session, remoteAddress },
      cookie: token,
      expiresAtMs,
    };
  };
  return {
    signInByLink: async (token, from) => entered(await identity.signInByLink(token, from)),
    signInByPassword: async ({ name, password }, from) =>
      entered(await accounts.signInByPassword(name, password, from)),
    async whoIs(credential, { remoteAddress }) {
      if (credential.kind === "admin-socket")
        return { subject: localAdministrator, via: "admin-socket", remoteAddress };
      // A browser has a session of its own; a program's token in a cookie would be sent by every page.
      if (credential.kind === "cookie" && credential.token.startsWith(apiTokenPrefix)) return undefined;
      const found = await identity.personByToken(credential.token);
      if (!found) return undefined;
      const via = credential.kind === "cookie" ? "web" : "token";
      const { person: subject, expiresAtMs, session } = found;
      return { subject, via, expiresAtMs, remoteAddress, ...(session && { session }) };
    },
    signOut: (cookie) => identity.signOut(cookie, ""),
  };
}
