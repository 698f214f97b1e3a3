import { formatQuantity, type Quantity } from '../shared/api/quantity.js';
import type { NodeTable } from './node-table.js';
import type { Placement } from './placement.js';
import type { PodInfo } from './pod-info.js';

const nodesNamed = 10;

/**
 * Says why no node will do: the original's summary, then the nodes by name with their numbers.
 * `0/2 nodes are available: 2 Insufficient cpu. node-1: cpu 2 requested, 500m of 4 free; node-2: ...`
 */
export function explainRefusal(
  info: PodInfo,
  placement: Extract<Placement, { refusals: unknown }>,
  table: NodeTable,
): string {
  if (placement.nodeCount === 0) return 'no nodes available to schedule pods';
  const counts = [...placement.refusals].map(([reason, slots]) => `${slots.length} ${reason}`).sort();
  const summary = `0/${placement.nodeCount} nodes are available: ${counts.join(', ')}.`;
  const bySlot = new Map<number, string[]>();
  for (const [reason, slots] of placement.refusals) {
    for (const slot of slots) bySlot.set(slot, [...(bySlot.get(slot) ?? []), describe(reason, info, table, slot)]);
  }
  const named = [...bySlot]
    .map(([slot, reasons]) => `${table.nodes[slot]?.metadata.name}: ${reasons.join(', ')}`)
    .sort()
    .slice(0, nodesNamed);
  const rest = bySlot.size > nodesNamed ? `; and ${bySlot.size - nodesNamed} more` : '';
  return `${summary} ${named.join('; ')}${rest}`;
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
    default:
      return reason.replace(/^node\(s\) (were |had |didn't have )?/, '');
  }
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
