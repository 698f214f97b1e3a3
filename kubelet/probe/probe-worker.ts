import type { Probe } from '../../shared/api/generated/types.js';
import type { Clock } from '../../shared/clock/clock.js';
import type { ProbeResult, ProbeTarget, RunProbe } from './probe.js';

export type ProbeType = 'startup' | 'liveness' | 'readiness';

export interface ProbeWorkerOptions {
  readonly clock: Clock;
  readonly run: RunProbe;
  readonly type: ProbeType;
  readonly probe: Probe;
  readonly startedAtMs: number;
  /** Asked anew at every turn, for labels and such may have changed. */
  readonly target: ProbeTarget;
  /** Whether it holds now; undefined until the first threshold is reached. */
  readonly initial: boolean | undefined;
  /** Extra wait before the first turn, so that a restarted kubelet does not ask everyone at once. */
  readonly firstDelayMs: number;
  /** The verdict changed. */
  readonly onVerdict: (holds: boolean) => void;
  /** A single failure or warning, before any threshold. */
  readonly onTrouble: (result: ProbeResult) => void;
  /** It was asked once more, and that took so long; undefined where the probe could not be carried out. */
  readonly onProbed: (result: ProbeResult | undefined, durationMs: number) => void;
  /** The probe could not be carried out; counts neither way. */
  readonly onError: (error: unknown) => void;
}

/** Probes one container in its period, from its initial delay on, and counts towards the thresholds. */
export class ProbeWorker {
  readonly #options: ProbeWorkerOptions;
  readonly #stopping = new AbortController();
  #cancel: () => void = () => undefined;
  #holds: boolean | undefined;
  #last: boolean | undefined;
  #run = 0;

  constructor(options: ProbeWorkerOptions) {
    this.#options = options;
    this.#holds = options.initial;
    const { clock, probe, startedAtMs, firstDelayMs } = options;
    // Adopted by a restarted kubelet: it has started before.
    if (options.type === 'startup' && options.initial === true) return;
    const initialMs = startedAtMs + (probe.initialDelaySeconds ?? 0) * 1000 - clock.now();
    this.#schedule(Math.max(initialMs, firstDelayMs, 0));
  }

  get holds(): boolean | undefined {
    return this.#holds;
  }

  stop(): void {
    this.#cancel();
    this.#stopping.abort();
  }

  #schedule(delayMs: number): void {
    this.#cancel = this.#options.clock.schedule(delayMs, () => void this.#turn());
  }

  async #turn(): Promise<void> {
    const { clock, probe, run, target, onError, onProbed } = this.#options;
    const startMs = clock.monotonic();
    const told = (result?: ProbeResult): void => onProbed(result, clock.monotonic() - startMs);
    try {
      const result = await run(probe, target, this.#stopping.signal);
      if (!this.#stopping.signal.aborted) {
        told(result);
        this.#count(result);
      }
    } catch (error) {
      if (!this.#stopping.signal.aborted) {
        told();
        onError(error);
      }
    }
    if (this.#stopping.signal.aborted) return;
    const periodMs = Math.max(1, probe.periodSeconds ?? 10) * 1000;
    this.#schedule(Math.max(0, periodMs - (clock.monotonic() - startMs)));
  }

  #count(result: ProbeResult): void {
    const { probe, type, onVerdict, onTrouble } = this.#options;
    const good = result.outcome !== 'failure';
    if (result.outcome !== 'success') onTrouble(result);
    this.#run = this.#last === good ? this.#run + 1 : 1;
    this.#last = good;
    if (this.#run < ((good ? probe.successThreshold : probe.failureThreshold) ?? (good ? 1 : 3))) return;
    // A condemned container is not asked again, and one that has started need not say so twice.
    if (type !== 'readiness' && (!good || type === 'startup')) this.stop();
    if (this.#holds === good) return;
    this.#holds = good;
    onVerdict(good);
  }
}
