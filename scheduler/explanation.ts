import type { Node } from '../shared/api/generated/types.js';
import { formatQuantity, type Quantity } from '../shared/api/quantity.js';
import { taintReason, untoleratedTaint } from './node-filter.js';
import type { NodeTable } from './node-table.js';
import type { Refused } from './placement.js';
import type { PodInfo } from './pod-info.js';

const nodesNamed = 10;

/**
 * Says why no node will do: the original's sentences (with that about preemption, if any), then the nodes by name with their
 * numbers. `0/2 nodes are available: 2 Insufficient cpu. node-1: cpu 2 requested, 500m of 4 free; node-2: ...`
 */
export function explainRefusal(info: PodInfo, refused: Refused, table: NodeTable, preemption?: string): string {
  const { nodeCount, refusals, problem } = refused;
  if (nodeCount === 0) return 'no nodes available to schedule pods';
  const counts = new Map([...refusals].map(([reason, slots]) => [reason, slots.length]));
  const summary =
    problem === undefined ? summarize(nodeCount, counts) : `0/${nodeCount} nodes are available: ${problem}.`;
  const nodes = problem === undefined ? nameNodes(info, refusals, table) : undefined;
  return [summary, preemption && `preemption: ${preemption}`, nodes].filter(Boolean).join(' ');
}

/** `0/3 nodes are available: 1 Insufficient cpu, 2 Insufficient memory.` */
export function summarize(nodeCount: number, counts: ReadonlyMap<string, number>): string {
  const reasons = [...counts].map(([reason, count]) => `${count} ${reason}`).sort();
  return `0/${nodeCount} nodes are available: ${reasons.join(', ')}.`;
}

function nameNodes(info: PodInfo, refusals: Refused['refusals'], table: NodeTable): string {
  const bySlot = new Map<number, string[]>();
  for (const [reason, slots] of refusals) {
    for (const slot of slots) bySlot.set(slot, [...(bySlot.get(slot) ?? []), describe(reason, info, table, slot)]);
  }
  const named = [...bySlot]
    .map(([slot, reasons]) => `${table.nodes[slot]?.metadata.name}: ${reasons.join(', ')}`)
    .sort()
    .slice(0, nodesNamed);
  const rest = bySlot.size > nodesNamed ? `; and ${bySlot.size - nodesNamed} more` : '';
  return `${named.join('; ')}${rest}`;
}

function describe(reason: string, info: PodInfo, table: NodeTable, slot: number): string {
  switch (reason) {
    case 'Insufficient cpu':
      return numbers(
        'cpu',
        milli(info.milliCpu),
        milli(free(table.allocatableMilliCpu, table.requestedMilliCpu, slot)),
        milli(table.allocatableMilliCpu[slot] ?? 0),
      );
    case 'Insufficient memory':
      return numbers(
        'memory',
        bytes(info.memoryBytes),
        bytes(free(table.allocatableMemory, table.requestedMemory, slot)),
        bytes(table.allocatableMemory[slot] ?? 0),
      );
    case 'Too many pods':
      return `${table.podCount[slot] ?? 0} of ${table.allocatablePods[slot] ?? 0} pods`;
    case taintReason:
      return `untolerated taint ${taintText(info, table.nodes[slot])}`;
    default:
      return reason.replace(/^node\(s\) (were |had |didn't have )?/, '');
  }
}

function taintText(info: PodInfo, node: Node | undefined): string {
  const taint = node && untoleratedTaint(info, node);
  return `{${taint?.key ?? ''}: ${taint?.value ?? ''}}`;
}

const numbers = (name: string, requested: string, left: string, total: string): string =>
  `${name} ${requested} requested, ${left} of ${total} free`;
const free = (allocatable: Float64Array, requested: Float64Array, slot: number): number =>
  Math.max(0, (allocatable[slot] ?? 0) - (requested[slot] ?? 0));
const inNanos = (format: Quantity['format'], nanos: bigint): string => formatQuantity({ nanos, format });
const milli = (value: number): string => inNanos('DecimalSI', BigInt(Math.round(value)) * 1_000_000n);
/** In whole MiB: the last digits of a machine's memory tell nobody anything. */
const bytes = (value: number): string =>
  inNanos('BinarySI', (BigInt(Math.round(value)) / 1_048_576n) * 1_048_576n * 1_000_000_000n);
