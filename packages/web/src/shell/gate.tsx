/** The mark: an arch with its bars. */
export function Gate({ className }: { className?: string }) {
  return (
    <svg
      viewBox="0 0 24 24"
      fill="none"
      stroke="currentColor"
      strokeWidth="1.9"
      strokeLinecap="round"
      strokeLinejoin="round"
      aria-hidden
      className={className}
    >
      <path d="M4 21V10a8 8 0 0 1 16 0v11" />
      <path d="M2.5 21h19" />
      <path d="M9 21v-9M15 21v-9M4 14h16" />
    </svg>
  );
}
