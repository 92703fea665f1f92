import { type Clock, GatehouseError, type Random, isGatehouseError, messageOf } from "@gatehouse/kernel";
import type { AuditLog } from "../../audit/mod.ts";
import type { OidcSignIns, User } from "../../directory/mod.ts";
import type { BeginSession } from "../begin-session.ts";
import { hashOf, secret } from "../identity.ts";
import type { OidcClaims, OidcProvider } from "./provider.ts";
import { secondFactorAtMs } from "./second-factor.ts";

/** Signing in with the identity provider, from the button to the session. */
export type OidcSignIn = {
  /** What the sign-in page calls it. */
  readonly name: string;
  /** Where to send the browser, and what it must still have when it comes back. */
  begin(redirectUri: string): Promise<{ url: string; browserSecret: string }>;
  /**
   * The browser is back. Throws `unauthenticated` for a state that is unknown, used or another browser's, `denied` for what the
   * provider's answer or the rules do not allow, `unavailable` when the provider does not answer; each is audited.
   */
  finish(back: {
    callbackUrl: string;
    browserSecret: string | undefined;
    remoteAddress: string;
  }): Promise<{ token: string; expiresAtMs: number; idToken: string }>;
  /** Where the browser signs out of the provider too; at once, where it still has the ID token that it came with. */
  endSessionUrl(returnTo: string, idToken: string | undefined): Promise<string | undefined>;
};

const lifetimeMs = 10 * 60_000;

export function createOidcSignIn(options: {
  name: string;
  provider: OidcProvider;
  personOf(claims: OidcClaims): Promise<User>;
  /** The provider's methods that count as a second factor. */
  secondFactor: readonly string[];
  signIns: OidcSignIns;
  beginSession: BeginSession;
  audit: Pick<AuditLog, "append">;
  clock: Pick<Clock, "nowMs">;
  random: Random;
}): OidcSignIn {
  const { provider, signIns, audit, clock, random } = options;

  async function proved(
    callbackUrl: string,
    browserSecret: string | undefined,
  ): Promise<{ user: User; idToken: string; mfaAtMs: number | undefined }> {
    const state = new URL(callbackUrl).searchParams.get("state") ?? "";
    const kept = await signIns.take(hashOf(state));
    // Without the browser's own secret, somebody could be led into another person's session by a link.
    if (!kept || browserSecret === undefined || hashOf(browserSecret) !== kept.browserHash)
      throw new GatehouseError({
        code: "unauthenticated",
        op: "oidc.state",
        message: "this sign-in was used already, took too long, or began in another browser",
        hint: "Begin again on the sign-in page.",
      });
    const { claims, idToken } = await provider.claims(callbackUrl, { ...kept, state });
    const mfaAtMs = secondFactorAtMs(claims, options.secondFactor, clock.nowMs());
    return { user: await options.personOf(claims), idToken, mfaAtMs };
  }

  return {
    name: options.name,
    async begin(redirectUri) {
      const [state, nonce, verifier, browserSecret] = [
        secret(random),
        secret(random),
        secret(random),
        secret(random),
      ];
      const url = await provider.authorizationUrl({ redirectUri, state, nonce, verifier });
      await signIns.create({
        stateHash: hashOf(state),
        browserHash: hashOf(browserSecret),
        nonce,
        verifier,
        expiresAtMs: clock.nowMs() + lifetimeMs,
      });
      return { url, browserSecret };
    },
    async finish({ callbackUrl, browserSecret, remoteAddress }) {
      let came: Awaited<ReturnType<typeof proved>>;
      try {
        came = await proved(callbackUrl, browserSecret);
      } catch (error) {
        await audit.append({
          event: "user.login",
          user: "unknown",
          success: false,
          remoteAddress,
          fields: {
            method: "oidc",
            error: isGatehouseError(error) ? messageOf(error) : "it could not be decided",
          },
        });
        throw error;
      }
      const { token, expiresAtMs } = await options.beginSession(came.user, {
        method: "oidc",
        remoteAddress,
        ...(came.mfaAtMs !== undefined && { mfaAtMs: came.mfaAtMs }),
      });
      return { token, expiresAtMs, idToken: came.idToken };
    },
    endSessionUrl: (returnTo, idToken) => provider.endSessionUrl(returnTo, idToken),
  };
}
