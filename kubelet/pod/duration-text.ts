/** Milliseconds as Go prints a duration of a second or more: `3m0.25s`. */
export function formatDuration(ms: number): string {
  const rest = ms % 1000;
  const text = formatSeconds((ms - rest) / 1000);
  return rest === 0 ? text : `${text.slice(0, -1)}${(rest / 1000).toFixed(9).slice(1).replace(/0+$/, '')}s`;
}

/** Whole seconds as Go prints a duration: `10s`, `1m20s`, `5m0s`. */
export function formatSeconds(seconds: number): string {
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole}s`;
  const hours = Math.floor(whole / 3600);
  const minutes = Math.floor((whole % 3600) / 60);
  return `${hours > 0 ? `${hours}h` : ''}${minutes}m${whole % 60}s`;
}
