import { GatehouseError, messageOf } from "@gatehouse/kernel";
import type * as OpenidClient from "openid-client";
import type { OidcConfig } from "./config.ts";

/** What the provider says of somebody, proved. */
export type OidcClaims = Readonly<Record<string, unknown>> & { iss: string; sub: string };

/** The identity provider, as OpenID Connect Core 1.0 has it: code flow with PKCE. Throws `unavailable` when it does not answer. */
export type OidcProvider = {
  /** Where to send the browser. */
  authorizationUrl(asked: {
    redirectUri: string;
    state: string;
    nonce: string;
    verifier: string;
  }): Promise<string>;
  /** `callbackUrl` with all that came back in it. Throws `denied` for every answer that does not prove who it is about. */
  claims(
    callbackUrl: string,
    expected: { state: string; nonce: string; verifier: string },
  ): Promise<OidcClaims>;
  /** Where the browser signs out of the provider, if it has such a place (RP-Initiated Logout 1.0). */
  endSessionUrl(returnTo: string): Promise<string | undefined>;
};

const answerTimeoutS = 10;

export function openOidcProvider(
  config: Pick<OidcConfig, "client_id" | "scopes"> & { issuer: string },
  /** Of the client; absent for a public one. */
  secret: { text(): string } | undefined,
): OidcProvider {
  type Discovered = { oidc: typeof OpenidClient; provider: OpenidClient.Configuration };
  let known: Promise<Discovered> | undefined;

  async function discover(): Promise<Discovered> {
    // Loaded where there is a provider to ask; a start without one does not wait for it.
    const oidc = await import("openid-client");
    const provider = await oidc.discovery(
      new URL(config.issuer),
      config.client_id,
      undefined,
      secret === undefined ? oidc.None() : oidc.ClientSecretBasic(secret.text().trim()),
      {
        timeout: answerTimeoutS,
        // The signature is checked also where TLS would be trusted in its place.
        execute: [
          oidc.enableNonRepudiationChecks,
          ...(config.issuer.startsWith("http:") ? [oidc.allowInsecureRequests] : []),
        ],
      },
    );
    return { oidc, provider };
  }

  /** Asked when it is first needed: a provider that is down must not keep the gate from starting. */
  function discovered(): Promise<Discovered> {
    known ??= discover().catch((cause: unknown) => {
      known = undefined;
      throw new GatehouseError({
        code: "unavailable",
        op: "oidc.discovery",
        message: `the identity provider ${config.issuer} cannot be used (${messageOf(cause)})`,
        hint: "Does it answer, and is oidc.issuer exactly what its discovery document says?",
        cause,
      });
    });
    return known;
  }

  return {
    async authorizationUrl({ redirectUri, state, nonce, verifier }) {
      const { oidc, provider } = await discovered();
      const url = oidc.buildAuthorizationUrl(provider, {
        redirect_uri: redirectUri,
        scope: [...new Set(["openid", ...config.scopes])].join(" "),
        state,
        nonce,
        code_challenge: await oidc.calculatePKCECodeChallenge(verifier),
        code_challenge_method: "S256",
      });
      return url.href;
    },
    async claims(callbackUrl, { state, nonce, verifier }) {
      const { oidc, provider } = await discovered();
      try {
        const tokens = await oidc.authorizationCodeGrant(provider, new URL(callbackUrl), {
          expectedState: state,
          expectedNonce: nonce,
          pkceCodeVerifier: verifier,
          idTokenExpected: true,
        });
        const claims = tokens.claims();
        if (!claims) throw new Error("there is no ID token");
        // Many providers tell groups and addresses only there. What is signed counts where both say something.
        const more =
          provider.serverMetadata().userinfo_endpoint === undefined
            ? {}
            : await oidc.fetchUserInfo(provider, tokens.access_token, claims.sub);
        return { ...more, ...claims };
      } catch (cause) {
        throw new GatehouseError({
          code: "denied",
          op: "oidc.claims",
          message: `the identity provider's answer is refused: ${reasonOf(cause)}`,
          cause,
        });
      }
    },
    async endSessionUrl(returnTo) {
      const { oidc, provider } = await discovered();
      if (provider.serverMetadata().end_session_endpoint === undefined) return undefined;
      return oidc.buildEndSessionUrl(provider, { post_logout_redirect_uri: returnTo }).href;
    },
  };
}

/** The library's own words, and those of what it found; tokens and codes are in neither. */
function reasonOf(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? `: ${error.cause.message}` : "";
  return `${messageOf(error)}${cause}`.slice(0, 256);
}
