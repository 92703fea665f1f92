import { Check, Copy } from "lucide-react";
import {
  type ButtonHTMLAttributes,
  type InputHTMLAttributes,
  type ReactNode,
  type SelectHTMLAttributes,
  useId,
  useState,
} from "react";
import { localTime, shortened, utcTime } from "./format.ts";

type Tone = "plain" | "primary" | "danger" | "quiet";
const tones: Record<Tone, string> = {
  plain: "border border-strong bg-raised hover:bg-hover",
  primary: "border border-accent bg-accent text-accent-ink hover:opacity-90",
  danger: "border border-danger text-danger hover:bg-danger-paper",
  quiet: "border border-transparent text-soft hover:bg-hover hover:text-ink",
};

export function Button({
  tone = "plain",
  className = "",
  ...rest
}: ButtonHTMLAttributes<HTMLButtonElement> & { tone?: Tone }) {
  return (
    <button
      type="button"
      {...rest}
      className={`inline-flex h-8 items-center justify-center gap-1.5 rounded-md px-3 font-medium whitespace-nowrap transition-colors disabled:cursor-not-allowed disabled:opacity-50 ${tones[tone]} ${className}`}
    />
  );
}

/** A button that is only a picture, so it must have a name. */
export function IconButton({
  label,
  className = "",
  children,
  ...rest
}: ButtonHTMLAttributes<HTMLButtonElement> & { label: string; children: ReactNode }) {
  return (
    <button
      type="button"
      aria-label={label}
      title={label}
      {...rest}
      className={`inline-flex size-8 shrink-0 items-center justify-center rounded-md text-soft transition-colors hover:bg-hover hover:text-ink disabled:opacity-40 ${className}`}
    >
      {children}
    </button>
  );
}

const fieldStyle =
  "h-8 w-full rounded-md border border-strong bg-raised px-2.5 placeholder:text-faint disabled:opacity-60 aria-invalid:border-danger";

export function Field({
  label,
  hint,
  ...rest
}: InputHTMLAttributes<HTMLInputElement> & { label: string; hint?: string }) {
  const id = useId();
  return (
    <div className="grid gap-1">
      <label htmlFor={id} className="text-xs font-medium text-soft">
        {label}
      </label>
      <input
        id={id}
        autoComplete="off"
        spellCheck={false}
        aria-describedby={hint ? `${id}-hint` : undefined}
        {...rest}
        className={fieldStyle}
      />
      {hint && (
        <p id={`${id}-hint`} className="text-xs text-faint">
          {hint}
        </p>
      )}
    </div>
  );
}

/** A choice in a filter bar: its name is read out, and seen as the first option. */
export function Choice({
  label,
  className = "",
  children,
  ...rest
}: SelectHTMLAttributes<HTMLSelectElement> & { label: string }) {
  return (
    <select
      aria-label={label}
      {...rest}
      className={`h-8 rounded-md border border-strong bg-raised px-2 ${rest.value ? "text-ink" : "text-soft"} ${className}`}
    >
      {children}
    </select>
  );
}

export function FilterInput({
  label,
  className = "",
  ...rest
}: InputHTMLAttributes<HTMLInputElement> & { label: string }) {
  return (
    <input
      aria-label={label}
      placeholder={label}
      autoComplete="off"
      spellCheck={false}
      {...rest}
      className={`h-8 rounded-md border border-strong bg-raised px-2.5 placeholder:text-faint ${className}`}
    />
  );
}

export function Time({ iso, className = "" }: { iso: string; className?: string }) {
  return (
    <time dateTime={iso} title={utcTime(iso)} className={`whitespace-nowrap ${className}`}>
      {localTime(iso)}
    </time>
  );
}

export function CopyButton({ text, label }: { text: string; label: string }) {
  const [copied, setCopied] = useState(false);
  const copy = async () => {
    await navigator.clipboard.writeText(text);
    setCopied(true);
    setTimeout(() => setCopied(false), 1200);
  };
  return (
    <button
      type="button"
      aria-label={copied ? "Copied" : label}
      title={label}
      onClick={(event) => {
        event.stopPropagation();
        void copy();
      }}
      className="inline-flex size-6 shrink-0 items-center justify-center rounded text-faint hover:bg-hover hover:text-ink"
    >
      {copied ? <Check size={13} className="text-verified" /> : <Copy size={13} />}
    </button>
  );
}

/** What is long and looks alike: shortened to the eye, copied whole. */
export function Identifier({
  text,
  what,
  head,
  tail,
}: {
  text: string;
  what: string;
  head?: number;
  tail?: number;
}) {
  return (
    <span className="inline-flex items-center gap-0.5">
      <span className="font-mono text-xs" title={text}>
        {shortened(text, head, tail)}
      </span>
      <CopyButton text={text} label={`Copy the ${what}`} />
    </span>
  );
}

/** A command to type, or what else is pasted somewhere, whole and ready to copy. */
export function Command({ text, what = "command" }: { text: string; what?: string }) {
  return (
    <span className="inline-flex max-w-full items-center gap-1 rounded-md border bg-sunken py-0.5 pr-1 pl-2.5">
      <code className="overflow-x-auto font-mono text-xs whitespace-nowrap">{text}</code>
      <CopyButton text={text} label={`Copy the ${what}`} />
    </span>
  );
}

export function Badge({
  tone,
  children,
}: {
  tone: "plain" | "live" | "danger" | "attention" | "verified";
  children: ReactNode;
}) {
  const style = {
    plain: "text-soft border-line",
    live: "text-accent border-accent/50",
    danger: "text-danger border-danger/50",
    attention: "text-attention border-attention/50",
    verified: "text-verified border-verified/50",
  }[tone];
  return (
    <span
      className={`inline-flex items-center gap-1 rounded border px-1.5 text-2xs leading-[1.125rem] font-medium whitespace-nowrap ${style}`}
    >
      {children}
    </span>
  );
}

export function Kbd({ children }: { children: ReactNode }) {
  return (
    <kbd className="inline-flex h-5 min-w-5 items-center justify-center rounded border border-strong bg-sunken px-1 font-mono text-2xs text-soft">
      {children}
    </kbd>
  );
}
