import {
  type SecondStep,
  enrolled,
  factorAdd,
  linkExchange,
  me,
  passkeyOptions,
  passkeySignIn,
  passwordSignIn,
  secondFactorShown,
  signInAnswer,
  stepTicket,
  stepUpShown,
  steppedUp,
  totpOffer,
  wayIn,
} from "@gatehouse/contracts/rest";
import type { FastifyReply, FastifyRequest } from "fastify";
import { z } from "zod";
import { actions } from "../../../access/mod.ts";
import { principalOf, tokenOf } from "../access.ts";
import type { App, AppOptions } from "../app.ts";
import type { Entered, Principal } from "../../door.ts";
import { checkNotForeign, clearSessionCookies, originOf, setSessionCookie } from "../security.ts";
import { answers, nothing } from "./answers.ts";
import { beginPath } from "./oidc.ts";

const tags = ["auth"];

export function authRoutes(app: App, options: AppOptions): void {
  const { doors, gateway, publicUrl } = options;

  const describe = (principal: Principal) => {
    const { subject, via, session, expiresAtMs } = principal;
    return {
      id: subject.id,
      name: subject.name,
      roles: [...subject.roles],
      via,
      method: session?.method ?? null,
      mfaAt: session?.mfaAtMs === undefined ? null : new Date(session.mfaAtMs).toISOString(),
      expiresAt: expiresAtMs === undefined ? null : new Date(expiresAtMs).toISOString(),
      may: actions.filter((action) => doors.access.decide(principal, action, {}).allowed),
      gateway,
    };
  };

  const limited = { max: options.signInsPerMinuteMax ?? 10, timeWindow: 60_000 };
  // Guessing is slowed down in the database; this only keeps one address from taking all the work.
  const passwordsLimited = { ...limited, max: options.signInsPerMinuteMax ?? 60 };
  const from = (request: FastifyRequest) => ({
    remoteAddress: request.ip,
    userAgent: request.headers["user-agent"] ?? "",
  });
  const enter = (reply: FastifyReply, { principal, cookie, expiresAtMs }: Entered) => {
    setSessionCookie(reply, { value: cookie, expiresAtMs }, options);
    return describe(principal);
  };
  /** Either a session, or what must come before it: then nothing is set, and nothing is open but the next step. */
  const enterOrWait = (reply: FastifyReply, answer: Entered | SecondStep) =>
    "needs" in answer ? answer : enter(reply, answer);

  app.get(
    "/auth/ways",
    {
      schema: {
        tags,
        summary: "The ways to sign in here",
        security: [],
        response: answers(z.object({ items: z.array(wayIn) })),
      },
      config: { access: { public: "whoever signs in must know how" } },
    },
    async () => ({
      items: [
        ...(doors.oidc ? [{ kind: "provider" as const, name: doors.oidc.name, url: beginPath }] : []),
        ...(await doors.accounts.waysIn()).items,
      ],
    }),
  );

  app.post(
    "/auth/password",
    {
      schema: {
        tags,
        summary: "Sign in by name and password",
        security: [],
        description: "Where a second factor is asked for, the answer names what comes next instead.",
        body: passwordSignIn,
        response: answers(signInAnswer),
      },
      config: { access: { public: "the password is the proof" }, rateLimit: passwordsLimited },
    },
    async (request, reply) => {
      checkNotForeign(request, publicUrl);
      return enterOrWait(reply, await doors.identity.signInByPassword(request.body, from(request)));
    },
  );

  app.post(
    "/auth/link",
    {
      schema: {
        tags,
        summary: "Exchange a one-time link for a web session",
        security: [],
        description: "Where a second factor is asked for, the answer names what comes next instead.",
        body: linkExchange,
        response: answers(signInAnswer),
      },
      config: { access: { public: "the link is the proof" }, rateLimit: limited },
    },
    async (request, reply) => {
      checkNotForeign(request, publicUrl);
      return enterOrWait(reply, await doors.identity.signInByLink(request.body.token, from(request)));
    },
  );

  const next = {
    access: { public: "the ticket of the first step is the proof" },
    rateLimit: passwordsLimited,
  };
  app.post(
    "/auth/second-factor",
    {
      schema: {
        tags,
        summary: "Sign in: the second step",
        security: [],
        body: secondFactorShown,
        response: answers(me),
      },
      config: next,
    },
    async (request, reply) => {
      checkNotForeign(request, publicUrl);
      return enter(reply, await doors.identity.secondFactor(request.body, from(request)));
    },
  );
  app.post(
    "/auth/second-factor/passkey",
    {
      schema: {
        tags,
        summary: "Sign in: what to ask the browser for, to show a passkey as the second step",
        security: [],
        body: stepTicket,
        response: answers(passkeyOptions),
      },
      config: next,
    },
    (request) => {
      checkNotForeign(request, publicUrl);
      return doors.identity.secondFactorByPasskey(request.body, originOf(request, publicUrl));
    },
  );
  app.post(
    "/auth/passkey/options",
    {
      schema: {
        tags,
        summary: "Sign in: what to ask the browser for, to show a passkey instead of a name and a password",
        security: [],
        response: answers(passkeyOptions),
      },
      config: { access: { public: "asking gives nothing" }, rateLimit: passwordsLimited },
    },
    (request) => {
      checkNotForeign(request, publicUrl);
      return doors.identity.passkeyOptions(originOf(request, publicUrl));
    },
  );
  app.post(
    "/auth/passkey",
    {
      schema: {
        tags,
        summary: "Sign in by a passkey",
        security: [],
        body: passkeySignIn,
        response: answers(me),
      },
      config: { access: { public: "the passkey is the proof" }, rateLimit: passwordsLimited },
    },
    async (request, reply) => {
      checkNotForeign(request, publicUrl);
      return enter(reply, await doors.identity.signInByPasskey(request.body, from(request)));
    },
  );
  app.post(
    "/auth/enrolment/passkey",
    {
      schema: {
        tags,
        summary: "Sign in where a second factor is required: what a browser makes a passkey of",
        security: [],
        body: stepTicket,
        response: answers(passkeyOptions, 201),
      },
      config: next,
    },
    async (request, reply) => {
      checkNotForeign(request, publicUrl);
      const origin = originOf(request, publicUrl);
      return reply.code(201).send(await doors.identity.offerPasskeyTo(request.body, origin));
    },
  );
  app.post(
    "/auth/enrolment/totp",
    {
      schema: {
        tags,
        summary: "Sign in where a second factor is required: the secret of an authenticator app, shown once",
        security: [],
        body: stepTicket,
        response: answers(totpOffer, 201),
      },
      config: next,
    },
    async (request, reply) => {
      checkNotForeign(request, publicUrl);
      return reply.code(201).send(await doors.identity.offerTotpTo(request.body));
    },
  );
  app.post(
    "/auth/enrolment",
    {
      schema: {
        tags,
        summary: "Sign in where a second factor is required: add the first",
        security: [],
        body: factorAdd,
        response: answers(enrolled, 201),
      },
      config: next,
    },
    async (request, reply) => {
      checkNotForeign(request, publicUrl);
      const { entered, recoveryCodes } = await doors.identity.enrol(request.body, from(request));
      return reply.code(201).send({ me: enter(reply, entered), recoveryCodes });
    },
  );
  app.post(
    "/me/step-up",
    {
      schema: {
        tags,
        summary: "Give a second factor once more",
        description: "The session is known by another cookie or token from then on.",
        body: stepUpShown,
        response: answers(steppedUp),
      },
      config: { access: { action: "self.write" }, rateLimit: passwordsLimited },
    },
    async (request, reply) => {
      const principal = principalOf(request);
      const stepped = await doors.identity.stepUp(principal, request.body, from(request));
      const isBearer = principal.via === "token";
      return {
        me: isBearer ? describe(stepped.principal) : enter(reply, stepped),
        token: isBearer ? stepped.cookie : null,
      };
    },
  );

  app.post(
    "/me/step-up/passkey",
    {
      schema: {
        tags,
        summary: "What to ask the browser for, to give a passkey as second factor once more",
        response: answers(passkeyOptions),
      },
      config: { access: { action: "self.write" }, rateLimit: passwordsLimited },
    },
    (request) => doors.identity.stepUpByPasskey(principalOf(request), originOf(request, publicUrl)),
  );

  app.post(
    "/auth/logout",
    {
      schema: { tags, summary: "End this web session", response: answers(nothing, 204) },
      config: { access: { action: "self.read" } },
    },
    async (request, reply) => {
      // The command shows the same session as a bearer token.
      const session = tokenOf(request);
      if (session !== undefined) await doors.identity.signOut(session);
      clearSessionCookies(reply);
      return reply.code(204).send();
    },
  );

  app.get(
    "/me",
    {
      schema: { tags, summary: "Who is asking", querystring: z.strictObject({}), response: answers(me) },
      config: { access: { action: "self.read" } },
    },
    (request) => describe(principalOf(request)),
  );
}
