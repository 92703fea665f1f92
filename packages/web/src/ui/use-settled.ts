import { useEffect, useState } from "react";

/** The value when it has not changed for a moment: for what is asked of the gateway while somebody writes. */
export function useSettled<T>(value: T): T {
  const [settled, setSettled] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(value), 200);
    return () => clearTimeout(timer);
  }, [value]);
  return settled;
}
