/**
 * A duration as `kubectl get` prints ages: at most two units, and less precise the longer it is
 * (`45s`, `3m20s`, `12m`, `3h5m`, `26h`, `5d3h`, `40d`, `2y33d`). Follows apimachinery's duration.HumanDuration.
 */
export function humanDuration(durationMs: number): string {
  const seconds = Math.trunc(durationMs / 1000);
  // Clocks of two machines differ a little: up to two seconds in the future is now.
  if (seconds < -1) return '<invalid>';
  if (seconds < 0) return '0s';
  if (seconds < 120) return `${seconds}s`;
  const minutes = Math.trunc(seconds / 60);
  if (minutes < 10) return pair(minutes, 'm', seconds % 60, 's');
  if (minutes < 180) return `${minutes}m`;
  const hours = Math.trunc(minutes / 60);
  if (hours < 8) return pair(hours, 'h', minutes % 60, 'm');
  if (hours < 48) return `${hours}h`;
  const days = Math.trunc(hours / 24);
  if (hours < 192) return pair(days, 'd', hours % 24, 'h');
  if (hours < 365 * 24 * 2) return `${days}d`;
  const years = Math.trunc(days / 365);
  if (hours < 365 * 24 * 8) return pair(years, 'y', days % 365, 'd');
  return `${years}y`;
}

/** The age of a timestamp, or `<unknown>` where there is none. */
export function humanAge(timestamp: string | undefined, nowMs: number): string {
  if (timestamp === undefined || timestamp === '') return '<unknown>';
  const ms = Date.parse(timestamp);
  return Number.isNaN(ms) ? '<unknown>' : humanDuration(nowMs - ms);
}

function pair(large: number, largeUnit: string, small: number, smallUnit: string): string {
  return small === 0 ? `${large}${largeUnit}` : `${large}${largeUnit}${small}${smallUnit}`;
}
