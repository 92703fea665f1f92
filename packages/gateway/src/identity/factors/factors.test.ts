import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { type TestContext, test } from "node:test";
import { isGatehouseError, seededRandom } from "@gatehouse/kernel";
import { Secret, TOTP } from "otpauth";
import { openAuditLog } from "../../audit/mod.ts";
import { sealingBy } from "../../credentials/mod.ts";
import { temporaryDirectory } from "../../directory/testing/temporary.ts";
import {
  createAttempts,
  createBeginSession,
  createCertificateHolders,
  createIdentity,
  createSecondFactors,
  createSecondStep,
  createWebSignIn,
  standingIn,
} from "../mod.ts";

const from = { remoteAddress: "192.0.2.7", userAgent: "a browser" };
const minute = 60_000;

async function house(context: TestContext, { isRequired = false, sessionIdleMs = 60 * minute } = {}) {
  const { directory, clock, path } = await temporaryDirectory(context, { sessionIdleMs });
  const random = seededRandom(7);
  const audit = openAuditLog({
    rows: directory.auditRows,
    probe: () => directory.probe(),
    clock,
    random,
    log: { error() {} },
  });
  const standing = standingIn(directory);
  const beginSession = createBeginSession({
    ...directory,
    standing,
    audit,
    clock,
    random,
    sessionMs: 12 * 60 * minute,
  });
  const key = { id: random.bytes(8), key: random.bytes(32) };
  const secondFactors = createSecondFactors({
    ...directory,
    sealing: sealingBy({ keys: [key], random }),
    attempts: createAttempts({ ...directory, clock }),
    audit,
    clock,
    random,
    isRequired,
    issuer: "Gatehouse test",
  });
  const secondStep = createSecondStep({
    ...directory,
    secondFactors,
    beginSession,
    standing,
    audit,
    clock,
    random,
  });
  const webSignIn = createWebSignIn({ beginSession, secondStep, standing, audit });
  const identity = createIdentity({ ...directory, standing, webSignIn, audit, clock, random });
  const holders = createCertificateHolders({
    ...directory,
    identity,
    audit,
    clock,
    random,
    lifetimesMs: { ssh: 8 * 60 * minute, database: 8 * 60 * minute },
  });
  const user = await directory.users.create({ name: "ada", roles: ["user"] });
  const byLink = async () => identity.signInByLink((await identity.createLink(user.id)).token, from);
  const whoIs = (token: string, isAttended = true) => identity.personByToken(token, { isAttended });

  /** Signs in where nothing more is asked for. */
  async function enter() {
    const answer = await byLink();
    assert.ok("token" in answer, "a second factor was asked for");
    return answer;
  }
  async function wait() {
    const answer = await byLink();
    assert.ok("ticket" in answer, "no second factor was asked for");
    return answer;
  }
  const codeOf = (secret: string, atMs = clock.nowMs()) =>
    new TOTP({ secret: Secret.fromBase32(secret) }).generate({ timestamp: atMs });
  /** Somebody with an authenticator app. */
  async function enrolled() {
    const { session } = await enter();
    const { ticket, secret, uri } = await secondStep.offerTotp(session);
    const made = { code: codeOf(secret) };
    const added = await secondStep.add(session, { ticket, name: "phone", made }, from.remoteAddress);
    assert.ok(added.recoveryCodes);
    return { session, secret, uri, factor: added.factor, recoveryCodes: added.recoveryCodes };
  }
  const events = async (event: string) =>
    (await directory.auditRows.list({ events: [event] }, { limit: 100 })).map(
      ({ body }) => JSON.parse(body) as { success: boolean; user: string } & Record<string, unknown>,
    );
  return {
    directory,
    clock,
    path,
    audit,
    identity,
    holders,
    secondFactors,
    secondStep,
    user,
    enter,
    wait,
    codeOf,
    enrolled,
    events,
    whoIs,
  };
}

const refuses = (code: Parameters<typeof isGatehouseError>[1]) => (error: unknown) => {
  assert.ok(isGatehouseError(error, code), `${String(error)} is not ${code}`);
  return true;
};

test("a code is taken once, in its step or the ones beside it, and lets in with a second factor", async (context) => {
  const { clock, enrolled, wait, codeOf, secondStep, events, whoIs } = await house(context);
  const { secret, uri, session } = await enrolled();
  assert.match(uri, /^otpauth:\/\/totp\/Gatehouse%20test:ada\?/);
  assert.equal(session.mfaAtMs, undefined);
  const finish = async (code: string) => {
    const { ticket } = await wait();
    return secondStep.finish(ticket, { code }, from);
  };
  await assert.rejects(finish(codeOf(secret)), refuses("unauthenticated"), "it was used to enrol");
  clock.advance(30_000);
  const code = codeOf(secret);
  const { ticket, needs, ways } = await wait();
  assert.deepEqual([needs, ways], ["second_factor", ["totp", "recovery_code"]]);
  assert.equal(await whoIs(ticket), undefined, "a ticket is no session");
  const signedIn = await secondStep.finish(ticket, { code: `${code.slice(0, 3)} ${code.slice(3)}` }, from);
  assert.equal(signedIn.session.mfaAtMs, clock.nowMs());
  assert.equal(signedIn.person.proof?.mfaAtMs, clock.nowMs());
  assert.equal((await whoIs(signedIn.token))?.person.proof?.mfaAtMs, clock.nowMs());
  await assert.rejects(
    secondStep.finish(ticket, { code }, from),
    refuses("unauthenticated"),
    "a used ticket",
  );
  await assert.rejects(finish(code), refuses("unauthenticated"), "a used code");
  await assert.rejects(
    finish(codeOf(secret, clock.nowMs() - 30_000)),
    refuses("unauthenticated"),
    "an earlier one",
  );
  assert.ok(await finish(codeOf(secret, clock.nowMs() + 30_000)), "a clock that is ahead");
  clock.advance(5 * minute);
  for (const aside of [-90_000, 90_000])
    await assert.rejects(finish(codeOf(secret, clock.nowMs() + aside)), refuses("unauthenticated"));
  const logins = await events("user.login");
  assert.deepEqual(
    logins.filter((one) => one.success && one["second_factor"] === true).length,
    2,
    "what was refused is no sign-in",
  );
  assert.ok(logins.some((one) => !one.success && one["error"] === "the second factor is not good"));
});

test("two who show one code at once: one is let in", async (context) => {
  const { clock, enrolled, wait, codeOf, secondStep } = await house(context);
  const { secret } = await enrolled();
  clock.advance(30_000);
  const tickets = [await wait(), await wait()];
  const shown = { code: codeOf(secret) };
  const done = await Promise.allSettled(tickets.map(({ ticket }) => secondStep.finish(ticket, shown, from)));
  assert.deepEqual(done.map(({ status }) => status).toSorted(), ["fulfilled", "rejected"]);
});

test("a recovery code stands in once, however it is typed; with the last factor they go", async (context) => {
  const { enrolled, wait, secondStep, secondFactors, user, events, path, directory } = await house(context);
  const { recoveryCodes, secret, factor } = await enrolled();
  assert.equal(new Set(recoveryCodes).size, 10);
  const [first = "", second = ""] = recoveryCodes;
  assert.match(first, /^([a-km-np-z2-9]{4}-){3}[a-km-np-z2-9]{4}$/);
  const finish = async (code: string) => secondStep.finish((await wait()).ticket, { code }, from);
  assert.ok(await finish(first.toUpperCase().replaceAll("-", " ")));
  await assert.rejects(finish(first), refuses("unauthenticated"));
  assert.equal((await secondFactors.ofUser(user.id)).recoveryCodesLeft, 9);
  assert.deepEqual(
    (await events("recovery_code.used")).map(({ success, left }) => [success, left]),
    [
      [false, 9],
      [true, 9],
    ],
  );
  const anew = await secondFactors.renewRecoveryCodes(user, from.remoteAddress);
  await assert.rejects(finish(second), refuses("unauthenticated"), "the old ones are worth nothing");
  assert.ok(await finish(anew[0] ?? ""));
  const other = await directory.users.create({ name: "bob", roles: [] });
  assert.equal(await directory.factors.takeRecoveryCode(other.id, anew[1] ?? ""), false);

  if (path !== "" && process.env["GATEHOUSE_TEST_POSTGRES"] === undefined) {
    const kept = readFileSync(path, "latin1") + readFileSync(`${path}-wal`, "latin1");
    assert.ok(kept.includes(factor.id), "this is where it is kept");
    for (const one of [secret, ...recoveryCodes, ...anew, ...anew.map((code) => code.replaceAll("-", ""))])
      assert.ok(!kept.includes(one), "a secret lies in the clear");
    const raw = Buffer.from(Secret.fromBase32(secret).buffer);
    assert.ok(!kept.includes(raw.toString("base64")) && !kept.includes(raw.toString("latin1")));
  }
  await secondFactors.remove(user, factor.id, { name: "ada", remoteAddress: "" });
  assert.deepEqual(await secondFactors.ofUser(user.id), { factors: [], recoveryCodesLeft: 0 });
  const added = (await events("mfa.add"))[0];
  assert.deepEqual(
    [added?.["code"], added?.["mfa_device_name"], added?.["mfa_device_type"], added?.["owner"]],
    ["T1006I", "phone", "totp", "ada"],
  );
  assert.equal((await events("mfa.delete"))[0]?.["code"], "T1007I");
});

test("guessing the second step is slowed down, and giving the first one again wipes nothing away", async (context) => {
  const { clock, enrolled, wait, codeOf, secondStep } = await house(context);
  const { secret } = await enrolled();
  clock.advance(30_000);
  for (let i = 0; i < 5; i++) {
    const { ticket } = await wait();
    await assert.rejects(secondStep.finish(ticket, { code: "000000" }, from), refuses("unauthenticated"));
  }
  const { ticket } = await wait();
  const shown = { code: codeOf(secret) };
  await assert.rejects(secondStep.finish(ticket, shown, from), refuses("rate_limited"), "even the right one");
  clock.advance(5_000);
  assert.ok(
    await secondStep.finish(ticket, { code: codeOf(secret) }, from),
    "the same ticket, after the wait",
  );
});

test("a ticket is good for ten minutes, and not for somebody shut out", async (context) => {
  const { clock, enrolled, wait, codeOf, secondStep, directory, user } = await house(context);
  const { secret } = await enrolled();
  const late = await wait();
  clock.advance(10 * minute);
  const finish = (ticket: string) => secondStep.finish(ticket, { code: codeOf(secret) }, from);
  await assert.rejects(finish(late.ticket), refuses("unauthenticated"));
  const { ticket } = await wait();
  await directory.users.update(user.id, { disabled: true });
  await assert.rejects(finish(ticket), refuses("unauthenticated"));
});

test("where one is required, whoever has none adds one before anything else", async (context) => {
  const { wait, codeOf, secondStep, events, whoIs, clock } = await house(context, { isRequired: true });
  const { ticket, needs } = await wait();
  const early = await wait();
  assert.equal(needs, "enrolment");
  const add = (code: string, by = ticket) => secondStep.enrol(by, { name: "phone", made: { code } }, from);
  await assert.rejects(add("123456"), refuses("conflict"), "nothing was offered yet");
  await assert.rejects(secondStep.finish(ticket, { code: "123456" }, from), refuses("unauthenticated"));
  const { secret } = await secondStep.offerTotpTo(ticket);
  await assert.rejects(add("12345x"), refuses("invalid"));
  assert.equal((await events("user.login")).length, 0);
  const signedIn = await add(codeOf(secret));
  assert.equal(signedIn.recoveryCodes?.length, 10);
  assert.equal((await whoIs(signedIn.token))?.person.proof?.mfaAtMs, clock.nowMs());
  // Whoever has an older ticket must not put a factor of theirs beside it.
  const other = await secondStep.offerTotpTo(early.ticket);
  await assert.rejects(add(codeOf(other.secret), early.ticket), refuses("unauthenticated"));
  assert.equal((await wait()).needs, "second_factor");
});

test("factors are changed only by who proved of late who they are; a step up gives the session another token", async (context) => {
  const {
    clock,
    enrolled,
    enter,
    wait,
    codeOf,
    secondStep,
    secondFactors,
    holders,
    whoIs,
    events,
    directory,
  } = await house(context);
  const stale = await enter();
  clock.advance(16 * minute);
  await assert.rejects(secondStep.offerTotp(stale.session), refuses("denied"), "signed in long ago");
  const { secret, session: before } = await enrolled();
  await assert.rejects(secondStep.offerTotp(before), refuses("denied"), "no second factor in this session");
  clock.advance(minute);
  const { token, session } = await secondStep.finish((await wait()).ticket, { code: codeOf(secret) }, from);
  await secondFactors.requireFresh(session, "x");
  const { kept } = await holders.admit(token, {
    fingerprint: "SHA256:x",
    remoteAddress: "",
    scope: { kind: "ssh" },
  });
  clock.advance(16 * minute);
  await assert.rejects(secondFactors.requireFresh(session, "x"), refuses("denied"));
  await assert.rejects(secondStep.stepUp(session, { code: "000000" }, from), refuses("invalid"));
  const stepped = await secondStep.stepUp(session, { code: codeOf(secret) }, from);
  assert.equal(stepped.session.id, session.id, "people know it by the same name");
  assert.notEqual(stepped.token, token);
  assert.equal(await whoIs(token), undefined, "the token before is worth nothing");
  assert.equal((await whoIs(stepped.token))?.person.proof?.mfaAtMs, clock.nowMs());
  assert.equal(
    (await holders.bySerial("ssh", kept.serial))?.person.proof?.mfaAtMs,
    clock.nowMs(),
    "the certificate too",
  );
  await secondFactors.requireFresh(stepped.session, "x");
  assert.deepEqual(
    (await events("mfa_auth_challenge.validate")).map(({ success, code }) => [success, code]),
    [
      [true, "T1016I"],
      [false, "GH1052W"],
    ],
  );
  // What another session was offered is not this one's to take.
  const offer = await secondStep.offerTotp(stepped.session);
  clock.advance(minute);
  const again = await secondStep.finish((await wait()).ticket, { code: codeOf(secret) }, from);
  const taken = { ticket: offer.ticket, name: "x", made: { code: codeOf(offer.secret) } };
  await assert.rejects(secondStep.add(again.session, taken, ""), refuses("conflict"));
  await directory.webSessions.revokeOne(session.userId, session.id);
  assert.equal(await holders.bySerial("ssh", kept.serial), undefined);
});

test("a session that nobody uses ends; what asks by itself does not keep it, and an SSH certificate does", async (context) => {
  const { clock, enter, whoIs, holders, directory, user } = await house(context, {
    sessionIdleMs: 60 * minute,
  });
  const { token, session } = await enter();
  const other = await enter();
  const { kept } = await holders.admit(other.token, {
    fingerprint: "SHA256:y",
    remoteAddress: "",
    scope: { kind: "ssh" },
  });
  const seenOf = async () =>
    (await directory.webSessions.ofUser(user.id)).find(({ id }) => id === session.id)?.lastSeenAtMs;
  clock.advance(59_000);
  await whoIs(token);
  assert.equal(await seenOf(), session.lastSeenAtMs, "at most once a minute");
  clock.advance(1000);
  await whoIs(token, false);
  assert.equal(await seenOf(), session.lastSeenAtMs, "nobody was there");
  await whoIs(token);
  assert.equal(await seenOf(), clock.nowMs());
  clock.advance(58 * minute);
  await holders.used(kept.serial);
  assert.ok(await whoIs(token, false));
  clock.advance(2 * minute);
  assert.equal(await whoIs(token), undefined, "an hour without anybody");
  assert.ok(await holders.bySerial("ssh", kept.serial), "the certificate's own session was used");
  assert.ok(await whoIs(other.token));
  for (let i = 0; i < 12; i++) {
    clock.advance(58 * minute);
    await whoIs(other.token);
  }
  assert.equal(await whoIs(other.token), undefined, "no session lasts longer than its limit");
});

test("passkeys: asked for by a host's name only, once, and an answer that is none tells nothing", async (context) => {
  const { secondStep, enter, events, directory, user } = await house(context);
  const { session } = await enter();
  const origin = "https://gate.example.com";
  for (const address of ["http://127.0.0.1:8080", "https://[2001:db8::1]"])
    await assert.rejects(secondStep.askAnyPasskey(address), refuses("conflict"));
  const { options, ticket } = await secondStep.offerPasskey(session, origin);
  assert.deepEqual(
    [(options as unknown as { rp: { id: string } }).rp.id, typeof options.challenge],
    ["gate.example.com", "string"],
  );
  const credential = { id: "AQID", rawId: "AQID", type: "public-key" as const, clientExtensionResults: {} };
  const made = { passkey: { ...credential, response: { attestationObject: "oA", clientDataJSON: "e30" } } };
  await assert.rejects(secondStep.add(session, { ticket, name: "x", made }, ""), refuses("invalid"));
  assert.equal((await events("mfa.add")).length, 0);

  // One that is known, so that only its signature is wrong.
  await directory.factors.add({
    kind: "passkey",
    id: session.id,
    userId: user.id,
    name: "laptop",
    credentialId: "AQID",
    publicKey: new Uint8Array([0xa0]),
    signCount: 0,
    transports: [],
    rpId: "gate.example.com",
  });
  const shown = {
    ...credential,
    response: { authenticatorData: "AAAA", clientDataJSON: "e30", signature: "AAAA" },
  };
  const asked = await secondStep.askAnyPasskey(origin);
  assert.equal("allowCredentials" in asked.options && asked.options.allowCredentials !== undefined, false);
  const answers: unknown[] = [];
  for (const one of [shown, { ...shown, id: "BBBB", rawId: "BBBB" }]) {
    const { ticket: own } = await secondStep.askAnyPasskey(origin);
    const refused = await secondStep.signInByPasskey(own, one, from).catch((error: unknown) => error);
    answers.push(refused instanceof Error ? refused.message : refused);
    await assert.rejects(secondStep.signInByPasskey(own, one, from), /took too long, or was done already/);
  }
  assert.equal(answers[0], answers[1], "a known passkey and an unknown one");
  assert.match(String(answers[0]), /not known here, or it was not unlocked/);
  const again = await secondStep.askStepUp(session, origin);
  const step = { ticket: again.ticket, passkey: shown };
  await assert.rejects(secondStep.stepUp(session, step, from), refuses("invalid"));
  assert.ok(
    (await events("user.login")).some((one) => one.user === "unknown" && one["method"] === "passkey"),
  );
});
