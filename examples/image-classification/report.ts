import type { DemoResult } from './client.js';

/** The figures of a run. */
export interface DemoSummary {
  answered: number;
  failed: number;
  /** Of the pictures whose class is known; undefined when none is. */
  accuracy: { correct: number; known: number } | undefined;
  requestsPerGateway: ReadonlyMap<string, number>;
  requestsPerModelServer: ReadonlyMap<string, number>;
  retried: number;
  medianLatencyMs: number;
}

export function summarize(results: readonly DemoResult[]): DemoSummary {
  const answered = results.filter((result) => result.kind === 'answered');
  const known = answered.filter((result) => result.expected !== undefined);
  const correct = known.filter((result) => result.prediction === result.expected).length;
  const latencies = answered.map((result) => result.latencyMs).toSorted((left, right) => left - right);
  return {
    answered: answered.length,
    failed: results.length - answered.length,
    accuracy: known.length === 0 ? undefined : { correct, known: known.length },
    requestsPerGateway: countBy(answered.map((result) => result.gateway)),
    requestsPerModelServer: countBy(answered.map((result) => result.modelServer)),
    retried: answered.filter((result) => result.attempts > 1).length,
    medianLatencyMs: latencies[Math.floor(latencies.length / 2)] ?? 0,
  };
}

function countBy(names: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const name of names.toSorted()) counts.set(name, (counts.get(name) ?? 0) + 1);
  return counts;
}

const HEADINGS = ['PICTURE', 'PREDICTION', 'PROBABILITY', 'GATEWAY POD', 'MODEL-SERVER POD', 'LATENCY'];

/** The table of a run, then accuracy and requests per pod. A wrong prediction is marked with what it should be. */
export function renderReport(results: readonly DemoResult[]): string {
  const rows = results.map((result) => {
    if (result.kind === 'failed') return [result.picture, `failed: ${result.error}`];
    const isWrong = result.expected !== undefined && result.expected !== result.prediction;
    const prediction = isWrong ? `${result.prediction} (is ${result.expected})` : result.prediction;
    return [
      result.picture,
      prediction,
      `${(result.probability * 100).toFixed(1)} %`,
      result.gateway,
      result.modelServer,
      `${Math.round(result.latencyMs)} ms`,
    ];
  });
  const summary = summarize(results);
  const { accuracy } = summary;
  const lines = [
    ...table([HEADINGS, ...rows]),
    '',
    `Pictures answered:  ${summary.answered} of ${results.length}, median latency ${Math.round(summary.medianLatencyMs)} ms${summary.retried > 0 ? `, ${summary.retried} after a retry` : ''}`,
    accuracy === undefined
      ? 'Accuracy:           not known, as no file or folder name tells a class'
      : `Accuracy:           ${((100 * accuracy.correct) / accuracy.known).toFixed(1)} % (${accuracy.correct} of ${accuracy.known})`,
    ...perPod('Requests per gateway pod:', summary.requestsPerGateway),
    ...perPod('Requests per model-server pod:', summary.requestsPerModelServer),
  ];
  return `${lines.join('\n')}\n`;
}

function table(rows: readonly string[][]): string[] {
  // A row that ends early is a failure, whose text may run on over the columns after it.
  const widths = HEADINGS.map((_, column) =>
    Math.max(...rows.map((row) => (row.length > column + 1 ? (row[column] ?? '').length : 0))),
  );
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('   ')
      .trimEnd(),
  );
}

function perPod(title: string, counts: ReadonlyMap<string, number>): string[] {
  const width = Math.max(0, ...[...counts.keys()].map((name) => name.length));
  return [title, ...[...counts].map(([name, count]) => `  ${name.padEnd(width)}  ${count}`)];
}
