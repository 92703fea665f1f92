import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { getTestContext } from "node:test";
import { fileURLToPath } from "node:url";
import { systemClock, systemRandom } from "@gatehouse/kernel";
import { type Browser, type Page, chromium } from "playwright-core";
import { startRest } from "../../packages/gateway/src/api/rest/mod.ts";
import { type MemoryGate, memoryGate } from "../../packages/gateway/src/api/rest/testing/memory-doors.ts";
import type {
  SampleName,
  samplePeople,
} from "../../packages/gateway/src/api/rest/testing/sample-sessions.ts";

export type Look = { width: number; height: number; scheme: "dark" | "light" };

/** The built pages over sample recordings, and a Chromium to look at them with. */
export type WebStand = {
  url: string;
  gate: MemoryGate;
  /** Takes a picture, in the folder that GATEHOUSE_SHOTS names; without one, none. */
  shoot(page: Page, name: string): Promise<void>;
  /** A page of a browser profile of its own, closed at the end of the test that opened it: left open it would go on working. */
  open(look?: Partial<Look>): Promise<{ page: Page; complaints: string[] }>;
  /** The session of a sample. */
  idOf(name: SampleName): string;
  signIn(page: Page, name: keyof typeof samplePeople): Promise<void>;
  stop(): Promise<void>;
};

export async function webStand(): Promise<WebStand> {
  const folder = mkdtempSync(join(tmpdir(), "gatehouse-web-"));
  const gate = memoryGate(systemClock);
  const server = await startRest({
    doors: gate.doors,
    gateway: { id: "gate-1", version: "0.1.0" },
    clock: systemClock,
    random: systemRandom,
    web: { host: "127.0.0.1", port: 0 },
    adminSocketPath: join(folder, "admin.sock"),
    signInsPerMinuteMax: 10_000,
    pagesFolder: fileURLToPath(new URL("../../packages/web/dist", import.meta.url)),
  });
  const browser = await openBrowser();
  return {
    url: server.url,
    gate,
    async shoot(page, name) {
      const shots = process.env["GATEHOUSE_SHOTS"];
      if (shots !== undefined) await page.screenshot({ path: join(shots, `${name}.png`) });
    },
    open: browser.open,
    idOf(name) {
      const found = gate.samples.find((sample) => sample.name === name);
      if (!found) throw new Error(`there is no sample ${name}`);
      return found.session.id;
    },
    async signIn(page, name) {
      await page.goto(`${server.url}/sign-in#token=${gate.link(name)}`);
      await page.waitForURL(/\/(sessions|audit|targets|people|health)/);
    },
    async stop() {
      await browser.close();
      await server.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** A Chromium without a profile. What a page's console complains of is collected. */
export async function openBrowser(): Promise<{
  open(look?: Partial<Look>): Promise<{ page: Page; complaints: string[] }>;
  close(): Promise<void>;
}> {
  const browser: Browser = await chromium.launch({
    executablePath: "/usr/bin/chromium",
    headless: true,
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
  });
  return {
    async open({ width = 1440, height = 900, scheme = "dark" } = {}) {
      const context = await browser.newContext({
        viewport: { width, height },
        colorScheme: scheme,
        timezoneId: "Europe/Berlin",
        locale: "en-GB",
        permissions: ["clipboard-read", "clipboard-write"],
      });
      const test = getTestContext();
      if (test && "after" in test) test.after(() => context.close());
      const page = await context.newPage();
      const complaints: string[] = [];
      page.on("console", (message) => {
        if (["error", "warning"].includes(message.type())) complaints.push(message.text());
      });
      page.on("pageerror", (error) => complaints.push(String(error)));
      return { page, complaints };
    },
    close: () => browser.close(),
  };
}
