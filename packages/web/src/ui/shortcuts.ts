import { useEffect, useEffectEvent } from "react";

/** Every key that the pages know, in one place: the help is this list. */
export const shortcuts = [
  { keys: ["/"], does: "Search sessions", where: "Everywhere" },
  { keys: ["Ctrl", "K"], does: "Go to a place, person, target or session", where: "Everywhere" },
  { keys: ["?"], does: "Show these keys", where: "Everywhere" },
  { keys: ["g", "l"], does: "Go to Live", where: "Everywhere" },
  { keys: ["g", "s"], does: "Go to Sessions", where: "Everywhere" },
  { keys: ["g", "a"], does: "Go to Audit", where: "Everywhere" },
  { keys: ["g", "r"], does: "Go to Requests", where: "Everywhere" },
  { keys: ["g", "h"], does: "Go to Health", where: "Everywhere" },
  { keys: ["j", "k"], does: "Next and previous row", where: "Lists" },
  { keys: ["Enter"], does: "Open the row", where: "Lists" },
  { keys: ["Space"], does: "Play or pause", where: "Player" },
  { keys: ["←", "→"], does: "Back and forward 5 seconds", where: "Player" },
  { keys: [",", "."], does: "Previous and next moment", where: "Player" },
  { keys: ["n", "N"], does: "Next and previous place that was found", where: "Player" },
  { keys: ["c"], does: "Copy what is selected, or the screen", where: "Player" },
  { keys: ["<", ">"], does: "Slower and faster", where: "Player" },
  { keys: ["i"], does: "Skip idle time, or not", where: "Player" },
  { keys: ["f"], does: "Full screen", where: "Player" },
] as const;

function isTyping(event: KeyboardEvent): boolean {
  const target = event.target;
  return (
    target instanceof HTMLElement &&
    (target.isContentEditable || ["INPUT", "TEXTAREA", "SELECT"].includes(target.tagName))
  );
}

/**
 * Keys for the page that is shown, by `event.key`. Never while somebody types, nor with Ctrl, Alt or Meta: those are the
 * browser's. Space and Enter stay with the control that has the focus.
 */
export function useShortcuts(handlers: Record<string, (event: KeyboardEvent) => void>): void {
  const onKey = useEffectEvent((event: KeyboardEvent) => {
    if (event.defaultPrevented || event.ctrlKey || event.altKey || event.metaKey || isTyping(event)) return;
    if (document.querySelector("dialog[open]")) return;
    const handler = handlers[event.key];
    if (!handler) return;
    const onControl = event.target instanceof Element && event.target.closest("button, a, summary");
    if ((event.key === " " || event.key === "Enter") && onControl) return;
    event.preventDefault();
    handler(event);
  });
  useEffect(() => {
    const listener = (event: KeyboardEvent) => onKey(event);
    addEventListener("keydown", listener);
    return () => removeEventListener("keydown", listener);
  }, []);
}
