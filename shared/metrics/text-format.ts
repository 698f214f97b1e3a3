/** What of a metric stands above its samples in the Prometheus text format. */
export function header({ name, help }: { readonly name: string; readonly help: string }, type: string): string {
  const escaped = help.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');
  return `# HELP ${name} ${escaped}\n# TYPE ${name} ${type}\n`;
}

/** A label with its value, escaped. */
export function labelPair(name: string, value: string): string {
  return `${name}="${escapeLabel(value)}"`;
}

function escapeLabel(value: string): string {
  return /[\\"\n]/.test(value) ? value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n') : value;
}

/** Labels as they follow a name. */
export const braced = (labels: string): string => (labels === '' ? '' : `{${labels}}`);

/** A value as the format writes it, with its words for what is no number. */
export function numberText(value: number): string {
  if (Number.isFinite(value)) return String(value);
  return Number.isNaN(value) ? 'NaN' : value > 0 ? '+Inf' : '-Inf';
}

/** One figure, and when it was measured if that is not now. */
export type Sample = readonly [labels: Readonly<Record<string, string>>, value: number, atMs?: number];

/** The text of a metric whose samples are made anew whenever somebody asks, so that none is kept for what is gone. */
export function metricText(
  metric: { readonly name: string; readonly help: string; readonly type: 'counter' | 'gauge' },
  samples: readonly Sample[],
): string {
  const lines = samples.map(([labels, value, atMs]) => {
    const text = Object.entries(labels).map(([name, label]) => labelPair(name, label));
    const time = atMs === undefined ? '' : ` ${atMs}`;
    return `${metric.name}${braced(text.join(','))} ${numberText(value)}${time}\n`;
  });
  return header(metric, metric.type) + lines.join('');
}
