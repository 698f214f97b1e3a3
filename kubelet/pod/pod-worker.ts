import type { Pod } from '../../shared/api/generated/types.js';
import { isPodTerminal } from '../../shared/api/pod.js';
import type { Clock } from '../../shared/clock/clock.js';
import type { EventRecorder } from '../../shared/controller/event-recorder.js';
import type { ReconcileResult } from '../../shared/controller/reconciler.js';
import { isAbort, isConflict } from '../../shared/errors/status-error.js';
import type { Log } from '../../shared/log/log.js';
import { RuntimeError } from '../runtime/container-runtime.js';
import type { PodFailure } from '../status/pod-status.js';
import type { PodRecord } from './pod-record.js';
import { deadlineMs, type PodSyncer } from './pod-syncer.js';
import { podLabel } from './pod-spec.js';
import type { PodTerminator } from './pod-terminator.js';

/** What the node says about pods. */
export interface NodeGate {
  /** Whether the node has room for the pod; the reason when it refuses. Remembers what it admitted. */
  admit(pod: Pod): PodFailure | undefined;
  /** Whether the engine can be asked to do anything; the node's condition tells why not. */
  isRuntimeReady(): boolean;
  /** Why pods that need the pod network cannot start yet. */
  networkProblem(): string | undefined;
}

export interface PodWorkerOptions {
  readonly clock: Clock;
  readonly log: Pick<Log, 'warn'>;
  readonly events: EventRecorder;
  readonly gate: NodeGate;
  readonly syncer: PodSyncer;
  readonly terminator: PodTerminator;
  readonly record: (uid: string) => PodRecord | undefined;
  /** Called when nothing is left of a pod, neither in the API nor here. */
  readonly forget: (uid: string) => void;
}

const engineRetryMs = 1_000;
const minRetryMs = 200;
const maxRetryMs = 30_000;
const networkRetryMs = 500;

/**
 * The worker of one pod at a time: keys are uids, so a new pod of an old name is another one.
 *
 *     not in the API ......................... remove every trace
 *     deletionTimestamp, terminal, refused ... terminate
 *     else ................................... sync; when all containers are through: terminate
 */
export class PodWorker {
  readonly #options: PodWorkerOptions;

  constructor(options: PodWorkerOptions) {
    this.#options = options;
  }

  async reconcile(uid: string, signal: AbortSignal): Promise<ReconcileResult> {
    const record = this.#options.record(uid);
    if (!record) return {};
    const waitMs = this.#backOff(record);
    if (waitMs !== undefined) return { requeueAfterMs: waitMs };
    try {
      const result = await this.#work(record, signal);
      record.retry = undefined;
      return result;
    } catch (error) {
      // The node's condition tells it; the pod just has to wait.
      if (error instanceof RuntimeError && error.code === 'Unavailable') return this.#retry(record, 0, engineRetryMs);
      // The sync was interrupted because the pod is to end.
      if (isAbort(error) && !signal.aborted) return { requeueAfterMs: 1 };
      if (signal.aborted) throw error;
      return this.#failed(record, error);
    }
  }

  /**
   * How long the pod still has to wait after a failure. What failed leaves traces in the engine (a sandbox made and removed,
   * say), whose events call for the next look at once: they are not a reason to try again earlier.
   */
  #backOff({ retry, pod }: PodRecord): number | undefined {
    if (!retry || retry.intent !== intentOf(pod)) return undefined;
    const waitMs = retry.atMs - this.#options.clock.monotonic();
    return waitMs > 0 ? waitMs : undefined;
  }

  #failed(record: PodRecord, error: unknown): ReconcileResult {
    const isSame = record.retry?.intent === intentOf(record.pod);
    const failures = (isSame ? (record.retry?.failures ?? 0) : 0) + 1;
    const delayMs = Math.min(minRetryMs * 2 ** (failures - 1), maxRetryMs);
    const pod = record.pod ? podLabel(record.pod) : record.uid;
    // A conflict only says that our cache was behind.
    if (!isConflict(error))
      this.#options.log.warn('pod could not be synced, trying again', { pod, failures, delayMs, error });
    return this.#retry(record, failures, delayMs);
  }

  #retry(record: PodRecord, failures: number, delayMs: number): ReconcileResult {
    const atMs = this.#options.clock.monotonic() + delayMs;
    record.retry = { failures, atMs, intent: intentOf(record.pod) };
    return { requeueAfterMs: delayMs };
  }

  async #work(record: PodRecord, signal: AbortSignal): Promise<ReconcileResult> {
    const { terminator, forget } = this.#options;
    const { pod } = record;
    if (!pod) {
      await terminator.removeOrphan(record);
      if (!record.pod) forget(record.uid);
      return {};
    }
    if (this.#mustEnd(record, pod)) return await this.#end(record, pod, signal);
    const wait = this.#admission(record, pod);
    if (record.failure) return await this.#end(record, pod, signal);
    if (wait !== undefined) return { requeueAfterMs: wait };
    return await this.#sync(record, pod, signal);
  }

  async #sync(record: PodRecord, pod: Pod, signal: AbortSignal): Promise<ReconcileResult> {
    const interrupt = new AbortController();
    record.interrupt = interrupt;
    const outcome = await this.#options.syncer.sync(record, pod, AbortSignal.any([signal, interrupt.signal]));
    if (outcome.finished) return await this.#end(record, pod, signal);
    return outcome.requeueAfterMs === undefined ? {} : { requeueAfterMs: outcome.requeueAfterMs };
  }

  async #end(record: PodRecord, pod: Pod, signal: AbortSignal): Promise<ReconcileResult> {
    const isDeleted = pod.metadata.deletionTimestamp !== undefined;
    if (!record.isSettled || isDeleted) await this.#options.terminator.terminate(record, pod, signal);
    return {};
  }

  #mustEnd(record: PodRecord, pod: Pod): boolean {
    const { clock, events } = this.#options;
    if (pod.metadata.deletionTimestamp !== undefined || isPodTerminal(pod) || record.failure) return true;
    if (clock.now() < (deadlineMs(pod, clock.now()) ?? Infinity)) return false;
    const message = 'Pod was active on the node longer than the specified deadline';
    record.failure = { reason: 'DeadlineExceeded', message };
    events.event(pod, 'Normal', 'DeadlineExceeded', message);
    return true;
  }

  /** Admits the pod, or notes why not. The time to wait where the node is not ready for it yet. */
  #admission(record: PodRecord, pod: Pod): number | undefined {
    const { gate, events } = this.#options;
    if (!record.isAdmitted) {
      const refusal = gate.admit(pod);
      if (refusal) {
        // The event tells the reason alone, as the original's.
        record.failure = { ...refusal, message: `Pod was rejected: ${refusal.message}` };
        events.event(pod, 'Warning', refusal.reason, refusal.message);
        return undefined;
      }
      record.isAdmitted = true;
    }
    // Not the pod's affair, and after a start of the kubelet not even known yet: as the original, it waits without an event.
    if (!gate.isRuntimeReady()) return networkRetryMs;
    const problem = pod.spec.hostNetwork ? undefined : gate.networkProblem();
    if (problem === undefined) return undefined;
    events.event(pod, 'Warning', 'NetworkNotReady', `network is not ready: ${problem}`);
    return networkRetryMs;
  }
}

/** Changes when the pod is asked for something else: then an earlier failure says nothing. */
function intentOf(pod: Pod | undefined): string {
  return pod ? `${pod.metadata.generation ?? 0} ${pod.metadata.deletionTimestamp ?? ''}` : 'gone';
}
