import { type Clock, GatehouseError, messageOf } from "@gatehouse/kernel";
import type * as OpenidClient from "openid-client";
import type { OidcConfig } from "./config.ts";

/** What the provider says of somebody, proved. */
export type OidcClaims = Readonly<Record<string, unknown>> & { iss: string; sub: string };
/** The same, with the token that says it: what the provider knows its own session by. */
export type OidcProof = { claims: OidcClaims; idToken: string };

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
  ): Promise<OidcProof>;
  /**
   * Where the browser signs out of the provider, if it has such a place (RP-Initiated Logout 1.0). Without the ID token of the
   * sign-in the provider asks whether that is meant.
   */
  endSessionUrl(returnTo: string, idToken: string | undefined): Promise<string | undefined>;
};

const answerTimeoutS = 10;
/** So long what the provider says of itself is taken as said. */
const metadataMs = 10 * 60_000;

export function openOidcProvider(
  config: Pick<OidcConfig, "client_id" | "scopes"> & { issuer: string },
  /** Of the client; absent for a public one. */
  secret: { text(): string } | undefined,
  clock: Pick<Clock, "nowMs">,
): OidcProvider {
  type Discovered = {
    oidc: typeof OpenidClient;
    provider: OpenidClient.Configuration;
    /** The same, with nothing kept of keys that it has shown before: those that sign now are asked for. */
    afresh(): OpenidClient.Configuration;
  };
  let known: { discovered: Promise<Discovered>; untilMs: number } | undefined;

  async function discover(): Promise<Discovered> {
    // Loaded where there is a provider to ask; a start without one does not wait for it.
    const oidc = await import("openid-client");
    const client = secret === undefined ? oidc.None() : oidc.ClientSecretBasic(secret.text().trim());
    // The signature is checked also where TLS would be trusted in its place.
    const execute = [
      oidc.enableNonRepudiationChecks,
      ...(config.issuer.startsWith("http:") ? [oidc.allowInsecureRequests] : []),
    ];
    const provider = await oidc.discovery(new URL(config.issuer), config.client_id, undefined, client, {
      timeout: answerTimeoutS,
      execute,
    });
    const afresh = () => {
      const made = new oidc.Configuration(provider.serverMetadata(), config.client_id, undefined, client);
      made.timeout = answerTimeoutS;
      for (const extend of execute) extend(made);
      return made;
    };
    return { oidc, provider, afresh };
  }

  /**
   * Asked when it is first needed: a provider that is down must not keep the gate from starting. Asked again after a while:
   * it may have moved.
   */
  function discovered(): Promise<Discovered> {
    if (known && clock.nowMs() < known.untilMs) return known.discovered;
    const asked = discover().catch((cause: unknown) => {
      if (known?.discovered === asked) known = undefined;
      throw new GatehouseError({
        code: "unavailable",
        op: "oidc.discovery",
        message: `the identity provider ${config.issuer} cannot be used (${messageOf(cause)})`,
        hint: "Does it answer, and is oidc.issuer exactly what its discovery document says?",
        cause,
      });
    });
    known = { discovered: asked, untilMs: clock.nowMs() + metadataMs };
    return asked;
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
      const { oidc, afresh } = await discovered();
      const provider = afresh();
      try {
        const tokens = await oidc.authorizationCodeGrant(provider, new URL(callbackUrl), {
          expectedState: state,
          expectedNonce: nonce,
          pkceCodeVerifier: verifier,
          idTokenExpected: true,
        });
        const claims = tokens.claims();
        if (!claims || tokens.id_token === undefined) throw new Error("there is no ID token");
        // Many providers tell groups and addresses only there. What is signed counts where both say something.
        const more =
          provider.serverMetadata().userinfo_endpoint === undefined
            ? {}
            : await oidc.fetchUserInfo(provider, tokens.access_token, claims.sub);
        return { claims: { ...more, ...claims }, idToken: tokens.id_token };
      } catch (cause) {
        throw new GatehouseError({
          code: "denied",
          op: "oidc.claims",
          message: `the identity provider's answer is refused: ${reasonOf(cause)}`,
          cause,
        });
      }
    },
    async endSessionUrl(returnTo, idToken) {
      const { oidc, provider } = await discovered();
      if (provider.serverMetadata().end_session_endpoint === undefined) return undefined;
      const asked = {
        post_logout_redirect_uri: returnTo,
        ...(idToken !== undefined && { id_token_hint: idToken }),
      };
      return oidc.buildEndSessionUrl(provider, asked).href;
    },
  };
}

/** The library's own words, and those of what it found; tokens and codes are in neither. */
function reasonOf(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? `: ${error.cause.message}` : "";
  return `${messageOf(error)}${cause}`.slice(0, 256);
}
