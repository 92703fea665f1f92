/** The terminal is half of all the code, and needed on no other page: it comes when a list of sessions has nothing else to do. */
export async function loadTerminalPlayer() {
  return { default: (await import("./terminal-player.tsx")).TerminalPlayer };
}

/** With it the page that it stands on, so that the first session that is opened comes as fast as those after it. */
export function loadSessionPageWhenIdle(): () => void {
  const load = () =>
    void Promise.all([import("../pages/session.tsx"), loadTerminalPlayer()]).catch(() => undefined);
  if (typeof requestIdleCallback === "undefined") {
    const timer = setTimeout(load, 1000);
    return () => clearTimeout(timer);
  }
  const request = requestIdleCallback(load, { timeout: 3000 });
  return () => cancelIdleCallback(request);
}
