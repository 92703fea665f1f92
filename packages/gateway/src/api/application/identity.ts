import { type Identity, apiTokenPrefix, localAdministrator } from "../../identity/mod.ts";
import type { IdentityDoor } from "../door.ts";

/** Signing in and out, as the API tells people apart. */
export function restIdentity(identity: Identity): IdentityDoor {
  return {
    async signInByLink(token, { remoteAddress }) {
      const signedIn = await identity.signInByLink(token, remoteAddress);
      const { person: subject, expiresAtMs } = signedIn;
      return {
        principal: { subject, via: "web", expiresAtMs, remoteAddress },
        cookie: signedIn.token,
        expiresAtMs,
      };
    },
    async whoIs(credential, { remoteAddress }) {
      if (credential.kind === "admin-socket")
        return { subject: localAdministrator, via: "admin-socket", remoteAddress };
      // A browser has a session of its own; a program's token in a cookie would be sent by every page.
      if (credential.kind === "cookie" && credential.token.startsWith(apiTokenPrefix)) return undefined;
      const found = await identity.personByToken(credential.token);
      if (!found) return undefined;
      const via = credential.kind === "cookie" ? "web" : "token";
      return { subject: found.person, via, expiresAtMs: found.expiresAtMs, remoteAddress };
    },
    signOut: (cookie) => identity.signOut(cookie, ""),
  };
}
