const key = "gatehouse.return-place";

/** Kept for this tab only: where somebody was when the web session ended, to lead them back there. */
export function rememberPlace(): void {
  if (location.pathname !== "/sign-in") sessionStorage.setItem(key, location.pathname + location.search);
}

/** The place, once. Only ever a path of our own. */
export function takePlace(): string {
  const place = sessionStorage.getItem(key);
  sessionStorage.removeItem(key);
  return isOwnPlace(place) ? place : "/sessions";
}

/** A path of this gateway: browsers take `//` and `/\` for the beginning of another host. */
export function isOwnPlace(place: string | null): place is string {
  return place !== null && /^\/(?![/\\])/.test(place);
}
