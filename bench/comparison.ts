import { readFileSync } from 'node:fs';
import type { Calibration, Figure } from './figure.js';

type Target = { readonly atLeast: number } | { readonly atMost: number } | { readonly below: number };

interface OriginalMeasure {
  /** Absent where only a target is known. */
  readonly value?: number;
  readonly unit: string;
  /** Which limit of the machine the original's figure hangs on; absent for memory. */
  readonly limit?: keyof Calibration;
  readonly target?: Target;
}

export interface Original {
  readonly calibration: Calibration;
  readonly measures: Readonly<Record<string, OriginalMeasure>>;
}

export interface Compared extends Figure {
  /** What the original would reach on this machine. */
  readonly original?: number;
  readonly ratio?: number;
  readonly target?: string;
  readonly isReached?: boolean;
}

export function readOriginal(path: string): Original {
  return JSON.parse(readFileSync(path, 'utf8')) as Original;
}

const isRate = (unit: string): boolean => unit.endsWith('/s');

/** Scales the original's figure to this machine (limit here / limit there) and compares. */
export function compare(figure: Figure, original: Original, calibration: Calibration): Compared {
  const known = original.measures[figure.measure];
  if (!known) return figure;
  if (known.value === undefined) return { ...figure, ...judge(known.target, figure.value, Number.NaN) };
  const speed = known.limit ? calibration[known.limit] / original.calibration[known.limit] : 1;
  const scaled = isRate(known.unit) ? known.value * speed : known.value / speed;
  const ratio = figure.value / scaled;
  return { ...figure, original: scaled, ratio, ...judge(known.target, figure.value, ratio) };
}

function judge(target: Target | undefined, value: number, ratio: number): Pick<Compared, 'target' | 'isReached'> {
  if (!target) return {};
  if ('atLeast' in target) return { target: `>= ${target.atLeast}x`, isReached: ratio >= target.atLeast };
  if ('atMost' in target) return { target: `<= ${target.atMost}x`, isReached: ratio <= target.atMost };
  return { target: `< ${target.below}`, isReached: value < target.below };
}

/** Columns padded to their widest cell. */
export function formatTable(rows: readonly Compared[]): string {
  const head = ['MEASURE', 'HERE', 'UNIT', 'ORIGINAL (SCALED)', 'RATIO', 'TARGET', ''];
  const cells = rows.map((row) => [
    row.measure,
    round(row.value),
    row.unit,
    row.original === undefined ? '' : round(row.original),
    row.ratio === undefined ? '' : `${row.ratio.toFixed(2)}x`,
    row.target ?? '',
    row.isReached === undefined ? '' : row.isReached ? 'reached' : 'MISSED',
  ]);
  const widths = head.map((title, i) => Math.max(title.length, ...cells.map((line) => line[i]?.length ?? 0)));
  return [head, ...cells]
    .map((line) =>
      line
        .map((cell, i) => cell.padEnd(widths[i] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

function round(value: number): string {
  if (value >= 100) return Math.round(value).toLocaleString('en-US');
  return value.toPrecision(value >= 10 ? 3 : value >= 0.1 ? 2 : 1);
}
