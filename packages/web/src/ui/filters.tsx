import type { ReactNode } from "react";
import { FilterInput } from "./elements.tsx";

/** Filters in a row. On a phone the row scrolls: the list is what the room is for. */
export function FilterBar({ children }: { children: ReactNode }) {
  return (
    <div
      role="group"
      aria-label="Filters"
      className="flex flex-wrap gap-2 px-4 pb-3 max-sm:flex-nowrap max-sm:overflow-x-auto max-sm:[&>*]:shrink-0"
    >
      {children}
    </div>
  );
}

/** Takes effect on Enter or when it is left: a name half typed is no filter. */
export function Committed({
  label,
  value,
  onCommit,
  className = "w-32",
}: {
  label: string;
  value: string | undefined;
  onCommit: (value: string) => void;
  className?: string;
}) {
  const commit = (input: HTMLInputElement) => {
    if (input.value.trim() !== (value ?? "")) onCommit(input.value.trim());
  };
  return (
    <FilterInput
      key={value ?? ""}
      label={label}
      defaultValue={value ?? ""}
      className={className}
      onBlur={(event) => commit(event.currentTarget)}
      onKeyDown={(event) => {
        if (event.key === "Enter") commit(event.currentTarget);
      }}
    />
  );
}

export function DayInput({
  label,
  value,
  onChange,
}: {
  label: string;
  value: string | undefined;
  onChange: (value: string) => void;
}) {
  return (
    <label className="flex items-center gap-1.5 text-soft">
      <span className="text-xs">{label}</span>
      <input
        type="date"
        value={value ?? ""}
        onChange={(event) => onChange(event.target.value)}
        className={`h-8 rounded-md border border-strong bg-raised px-2 ${value ? "text-ink" : "text-faint"}`}
      />
    </label>
  );
}
